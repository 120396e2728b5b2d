/** Waiting for the guard of an earlier daemon, without a guard: any process that is noted as one will do. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { awaitGuard } from '../../src/runtime/guard-directory.ts'
import { nameOf } from '../../src/runtime/process-begin.ts'

/** The directory of a daemon whose guard hangs; its plan allows it a twentieth of a second. */
async function hangingGuard(): Promise<{ readonly directory: string; readonly pid: number; readonly ended: Promise<unknown> }> {
  const directory = mkdtempSync(join(tmpdir(), 'hactl-guard-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const child = spawn('sleep', ['60'])
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  onTestFinished(() => void child.kill('SIGKILL'))
  mkdirSync(join(directory, 'current'))
  writeFileSync(join(directory, 'current', 'limit'), '50\n')
  writeFileSync(join(directory, 'pids'), `${nameOf(pid)}\n`)
  return { directory, pid, ended: once(child, 'exit') }
}

test('a guard that hangs is killed after its time, and that is said', async () => {
  const { directory, pid, ended } = await hangingGuard()
  expect(await awaitGuard(directory)).toBe(`the guard of an earlier daemon (pid ${pid}) had not ended after 0.05 s and was killed`)
  expect(await ended).toEqual([null, 'SIGKILL'])
})

test('one that ends just before it would be killed keeps no daemon from starting; a kill that is not permitted does', async () => {
  const { directory } = await hangingGuard()
  const refusal = vi.spyOn(process, 'kill')
  onTestFinished(() => refusal.mockRestore())
  const refuse = (code: string) => refusal.mockImplementation(() => { throw Object.assign(new Error(`kill ${code}`), { code }) })
  refuse('ESRCH')
  await expect(awaitGuard(directory)).resolves.toContain('had not ended')
  refuse('EPERM')
  await expect(awaitGuard(directory)).rejects.toThrow('kill EPERM')
})
