import { openServiceNotify, watchdogIntervalMs } from '../../../src/runtime/service-notify.ts'
import { receiveDatagrams } from './receiver.ts'
import { runDriver, sleep, until } from './scenario.ts'

async function conversation(path: string): Promise<Record<string, unknown>> {
  const receive = receiveDatagrams(path)
  Object.assign(process.env, { NOTIFY_SOCKET: path, WATCHDOG_USEC: '10000000', WATCHDOG_PID: String(process.pid) })
  const failures: string[] = []
  const notify = openServiceNotify((message) => failures.push(message))
  const received: string[] = []
  const wait = (count: number): Promise<boolean> => until(() => {
    received.push(...receive())
    return received.length >= count
  })
  notify.send('ready', 'holds web\non eth0')
  await wait(1)
  notify.watchdog()
  await wait(2)
  notify.send('reloading')
  await wait(3)
  notify.status('peer dead')
  await wait(4)
  notify.send('stopping')
  await wait(5)
  const now = Number(process.hrtime.bigint() / 1_000n)
  const reloaded = Number(/MONOTONIC_USEC=(\d+)/.exec(received[2] ?? '')?.[1])
  return {
    received: received.map((text) => text.replace(/MONOTONIC_USEC=\d+/, 'MONOTONIC_USEC=<now>').trim()), failures,
    fresh: now - reloaded > 0 && now - reloaded < 10_000_000,
    intervalMs: watchdogIntervalMs(), environment: [process.env['NOTIFY_SOCKET'], process.env['WATCHDOG_USEC']].map(String),
  }
}

await runDriver({
  path: () => conversation('/run/notify.sock'),
  abstract: () => conversation('@hactl-test'),
  async burst() {
    const receive = receiveDatagrams('/run/notify.sock')
    process.env['NOTIFY_SOCKET'] = '/run/notify.sock'
    const failures: string[] = []
    const notify = openServiceNotify((message) => failures.push(message))
    const received: string[] = []
    notify.send('ready', 'starts')
    for (let count = 1; count <= 30; count += 1) notify.status(`count ${count}`)
    notify.watchdog()
    await until(() => {
      received.push(...receive().map((text) => text.trim()))
      return received.includes('WATCHDOG=1')
    })
    await sleep(100)
    received.push(...receive().map((text) => text.trim()))
    return { failures, first: received[0], end: received.slice(-2) }
  },
  async 'no-systemd'() {
    const failures: string[] = []
    const notify = openServiceNotify((message) => failures.push(message))
    notify.send('ready')
    notify.watchdog()
    await sleep(50)
    return { failures, interval: watchdogIntervalMs() === undefined }
  },
  async 'nobody-listens'() {
    process.env['NOTIFY_SOCKET'] = '/run/nobody.sock'
    const failures: string[] = []
    openServiceNotify((message) => failures.push(message)).send('ready')
    await until(() => failures.length > 0)
    return { failures }
  },
})
