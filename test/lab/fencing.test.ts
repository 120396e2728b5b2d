/** The lab's own fencing device, which the tests of fencing rest on: it ends a host for real, also when no network reaches it. */
import { expect, onTestFinished, test } from 'vitest'
import { openLab, type Ran } from './hosts.ts'
import { openPowerSwitch, type PowerSwitch } from './power-switch.ts'

async function openSwitchedLab() {
  const lab = await openLab()
  const power = openPowerSwitch(lab)
  onTestFinished(async () => {
    power.close()
    await lab.close()
  })
  const [alpha, beta] = [lab.host('alpha'), lab.host('beta')]
  return { lab, power, alpha, beta, ask: (action: string): Promise<Ran> => alpha.exec([power.agent], { input: inputOf(power, action) }) }
}

function inputOf({ parameters }: PowerSwitch, action: string): string {
  return Object.entries({ ...parameters, action, plug: 'beta' }).map(([name, value]) => `${name}=${value}\n`).join('')
}

test('fence_lab switches the other host off, with all that runs there, though every cable is cut', async () => {
  const { lab, power, beta, ask } = await openSwitchedLab()
  expect(await ask('status')).toMatchObject({ code: 0, stdout: 'Status: ON\n' })
  await beta.must('ip address add 192.0.2.100/24 dev eth0')
  const running = await beta.start('sleep', ['sleep', '1000'])
  await lab.cutBothWays('alpha', 'beta')
  expect(await ask('off')).toMatchObject({ code: 0, stdout: 'Success: off beta\n' })
  expect(beta.isUp()).toBe(false)
  await running.ended
  expect(await lab.holders('192.0.2.100')).toEqual([])
  expect(await ask('status')).toMatchObject({ code: 2, stdout: 'Status: OFF\n' })
  expect(await ask('reboot')).toMatchObject({ code: 0 })
  expect(beta.isUp()).toBe(true)
  expect(await beta.addresses()).not.toContain('192.0.2.100')
  expect(power.done).toEqual(['off beta', 'reboot beta'])
})

test('a switch can be broken, or silent', async () => {
  const { power, alpha, beta, ask } = await openSwitchedLab()
  power.become('broken')
  expect(await ask('off')).toMatchObject({ code: 1, stdout: 'the switch is broken\n' })
  power.become('silent')
  expect((await alpha.exec(['timeout', '-s', 'TERM', '1', power.agent], { input: inputOf(power, 'off') })).code).not.toBe(0)
  expect(beta.isUp()).toBe(true)
  expect((await ask('metadata')).stdout).toContain('<action name="reboot"/>')
  expect(power.done).toEqual([])
})
