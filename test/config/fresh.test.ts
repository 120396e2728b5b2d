/** Lines and files that nobody published, as the real Heartbeat says: rules are held, not a list. */
import { describe, expect, test } from 'vitest'
import { type ConfigResult } from '../../src/config/index.ts'
import { differences, loadBothWays, meant, stricter } from './expectations.ts'
import { classic, codesOf, type Fresh, goodHaCf, groupsOf, readSamples } from './samples.ts'

const samples = readSamples<Fresh>('fresh')
const bothNodes = goodHaCf.replace('node2', 'node2 node1.example.com')

/** Heartbeat accepts: every error says why hactl does not. Heartbeat refuses: so does hactl. */
function expectVerdict(name: string, accepted: boolean, result: ConfigResult): void {
  const unexplained = codesOf(result).errors.filter((code) => !accepted || !stricter.has(code))
  expect(unexplained.length > 0, `${name}\n${codesOf(result).errors.join(' ')}`).toBe(!accepted)
}

function expectGroups(name: string, groups: readonly (readonly string[])[], result: ConfigResult): void {
  if (differences(true, groups, result).every((difference) => !difference.startsWith('groups'))) return
  const { errors, warnings } = codesOf(result)
  expect([...errors, ...warnings].filter((code) => meant.has(code)), `${name}\n${JSON.stringify(groupsOf(result))}`).not.toEqual([])
}

for (const file of ['ha.cf', 'haresources', 'authkeys'] as const) {
  describe(file, () => {
    test('every sample is read as by Heartbeat, or a code says why not', () => {
      const chosen = samples.filter((sample) => sample.file === file)
      expect(chosen.length).toBeGreaterThan(80)
      for (const { line, text, accepted, groups } of chosen) {
        const whole = line === undefined ? text ?? '' : `${goodHaCf}${line}\n`
        const result = loadBothWays(whole, classic({ haresources: '', ...(file === 'haresources' ? { haCf: bothNodes } : {}),
          [file === 'ha.cf' ? 'haCf' : file]: whole }))
        if (accepted !== undefined) expectVerdict(line ?? whole, accepted, result)
        if (groups !== undefined) expectGroups(whole, groups, result)
      }
    })
  })
}
