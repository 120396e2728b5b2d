/**
 * Hosts that a real systemd runs, on one machine: containers of systemd-nspawn, each with a disk of its own over one image,
 * on one bridge inside one sandbox. `systemctl reboot`, power loss and a pulled cable are real. Needs root.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { repository, startMonitor, type RunOptions, type Ran } from '../lab/hosts.ts'
import { anchor, childrenOf, cleanEnvironment, enterWords, must, pidSeenFrom, run, sleep, waitFor } from '../lab/sandbox.ts'
import type { Anchor, Namespaces } from '../lab/sandbox.ts'
import { switchScript } from '../lab/scripts.ts'
import { overlapMs, tenuresOf, unheldMs, type AddressEvent, type Tenure } from '../lab/truth.ts'
import { makeCgroup, type OwnCgroup } from './cgroups.ts'

export interface Machine {
  readonly name: string
  /** On host0, the only cable. */
  readonly address: string
  isUp(): boolean
  /** How often it has come up by itself after `systemctl reboot`. */
  reboots(): number
  exec(command: readonly string[] | string, options?: RunOptions): Promise<Ran>
  /** Throws when the command fails; its standard output, without the last line end, otherwise. */
  must(command: readonly string[] | string, options?: RunOptions): Promise<string>
  /** A file of the running host. */
  read(inside: string): string
  write(inside: string, text: string, mode?: number): void
  /** Its disk, as this process can open it, also while it has no power. */
  readonly disk: string
  addresses(): Promise<readonly string[]>
  /** Pulls the cable first, as a dead machine sends no last packets, then kills everything in it. */
  powerOff(): Promise<void>
  powerOn(): Promise<void>
  untilReady(): Promise<void>
  consoleText(): string
}

export interface Machines {
  readonly machines: readonly Machine[]
  holders(ip: string): Promise<readonly string[]>
  tenures(ip: string): readonly Tenure[]
  overlapMs(ip: string): number
  unheldMs(ip: string, fromMs: number, toMs: number): number
  /** Runs in the network of the bridge, as a client would. */
  inSwitch(command: readonly string[] | string, options?: RunOptions): Promise<Ran>
  close(): Promise<void>
}

interface Shared {
  readonly base: Anchor
  readonly image: string
  readonly mountPoint: string
  /** The room for the disks, as this process sees it. */
  readonly dir: string
  readonly nsids: Map<number, string>
  readonly events: AddressEvent[]
}

interface Power {
  readonly nspawn: ChildProcess
  /** The init of the host. */
  inside?: Namespaces
}

const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--root', '--wd']
const bash = (command: readonly string[] | string): readonly string[] => (typeof command === 'string' ? ['bash', '--norc', '-c', command] : command)

export async function openMachines(image: string, names: readonly string[]): Promise<Machines> {
  const mountPoint = ['/srv', '/media', '/mnt', '/opt'].find((dir) => existsSync(dir) && ![image, repository].some((path) => path.startsWith(`${dir}/`))) ?? '/srv'
  const script = `${switchScript(mountPoint, repository, [0])}\nip address add 192.0.2.254/24 broadcast + dev bridge0`
  const base = await anchor(undefined, ['--mount-proc'], script, [])
  const shared: Shared = { base, image, mountPoint, dir: `/proc/${base.inside.pid}/root${mountPoint}`, nsids: new Map(), events: [] }
  const monitor = await startMonitor(shared)
  const cgroups = names.map((name) => makeCgroup(`hactl-soak-${process.env['HACTL_SOAK_ID'] ?? process.pid}-${name}`))
  const machines = names.map((name, index) => makeMachine(shared, name, index + 1, cgroups[index]!))
  const inSwitch = (command: readonly string[] | string, options?: RunOptions): Promise<Ran> => run(enterWords(base.inside, bash(command)), options)
  return {
    machines, inSwitch,
    holders: async (ip) => {
      const each = await Promise.all(machines.filter((one) => one.isUp()).map(async (one) => ((await one.addresses()).includes(ip) ? [one.name] : [])))
      return each.flat()
    },
    tenures: (ip) => tenuresOf(shared.events, ip),
    overlapMs: (ip) => overlapMs(tenuresOf(shared.events, ip), 0, Date.now()),
    unheldMs: (ip, fromMs, toMs) => unheldMs(tenuresOf(shared.events, ip), fromMs, toMs),
    close: async () => {
      monitor.kill('SIGKILL')
      await base.kill()
      for (const cgroup of cgroups) await removeSoon(cgroup)
    },
  }
}

/** What was killed a moment ago may still be counted. */
async function removeSoon(cgroup: OwnCgroup): Promise<void> {
  await waitFor(`the end of all in ${cgroup.directories.join(', ')}`, () => {
    try {
      cgroup.remove()
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') return undefined
      throw error
    }
  }, 5_000, 50)
}

/** Laid over the image; it outlives the power. */
function diskScript(shared: Shared, name: string, number: number): string {
  const own = `${shared.mountPoint}/disks/${name}`
  return `set -e
mkdir -p ${own}/upper ${own}/work ${own}/root
mount -t overlay -o 'lowerdir=${shared.image},upperdir=${own}/upper,workdir=${own}/work' lab ${own}/root
cd ${own}/root
echo ${name} > etc/hostname
systemd-id128 new > etc/machine-id
printf '127.0.0.1 localhost\\n192.0.2.1 alpha\\n192.0.2.2 beta\\n' > etc/hosts
printf '[Match]\\nName=host0\\n[Network]\\nAddress=192.0.2.${number}/24\\nLinkLocalAddressing=no\\n' > etc/systemd/network/10-host0.network`
}

