/** Tests that need a program of the machine: skipped by name where it is not there. */
import { existsSync } from 'node:fs'
import { test } from 'vitest'

const places = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

export function lacks(...programs: readonly string[]): readonly string[] {
  return programs.filter((program) => !places.some((place) => existsSync(`${place}/${program}`)))
}

/** `test`, or the same skipped with what is missing in its title. */
export function testWith(programs: readonly string[], title: string, body: () => Promise<void>, timeoutMs?: number): void {
  const missing = lacks(...programs)
  test.skipIf(missing.length > 0)(missing.length === 0 ? title : `${title} (not installed: ${missing.join(', ')})`, body, timeoutMs)
}
