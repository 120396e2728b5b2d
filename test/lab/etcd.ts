/**
 * Real etcd for tests: one member or three, each on a host of the lab or on this machine's loopback. A host's /var outlives
 * its power, so a member that lost it can be started again with what it knew.
 */
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host, Running } from './hosts.ts'
import { cleanEnvironment, run, waitFor, type Ran, type RunOptions } from './sandbox.ts'

/** Where one member runs. */
export interface EtcdPlace {
  readonly name: string
  readonly address: string
  readonly dir: string
  /** For clients and for the other members; free. */
  readonly ports: readonly [number, number]
  exec(command: readonly string[], options?: RunOptions): Promise<Ran>
  start(logName: string, command: readonly string[], env?: Readonly<Record<string, string>>): Promise<Running>
  forget(): void
}

/** A host of the lab, where `/var` is its own. */
export function onHost(host: Host, ports: readonly [number, number] = [2379, 2380]): EtcdPlace {
  return {
    name: host.name, address: host.address, dir: `/var/lib/etcd-${ports[0]}`, ports,
    exec: (command, options) => host.exec(command, options),
    start: (logName, command, env) => host.start(logName, command, env),
    forget: () => undefined,
  }
}

/** This machine's loopback: for tests that speak to etcd themselves. */
export async function onLoopback(name: string): Promise<EtcdPlace> {
  const dir = mkdtempSync(join(tmpdir(), 'hactl-etcd-'))
  return {
    name, dir, address: '127.0.0.1', ports: [await freePort(), await freePort()],
    exec: run,
    start: (logName, command, env) => Promise.resolve(startHere(join(dir, `${logName}.log`), command, env)),
    forget: () => rmSync(dir, { recursive: true, force: true }),
  }
}

export interface EtcdTls { readonly caFile: string; readonly certificateFile: string; readonly keyFile: string; readonly client: { readonly certificateFile: string; readonly keyFile: string } }

export interface EtcdOptions {
  /** With client certificates asked for. */
  readonly tls?: EtcdTls
  /** More words for each member: `--quota-backend-bytes=20000000`. */
  readonly flags?: readonly string[]
}

export interface EtcdMember {
  readonly name: string
  readonly endpoint: string
  readonly place: EtcdPlace
  /** After `kill`, or after its host's power is back, with the data it had. */
  start(): Promise<void>
  /** SIGKILL ends it, SIGSTOP makes it hang, SIGCONT ends that. */
  kill(signal: NodeJS.Signals): void
  log(): string
}

export interface Etcd {
  readonly members: readonly EtcdMember[]
  readonly endpoints: readonly string[]
  /** etcdctl against all members, from the first one's place; throws unless it exits 0. */
  ctl(...words: readonly string[]): Promise<string>
  leader(): Promise<EtcdMember>
  close(): Promise<void>
}

/** Healthy when it returns. */
export async function startEtcd(places: readonly EtcdPlace[], options: EtcdOptions = {}): Promise<Etcd> {
  const scheme = options.tls === undefined ? 'http' : 'https'
  const endpoints = places.map(({ address, ports }) => `${scheme}://${address}:${ports[0]}`)
  const cluster = places.map(({ name, address, ports }) => `${name}=http://${address}:${ports[1]}`).join(',')
  const members = places.map((place, index) => makeMember(place, endpoints[index] ?? '', cluster, options))
  const [first] = places
  if (first === undefined) throw new Error('an etcd of no members')
  const control = async (endpoint: string, words: readonly string[]): Promise<Ran> => {
    const certificates = options.tls === undefined ? [] : ['--cacert', options.tls.caFile, '--cert', options.tls.client.certificateFile, '--key', options.tls.client.keyFile]
    return first.exec(['etcdctl', '--endpoints', endpoint, ...certificates, ...words], { env: { ETCDCTL_API: '3' }, timeoutMs: 30_000 })
  }
  await Promise.all(members.map((member) => member.start()))
  await waitFor('a healthy etcd', async () => ((await control(endpoints.join(','), ['endpoint', 'health'])).code === 0 ? true : undefined), 30_000, 50)
  return {
    members, endpoints,
    ctl: async (...words) => {
      const ran = await control(endpoints.join(','), words)
      if (ran.code !== 0) throw new Error(`etcdctl ${words.join(' ')}: exit code ${ran.code}: ${ran.stderr}${ran.stdout}\n${members[0]?.log().slice(-2_000) ?? ''}`)
      return ran.stdout
    },
    leader: () => waitFor('the leader of etcd', async () => {
      for (const member of members) {
        const ran = await control(member.endpoint, ['endpoint', 'status', '--write-out', 'fields', '--dial-timeout', '1s', '--command-timeout', '1s'])
        const [id, leader] = [/"MemberID" : (\d+)/.exec(ran.stdout)?.[1], /"Leader" : (\d+)/.exec(ran.stdout)?.[1]]
        if (id !== undefined && id === leader) return member
      }
      return undefined
    }),
    close: async () => {
      for (const member of members) member.kill('SIGKILL')
      await Promise.resolve()
      for (const place of places) place.forget()
    },
  }
}

function makeMember(place: EtcdPlace, endpoint: string, cluster: string, { tls, flags = [] }: EtcdOptions): EtcdMember {
  const { name, address, ports: [, peerPort], dir } = place
  const peerUrl = `http://${address}:${peerPort}`
  const certificates = tls === undefined ? [] : ['--cert-file', tls.certificateFile, '--key-file', tls.keyFile, '--trusted-ca-file', tls.caFile, '--client-cert-auth']
  const words = ['etcd', '--name', name, '--data-dir', `${dir}/data`, '--listen-client-urls', endpoint, '--advertise-client-urls', endpoint, '--listen-peer-urls', peerUrl,
    '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', cluster, '--initial-cluster-token', 'hactl-tests', ...certificates, ...flags]
  let running: Running | undefined
  return {
    name, endpoint, place,
    start: async () => { running = await place.start(`etcd-${peerPort}`, words) },
    kill: (signal) => running?.kill(signal),
    log: () => running?.log() ?? '',
  }
}

/** Ends with this process, however that ends. */
function startHere(logPath: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  mkdirSync(join(logPath, '..'), { recursive: true })
  const log = openSync(logPath, 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', log, log], env: cleanEnvironment(env) })
  closeSync(log)
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    pid: child.pid ?? 0, logPath, isRunning,
    ended: new Promise((settle) => child.once('exit', (code, signal) => settle({ code, signal }))),
    log: () => readFileSync(logPath, 'utf8'),
    kill: (signal = 'SIGTERM') => {
      if (isRunning()) child.kill(signal)
    },
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
