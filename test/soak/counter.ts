/**
 * A service that counts, and clients that write to it: every answer says which run of which host took the write, and when
 * it came. All hosts of the lab share one clock, so two runs that took writes at the same time are seen for certain.
 */
import { readFileSync } from 'node:fs'
import type { Host, Running } from '../lab/hosts.ts'
import { waitFor } from '../lab/sandbox.ts'

const port = 7788

/** A program that answers each write with its host, its run and the time. */
const service = `const { createSocket } = require('node:dgram')
const { hostname } = require('node:os')
const socket = createSocket('udp4')
const run = process.pid + '-' + Date.now()
let count = 0
socket.on('message', (text, from) => {
  count += 1
  const atMs = performance.timeOrigin + performance.now()
  socket.send([text, hostname(), run, atMs.toFixed(3), count].join(' '), from.port, from.address)
})
socket.bind(${port})
`

function scriptText(node: string): string {
  return `#!/bin/bash
pidfile=/run/counter.pid
case "\${@: -1}" in
  start) [ -e $pidfile ] && kill -0 "$(cat $pidfile)" 2>/dev/null && exit 0
    setsid ${node} /etc/ha.d/counter.cjs </dev/null >/dev/null 2>&1 & echo $! > $pidfile ;;
  stop) [ -e $pidfile ] && kill -9 "$(cat $pidfile)" 2>/dev/null; rm -f $pidfile ;;
  status) [ -e $pidfile ] && kill -0 "$(cat $pidfile)" 2>/dev/null || exit 3 ;;
esac
exit 0
`
}

export function installCounter(hosts: readonly Host[]): void {
  for (const host of hosts) {
    host.write('/etc/ha.d/counter.cjs', service)
    host.write('/etc/ha.d/resource.d/counter', scriptText(process.execPath), 0o755)
  }
}

/** Writes a number of its own every few ms until it is killed, and keeps every answer. */
export async function startWriter(client: Host, name: string, ip: string): Promise<Running> {
  const program = `const { createSocket } = require('node:dgram'); const socket = createSocket('udp4'); let id = 0; let lines = ''
socket.on('message', (text) => { lines += text + '\\n' })
socket.on('error', () => {})
socket.bind(0, () => { console.log('ready'); setInterval(() => { id += 1; socket.send('${name}-' + id, ${port}, '${ip}', () => {}) }, 4); setInterval(() => { if (lines) process.stdout.write(lines); lines = '' }, 50) })`
  const writer = await client.start(`writer-${name}`, [process.execPath, '-e', program])
  await waitFor(`the writer ${name}`, () => writer.log().includes('ready') || undefined)
  return writer
}

export interface Taken { readonly id: string; readonly host: string; readonly run: string; readonly atMs: number }

export function takenBy(writers: readonly Running[]): readonly Taken[] {
  return writers.flatMap((writer) => readFileSync(writer.logPath, 'utf8').split('\n').flatMap((line) => {
    const [id, host, run, at] = line.split(' ')
    return id === undefined || host === undefined || run === undefined || at === undefined ? [] : [{ id, host, run, atMs: Number(at) }]
  }))
}

export interface Overlap { readonly one: string; readonly other: string; readonly ms: number }

/** Two hosts that took writes in turns: a write that the first took after one of the second's, while both were at it. */
export function overlaps(taken: readonly Taken[]): readonly Overlap[] {
  const sorted = [...taken].sort((one, other) => one.atMs - other.atMs)
  const found: Overlap[] = []
  for (let at = 1; at < sorted.length; at += 1) {
    const [before, now] = [sorted[at - 1], sorted[at]]
    if (before === undefined || now === undefined || before.host === now.host) continue
    // The first host must not take another write of the same stretch: one that goes on within the next second never let go.
    const later = sorted.slice(at + 1).find((one) => one.host === before.host && one.run === before.run && one.atMs < now.atMs + 1_000)
    if (later !== undefined) found.push({ one: `${before.host} ${before.id}`, other: `${now.host} ${now.id}`, ms: later.atMs - now.atMs })
  }
  return found
}

/** Writes that two hosts took: each number was sent once. */
export function takenTwice(taken: readonly Taken[]): readonly string[] {
  const first = new Map<string, string>()
  return taken.flatMap(({ id, host }) => {
    const before = first.get(id)
    first.set(id, host)
    return before !== undefined && before !== host ? [id] : []
  })
}
