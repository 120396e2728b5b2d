import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createSchedules, scheduleProblem } from '../../src/runtime/schedules.ts'

for (const expression of ['0 3 * * *', '*/15 * * * *', '0 0 1 1 *', '* * * * * *', '0 3 * * mon-fri']) {
  test(`"${expression}" is a schedule`, () => expect(scheduleProblem(expression)).toBeUndefined())
}

for (const expression of ['', 'daily', '0 25 * * *', '61 * * * *', '0 3 * *', '0 3 * * * * *', '0 3 32 * *', '$(reboot)']) {
  test(`"${expression}" is none, and the message shows it and a sound one`, () => {
    const problem = scheduleProblem(expression)
    expect(problem).toContain(`"${expression}"`)
    expect(problem).toContain('"0 3 * * *"')
  })
}

test('each group is called at its time, until its schedule is taken out', async () => {
  const due: string[] = []
  const schedules = createSchedules((group) => due.push(group))
  schedules.set([{ group: 'web', expression: '* * * * * *' }, { group: 'db', expression: '0 3 1 1 *' }])
  await expect.poll(() => due.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2)
  expect(new Set(due)).toEqual(new Set(['web']))
  schedules.set([{ group: 'db', expression: '0 3 1 1 *' }])
  const before = due.length
  await sleep(1_500)
  expect(due.length).toBe(before)
  schedules.close()
})

test('an unsound expression is refused by name of its group', () => {
  const schedules = createSchedules(() => undefined)
  expect(() => schedules.set([{ group: 'web', expression: 'never' }])).toThrow('the schedule of group web')
  schedules.close()
})
