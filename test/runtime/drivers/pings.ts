import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { openPings, type Pings } from '../../../src/runtime/pings.ts'
import type { PingTarget } from '../../../src/core/config.ts'
import { runDriver, sh, sleep, until } from './scenario.ts'

interface Watch { readonly told: string[]; readonly notices: string[]; readonly pings: Pings; last(name: string): string | undefined }

function watch(targets: readonly PingTarget[], deadpingMs = 1_000, intervalMs = 100): Watch {
  const told: string[] = []
  const notices: string[] = []
  const pings = openPings({ targets, intervalMs, deadpingMs }, {
    onChange: (name, reachable) => told.push(`${name} ${reachable ? 'answers' : 'silent'}`),
    onNotice: ({ message }) => notices.push(message),
  })
  return { told, notices, pings, last: (name) => told.findLast((line) => line.startsWith(`${name} `))?.split(' ')[1] }
}

const node = (name: string, ...addresses: string[]): PingTarget => ({ name, addresses: addresses.length === 0 ? [name] : addresses })
const cable = (state: string): string => sh(`ip -n beta link set eth0 ${state}`)
const children = (): number[] => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).map(Number).filter((pid) => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'ping\n' && !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
})

/** The first process of a namespace cannot be stopped: it starts this driver again as its child. */
if (process.pid === 1) process.exit(spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit' }).status ?? 1)

await runDriver({
  async 'answers and silence'() {
    // A cable that is a second old carries no IPv6 yet.
    await until(() => !/tentative/.test(sh('ip -n beta -6 addr show dev eth0; ip -6 addr show dev eth0')), 10_000)
    const { told, notices, pings, last } = watch([node('192.0.2.2'), node('2001:db8::2'), node('192.0.2.77')])
    await until(() => last('192.0.2.2') === 'answers' && last('2001:db8::2') === 'answers' && last('192.0.2.77') === 'silent', 10_000)
    pings.close()
    return { told: [...told].sort(), notices, gone: await until(() => children().length === 0) }
  },
  async 'cable'() {
    const { told, pings, last } = watch([node('gate', '192.0.2.2')])
    await until(() => last('gate') === 'answers')
    cable('down')
    await until(() => last('gate') === 'silent')
    cable('up')
    const back = await until(() => last('gate') === 'answers', 10_000)
    pings.close()
    return { told, back }
  },
  // One address of a group is enough, whichever.
  async 'group'() {
    sh('ip -n beta addr add 192.0.2.3/24 dev eth0')
    const { told, pings, last } = watch([node('routers', '192.0.2.2', '192.0.2.3')])
    await until(() => last('routers') === 'answers')
    sh('ip -n beta addr add 192.0.2.4/24 dev eth0; ip -n beta addr del 192.0.2.3/24 dev eth0')
    await sleep(2_000)
    const oneLeft = [...told]
    sh('ip -n beta addr flush dev eth0')
    await until(() => last('routers') === 'silent')
    pings.close()
    return { oneLeft, told }
  },
  async 'killed child'() {
    const { told, notices, pings, last } = watch([node('gate', '192.0.2.2')])
    await until(() => last('gate') === 'answers')
    const [first = 0] = children()
    process.kill(first, 'SIGKILL')
    const another = await until(() => children().length === 1 && children()[0] !== first)
    await sleep(1_500)
    pings.close()
    return { told, notices, another }
  },
  async 'unknown host'() {
    const { told, notices, pings, last } = watch([node('no-such-host.invalid')], 500)
    await until(() => last('no-such-host.invalid') === 'silent', 15_000)
    pings.close()
    return { told, notices, gone: await until(() => children().length === 0) }
  },
  async 'no ping'() {
    sh('mount --bind /dev/null "$(command -v ping)"')
    const { notices, pings } = watch([node('192.0.2.2')])
    await until(() => notices.length > 0)
    pings.close()
    return { notices }
  },
  // This process alone is stopped for three times deadping; its children go on and the answers wait in the pipe.
  async 'stopped daemon'() {
    const { told, pings, last } = watch([node('gate', '192.0.2.2')], 700)
    await until(() => last('gate') === 'answers')
    spawn('/bin/sh', ['-c', `sleep 0.2; kill -STOP ${process.pid}; sleep 2; kill -CONT ${process.pid}`], { stdio: 'ignore' })
    await sleep(3_000)
    pings.close()
    return { told }
  },
  // All of this host is stopped: the children, too.
  async 'stopped host'() {
    const { told, pings, last } = watch([node('gate', '192.0.2.2')], 700)
    await until(() => last('gate') === 'answers')
    const pids = [...children(), process.pid].join(' ')
    spawn('/bin/sh', ['-c', `sleep 0.2; kill -STOP ${pids}; sleep 2; kill -CONT ${process.pid}; sleep 0.4; kill -CONT ${pids}`], { stdio: 'ignore' })
    await sleep(3_500)
    pings.close()
    return { told }
  },
  // The node went away while this process was stopped: answers from before that are no news.
  async 'stopped and lost'() {
    const { told, pings, last } = watch([node('gate', '192.0.2.2')], 700)
    await until(() => last('gate') === 'answers')
    spawn('/bin/sh', ['-c', `sleep 0.2; kill -STOP ${process.pid}; sleep 0.5; ip -n beta link set eth0 down; sleep 2; kill -CONT ${process.pid}`], { stdio: 'ignore' })
    await sleep(1_000)
    const early = [...told]
    const silent = await until(() => last('gate') === 'silent')
    pings.close()
    return { early, told, silent }
  },
  // A child that was stopped says nothing; it is replaced.
  async 'stopped child'() {
    const { told, pings, last } = watch([node('gate', '192.0.2.2')], 500)
    await until(() => last('gate') === 'answers')
    process.kill(children()[0] ?? 0, 'SIGSTOP')
    await until(() => last('gate') === 'silent')
    const back = await until(() => last('gate') === 'answers', 15_000)
    pings.close()
    return { told, back }
  },
  // What an idle ping node costs: processor time of the child and of this process, in ms, over ten seconds.
  async 'cost'() {
    const { pings, last } = watch([node('gate', '192.0.2.2')], 30_000, 1_000)
    await until(() => last('gate') === 'answers')
    const [child = 0] = children()
    const ticks = (pid: number): number => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13).map(Number).reduce((a, b) => a + b) ?? 0
    const before = process.cpuUsage()
    const childBefore = ticks(child)
    await sleep(10_000)
    const after = process.cpuUsage(before)
    const result = {
      daemonMs: (after.user + after.system) / 1_000, childMs: (ticks(child) - childBefore) * 10,
      childKiB: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1]),
      childPrivate: execFileSync('sh', ['-c', `grep -E 'Private_Dirty' /proc/${child}/smaps_rollup`], { encoding: 'utf8' }).trim(),
    }
    pings.close()
    return result
  },
})
