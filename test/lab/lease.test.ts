/** Lifetimes of addresses with real daemons: what hangs loses its addresses by the kernel's clock. */
import { expect, test } from 'vitest'
import { sleep, waitFor, type Host } from './hosts.ts'
import { testWith } from './needs.ts'
import { ip, openPair } from './pair.ts'

const timing = { keepaliveMs: 500, deadtimeMs: 5_000, initdeadMs: 5_000 }
/** floor(0.98 * deadtime - 1 s - 50 ms - keepalive) (design.md section 5), and what the kernel's timer may be late. */
const leaseMs = 3_000
const kernelTimerMs = 1_000

async function lifetimeOf(host: Host): Promise<string> {
  return /valid_lft (\S+)/.exec(await host.must(`ip -o address show to ${ip}`))?.[1] ?? ''
}

test('the daemon of the holder hangs: its address is gone within the lease, the peer acquires, and nothing comes back when it wakes', async () => {
  const pair = await openPair({ timing, autoFailback: 'off' })
  const daemons = await pair.startBoth()
  expect(await lifetimeOf(pair.alpha)).toMatch(/^[123]sec$/)
  await sleep(2 * leaseMs)
  expect(pair.lab.tenures(ip), 'it was renewed all the time').toHaveLength(1)
  const stopMs = Date.now()
  daemons.alpha.kill('SIGSTOP')
  await pair.untilHeldBy(pair.beta, ip, 20_000)
  const [first] = pair.lab.tenures(ip)
  expect((first?.toMs ?? Infinity) - stopMs).toBeLessThan(leaseMs + kernelTimerMs)
  daemons.alpha.kill('SIGCONT')
  await pair.untilStatus(pair.alpha, 'sees that the peer holds', ({ groups }) => groups[0]?.holder === 'beta', 20_000)
  await pair.expectHolder(pair.beta)
  expect(pair.lab.tenures(ip).map((tenure) => tenure.host)).toEqual(['alpha', 'beta'])
}, 90_000)

test('the ip child of the holder hangs: it is killed, and the address stands or is put back with a lifetime', async () => {
  const pair = await openPair({ timing, autoFailback: 'off' })
  await pair.startBoth()
  await pair.alpha.must("kill -STOP $(pgrep -f '^ip -force')")
  const childIsBack = async (): Promise<true | undefined> => {
    const stopped = await pair.alpha.exec("ps -eo stat=,args= | grep '^T.*ip -force'")
    return stopped.code === 1 ? true : undefined
  }
  await waitFor('the stopped child is gone', childIsBack, 20_000, 200)
  await sleep(2 * leaseMs)
  await pair.untilHeldBy(pair.alpha, ip, 20_000)
  expect(await lifetimeOf(pair.alpha)).toMatch(/^[123]sec$/)
  await pair.expectHolder(pair.alpha)
}, 90_000)

testWith(['arping'], 'another host answers for the address: told with its hardware address, and counted', async () => {
  const pair = await openPair({ timing, autoFailback: 'off' })
  await pair.startBoth()
  await sleep(2_500)
  const hardware = /link\/ether (\S+)/.exec(await pair.beta.must('ip -o link show eth0'))?.[1] ?? ''
  await pair.beta.must(`ip address add ${ip}/24 dev eth0; arping -q -U -c 1 -I eth0 ${ip}; ip address del ${ip}/24 dev eth0`)
  const told = await pair.untilEvent(pair.alpha, 'address-contested')
  expect(told.message).toContain(hardware)
  expect(told.figures).toMatchObject({ ip, hardwareAddress: hardware, count: 1 })
}, 60_000)
