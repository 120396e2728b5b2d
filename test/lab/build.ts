/** Before the first lab test: the bundle under test is built from the sources as they are. */
import { execFileSync } from 'node:child_process'
import { repository } from './hosts.ts'

export default function build(): void {
  // test/run.sh has just done so.
  if (process.env['HACTL_LAB_BUILT'] !== undefined) return
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: repository, stdio: 'inherit' })
}
