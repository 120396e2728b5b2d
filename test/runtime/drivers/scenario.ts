/** What all drivers share: the choice of the scenario, commands, and waiting with a bound. */
import { execFileSync } from 'node:child_process'

export async function runDriver(scenarios: Readonly<Record<string, () => Promise<unknown>>>): Promise<void> {
  const name = process.argv[2] ?? ''
  const scenario = scenarios[name]
  if (scenario === undefined) throw new Error(`no scenario ${name}`)
  const result = await scenario()
  process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0))
}

/** Runs `ip` (or another program) as an administrator would; the output, or the error's. */
export function sh(command: string): string {
  return execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

export function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}

/** True as soon as `condition` holds, false when it has not within the time. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<boolean> {
  const endMs = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > endMs) return false
    await sleep(5)
  }
  return true
}

export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'resolved'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
