/** The lab itself tells the truth: without that no other test here says anything. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLab, sleep, waitFor, type Lab } from './hosts.ts'
import { testWith } from './needs.ts'
import { overlapMs, unheldMs } from './truth.ts'

const ip = '192.0.2.100'
let lab: Lab

beforeAll(async () => {
  lab = await openLab({ secondLink: true })
})
afterAll(() => lab.close())

test('a host has its own name, processes and files, and loses /run but not /var with its power', async () => {
  const alpha = lab.host('alpha')
  alpha.write('/var/lib/hactl/kept', 'yes')
  alpha.write('/run/hactl/lost', 'yes')
  alpha.write('/etc/ha.d/ha.cf', '# alpha')
  expect(await alpha.must('uname -n; readlink /proc/1/exe')).toMatch(/^alpha\n.*bash\n$/)
  expect((await lab.host('beta').exec('cat /etc/ha.d/ha.cf')).code).not.toBe(0)
  await alpha.powerOff()
  await alpha.powerOn()
  expect((await alpha.exec('ls /run/hactl/lost')).code).not.toBe(0)
  expect(alpha.read('/var/lib/hactl/kept') + alpha.read('/etc/ha.d/ha.cf')).toBe('yes# alpha')
})

test('the kernel is asked who has an address, and two holders are seen', async () => {
  const [alpha, beta] = [lab.host('alpha'), lab.host('beta')]
  const startMs = Date.now()
  await alpha.must(`ip address add ${ip}/24 dev eth0`)
  await beta.must(`ip address add ${ip}/32 dev eth0`)
  expect(await lab.holders(ip)).toEqual(['alpha', 'beta'])
  await sleep(100)
  await alpha.must(`ip address del ${ip}/24 dev eth0`)
  await waitFor('the end of the overlap', () => lab.tenures(ip)[0]?.toMs)
  const seenMs = lab.overlapMs(ip)
  expect(seenMs).toBeGreaterThan(90)
  expect(seenMs).toBeLessThan(Date.now() - startMs)
  await beta.powerOff()
  expect(lab.tenures(ip).map((tenure) => [tenure.host, tenure.toMs !== undefined])).toEqual([['alpha', true], ['beta', true]])
  await beta.powerOn()
  expect(await lab.holders(ip)).toEqual([])
})

testWith(['arping'], 'the probe notes who answered and for how long nobody did', async () => {
  const [alpha, beta] = [lab.host('alpha'), lab.host('beta')]
  const startMs = Date.now()
  await alpha.must(`ip address add ${ip}/24 dev eth0`)
  const probe = await lab.probe(ip)
  await probe.firstAnswerOf('alpha', startMs)
  await alpha.powerOff()
  await sleep(300)
  await beta.must(`ip address add ${ip}/24 dev eth0; arping -q -U -c 1 -I eth0 ${ip} & sleep 0.2`)
  await probe.firstAnswerOf('beta', startMs)
  const gap = await probe.longestGap(startMs)
  expect([gap.before, gap.after]).toEqual(['alpha', 'beta'])
  expect(gap.ms).toBeGreaterThan(290)
  expect(gap.ms).toBeLessThan(5_000)
  probe.stop()
  await beta.must(`ip address del ${ip}/24 dev eth0`)
  await alpha.powerOn()
})

testWith(['nft', 'ping'], 'cables, cuts in one direction, losses and the second link do what their names say', async () => {
  const [alpha, beta] = [lab.host('alpha'), lab.host('beta')]
  const heard = async (to: string): Promise<boolean> => (await alpha.exec(`ping -c 2 -i 0.1 -W 0.3 ${to}`)).code === 0
  expect(await heard(beta.address)).toBe(true)
  expect(await heard(beta.secondAddress)).toBe(true)
  expect((await alpha.exec(`ping -6 -c 1 -W 1 ${beta.address6}`)).code).toBe(0)
  await lab.cutOneWay('beta', 'alpha', 0)
  expect(await heard(beta.address)).toBe(false)
  expect(await heard(beta.secondAddress)).toBe(true)
  const before = await beta.must('cat /sys/class/net/eth0/statistics/rx_packets')
  expect(await heard(beta.address)).toBe(false)
  expect(Number(await beta.must('cat /sys/class/net/eth0/statistics/rx_packets'))).toBeGreaterThan(Number(before))
  await lab.heal()
  await lab.lose('alpha', 'beta', 50)
  const received = Number(/(\d+) received/.exec((await alpha.exec(`ping -c 100 -i 0.01 -W 0.1 ${beta.address}`)).stdout)?.[1])
  expect(received).toBeGreaterThan(5)
  expect(received).toBeLessThan(60)
  await lab.heal()
  await lab.cable('beta', 'down')
  expect(await beta.must('cat /sys/class/net/eth0/carrier')).toBe('0\n')
  expect(await heard(beta.address)).toBe(false)
  await lab.cable('beta', 'up')
  await waitFor('the cable is back', async () => (await heard(beta.address)) || undefined)
})

test('a program that outlives its parent ends with its host', async () => {
  const beta = lab.host('beta')
  const running = await beta.start('left', ['bash', '-c', 'sleep 1000 & sleep 1000'])
  expect(running.isRunning()).toBe(true)
  await beta.powerOff()
  await running.ended
  expect(running.isRunning()).toBe(false)
  await beta.powerOn()
})

const tenures = [{ host: 'alpha', fromMs: 100, toMs: 200 }, { host: 'beta', fromMs: 180, toMs: 300 }, { host: 'alpha', fromMs: 350 }]

test('overlaps and holes are summed between two instants', () => {
  expect(overlapMs(tenures, 0, 1_000)).toBe(20)
  expect(overlapMs(tenures, 190, 1_000)).toBe(10)
  expect(unheldMs(tenures, 100, 1_000)).toBe(50)
  expect(unheldMs(tenures, 0, 400)).toBe(150)
  expect(unheldMs([], 0, 400)).toBe(400)
})