/** The shell moves itself into the cgroup of the host and becomes nspawn. Words: the cgroup's directories. */
function bootScript(shared: Shared, name: string): string {
  return `for cgroup in "$@"; do echo 0 > "$cgroup/cgroup.procs" || exit 90; done
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --quiet --register=no --keep-unit --machine=${name} --hostname=${name} --directory=${shared.mountPoint}/disks/${name}/root \
  --network-bridge=bridge0 --console=pipe --boot </dev/null >>${shared.mountPoint}/logs/${name}-console 2>&1`
}

/** Exit status of nspawn when the host has rebooted. */
const rebooted = 133

function makeMachine(shared: Shared, name: string, number: number, cgroup: OwnCgroup): Machine {
  const inBase = (command: string): Promise<string> => must(enterWords(shared.base.inside, bash(command)))
  const disk = `${shared.dir}/disks/${name}/root`
  let power: Power | undefined
  let reboots = 0
  // Never a guess: a command that missed the host would run on the machine of the tests.
  const inside = (): Namespaces => {
    if (power?.inside === undefined || !existsSync(`/proc/${power.inside.pid}/ns/pid`)) throw new Error(`${name} has no power`)
    return power.inside
  }
  const losePower = (): void => {
    power = undefined
    for (const ip of new Set(shared.events.map((event) => event.ip))) shared.events.push({ atMs: Date.now(), host: name, what: 'removed', ip })
  }
  const boot = async (): Promise<void> => {
    const [program = '', ...args] = enterWords(shared.base.inside, ['bash', '--norc', '-c', bootScript(shared, name), 'bash', ...cgroup.directories])
    const nspawn = spawn(program, args, { stdio: 'ignore', env: cleanEnvironment() })
    const own: Power = { nspawn }
    power = own
    nspawn.once('exit', (code) => {
      losePower()
      if (code !== rebooted) return
      reboots += 1
      boot().catch((error: unknown) => console.error(`${name} does not come up again:`, error))
    })
    const leader = await waitFor(`the init of ${name}`, () => {
      if (nspawn.exitCode !== null) throw new Error(`systemd-nspawn ended with ${nspawn.exitCode}: ${machine.consoleText().slice(-2_000)}`)
      return leaderOf(nspawn.pid ?? 0)
    }, 20_000, 5)
    // The cable that nspawn has laid gave the network its number already.
    const named = await inBase(`ip netns del ${name} 2>/dev/null; ip netns attach ${name} ${pidSeenFrom(leader, 1)} && ip -j netns list`)
    const nsid = (JSON.parse(named) as readonly { readonly name: string; readonly id?: number }[]).find((one) => one.name === name)?.id
    if (nsid === undefined) throw new Error(`the network of ${name} has no number: ${named}`)
    shared.nsids.set(nsid, name)
    own.inside = { pid: leader, flags: namespaces }
  }
  const machine: Machine = {
    name, disk, address: `192.0.2.${number}`,
    isUp: () => power?.inside !== undefined,
    reboots: () => reboots,
    exec: (command, options) => run(enterWords(inside(), bash(command)), options),
    must: async (command, options) => (await must(enterWords(inside(), bash(command)), options)).trimEnd(),
    read: (file) => readFileSync(`/proc/${inside().pid}/root${file}`, 'utf8'),
    write: (file, text, mode = 0o644) => {
      mkdirSync(dirname(`${disk}${file}`), { recursive: true })
      writeFileSync(`${disk}${file}`, text, { mode })
    },
    addresses: async () => {
      const all = JSON.parse(await inBase(`ip -n ${name} -j address`)) as readonly { readonly addr_info?: readonly { readonly local?: string }[] }[]
      return all.flatMap((one) => one.addr_info ?? []).flatMap((info) => info.local ?? [])
    },
    powerOff: async () => {
      if (power === undefined) return
      const { nspawn } = power
      const leader = inside().pid
      const ended = new Promise<void>((resolve) => nspawn.once('exit', () => resolve()))
      await inBase(`ip link set vb-${name} down`)
      process.kill(leader, 'SIGKILL')
      await ended
    },
    powerOn: async () => {
      if (power !== undefined) throw new Error(`${name} has power already`)
      if (!existsSync(`${disk}/etc`)) await inBase(diskScript(shared, name, number))
      await boot()
      await machine.untilReady()
    },
    untilReady: async () => {
      await waitFor(`${name} is up`, async () => {
        if (!machine.isUp()) return undefined
        const state = await machine.exec(['systemctl', 'is-system-running']).catch(() => undefined)
        return ['running', 'degraded'].includes(state?.stdout.trim() ?? '') || undefined
      }, 60_000, 50)
    },
    consoleText: () => {
      const file = `${shared.dir}/logs/${name}-console`
      return existsSync(file) ? readFileSync(file, 'utf8') : ''
    },
  }
  return machine
}

/** The child of nspawn that is called systemd; its first child is a passing one. `entered` is the process that entered the sandbox. */
function leaderOf(entered: number): number | undefined {
  const comm = (pid: number): string => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
    } catch {
      return ''
    }
  }
  const nspawn = childrenOf(entered).find((pid) => comm(pid) === 'systemd-nspawn')
  return nspawn === undefined ? undefined : childrenOf(nspawn).find((pid) => comm(pid) === 'systemd')
}

export { sleep, waitFor }
