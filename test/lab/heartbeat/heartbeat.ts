/** A real Heartbeat 3.0.6, as Debian has it, on a host of the lab: started, asked and stopped as its administrators do. */
import { heartbeatProgram, lacksHeartbeat, prepareHeartbeat } from '../heartbeat.ts'
import { waitFor, type Host } from '../hosts.ts'

const program = heartbeatProgram ?? ''
const tools = '/usr/share/heartbeat'
const logPath = '/var/log/ha-log'

export type Class = 'all' | 'local' | 'foreign'
export type Holding = Class | 'none' | 'transition'

/** Why its tests cannot run here; undefined: they can. */
export function heartbeatMissing(): string | undefined {
  const missing = lacksHeartbeat()
  return missing.length === 0 ? undefined : `without ${missing.join(' and ')}`
}

export interface Heartbeat {
  readonly host: Host
  start(): Promise<void>
  /** In order; returns when it has ended. */
  stop(): Promise<void>
  isRunning(): Promise<boolean>
  /** All of its processes at once, which leaves everything else as it is. */
  kill(): Promise<void>
  standby(what?: Class): Promise<void>
  takeover(what?: Class | 'failback'): Promise<void>
  /** Asks the other node for a group, as one in legacy mode does. */
  request(key: string): Promise<void>
  holding(): Promise<Holding>
  /** What it says of a node's status. */
  nodeStatus(node: string): Promise<string>
  untilHolding(what: Holding, timeoutMs?: number): Promise<void>
  log(): string
  /** Lines of its log of these levels since `from`, a length of the log. */
  complaints(from?: number): readonly string[]
}

/** Lines of ha.cf that only a Heartbeat needs. No real time: it must not starve the tests. */
export const heartbeatLines: readonly string[] = [`logfile ${logPath}`, 'logfacility none', 'realtime false']

export function heartbeatOn(host: Host): Heartbeat {
  const cl = async (...words: string[]): Promise<string> => (await host.exec(['cl_status', ...words])).stdout.trim()
  const log = (): string => {
    try {
      return host.read(logPath)
    } catch {
      return ''
    }
  }
  const heartbeat: Heartbeat = {
    host, log,
    start: async () => {
      await prepareHeartbeat(host)
      const from = log().length
      await host.must(`ulimit -c 0; ulimit -l unlimited 2>/dev/null; ${program} </dev/null >>/var/log/ha-start 2>&1`, { timeoutMs: 30_000 })
      await waitFor(`a Heartbeat on ${host.name}`, () => /heartbeat: version|Heartbeat generation/.test(log().slice(from)) || undefined, 15_000)
    },
    stop: async () => {
      await host.must(`${program} -k >>/var/log/ha-start 2>&1`, { timeoutMs: 60_000 })
    },
    isRunning: async () => (await host.exec(`${program} -s`)).code === 0,
    kill: async () => {
      await host.must('pid=$(tr -d " " < /run/heartbeat.pid); kill -KILL $pid $(cat /proc/$pid/task/$pid/children); rm /run/heartbeat.pid')
    },
    standby: async (what = 'all') => {
      await host.must([`${tools}/hb_standby`, what])
    },
    takeover: async (what = 'all') => {
      await host.must([`${tools}/hb_takeover`, what])
    },
    request: async (key) => {
      await host.must([`${tools}/req_resource`, key])
    },
    holding: async () => (await cl('rscstatus')) as Holding,
    nodeStatus: (node) => cl('nodestatus', node),
    untilHolding: async (what, timeoutMs = 30_000) => {
      let last = ''
      await waitFor(`Heartbeat on ${host.name} holds ${what}`, async () => (last = await heartbeat.holding()) === what || undefined, timeoutMs, 200).catch((error: unknown) => {
        throw new Error(`${String(error)}; it holds ${last}`)
      })
    },
    complaints: (from = 0) => log().slice(from).split('\n').filter((line) => /(WARN|ERROR|CRIT):/.test(line)),
  }
  return heartbeat
}
