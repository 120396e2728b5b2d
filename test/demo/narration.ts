/** What the demo says: headings, sentences, the commands that are typed on a host and what they answer. */
import { colourPaint, plainPaint, viewOf } from '../../src/cli/terminal.ts'
import type { Host, Ran } from '../lab/hosts.ts'

const paint = viewOf(process.stdout, process.env).paint === colourPaint ? colourPaint : plainPaint
const beganMs = Date.now()

export const columns = Math.min(process.stdout.isTTY ? process.stdout.columns : 80, 100)

export function heading(text: string): void {
  const seconds = ((Date.now() - beganMs) / 1000).toFixed(1)
  say(`\n${paint.bold(`== ${text}`)} ${paint.dim(`(${seconds} s)`)}`)
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function good(text: string): void {
  say(paint.green(text))
}

export function bad(text: string): void {
  say(paint.red(text))
}

export function quote(text: string): void {
  for (const line of text.trimEnd().split('\n')) say(paint.dim('    | ') + line)
}

/** Types `hactl WORDS` on the host and shows the answer as it stands. */
export async function type(host: Host, program: readonly string[], words: readonly string[]): Promise<Ran> {
  say(`  ${host.name}# ${paint.bold(`hactl ${words.join(' ')}`)}`)
  const ran = await host.exec([...program, ...words], { env: { COLUMNS: String(columns - 6) }, timeoutMs: 30_000 })
  quote(ran.stdout + ran.stderr)
  return ran
}
