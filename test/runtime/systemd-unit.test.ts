import { expect, test } from 'vitest'
import { isStopped, judgeUnit, unitWords } from '../../src/runtime/systemd-unit.ts'

// As `systemctl show` of systemd 252 prints them.
const states: readonly (readonly [string, string, ReturnType<typeof judgeUnit>['result']])[] = [
  ['active', 'running', 'ok'], ['active', 'exited', 'ok'], ['reloading', 'reload', 'ok'],
  ['inactive', 'dead', 'not-running'], ['failed', 'failed', 'not-running'],
  ['activating', 'auto-restart', 'failed'], ['activating', 'start', 'failed'], ['deactivating', 'stop-sigterm', 'failed'],
]
for (const [active, sub, want] of states) {
  test(`a unit that is ${active} (${sub}) is ${want}`, () => {
    expect(judgeUnit('nginx', `ActiveState=${active}\nSubState=${sub}\n`).result).toBe(want)
  })
}

test('no answer is no judgement, and says what to type', () => {
  expect(judgeUnit('nginx', '')).toEqual({
    result: 'failed', message: 'the state of the systemd unit nginx is not told by systemctl; type: systemctl status nginx',
  })
})

test('a unit name is never an option of systemctl', () => {
  expect(unitWords('--force', 'start').slice(1)).toEqual(['--no-ask-password', 'start', '--', '--force'])
  expect(unitWords('--force', 'status').slice(-2)).toEqual(['--', '--force'])
})

test('stopping what is not there is done', () => {
  expect([0, 1, 5].map(isStopped)).toEqual([true, false, true])
})
