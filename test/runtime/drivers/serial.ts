import { spawn, type ChildProcess } from 'node:child_process'
import { writeSync } from 'node:fs'
import type { LinkConfig } from '../../../src/core/config.ts'
import { openGuardSockets } from '../../../src/runtime/guard-sockets.ts'
import { openLinks, type Links } from '../../../src/runtime/links.ts'
import { openSerialDevice } from '../../../src/runtime/serial-device.ts'
import { runDriver, sh, sleep, until } from './scenario.ts'

const baud = 115_200
const lineA: LinkConfig = { kind: 'serial', interface: '/run/ttyA', baud }
const lineB: LinkConfig = { kind: 'serial', interface: '/run/ttyB', baud }

/** `set`: how the terminals are before anybody opens them: as a login would have them. */
async function startCable(set = 'echo,icanon,opost,onlcr,icrnl'): Promise<ChildProcess> {
  const cable = spawn('socat', [`pty,${set.replaceAll(',', '=1,')}=1,link=/run/ttyA`, `pty,${set.replaceAll(',', '=1,')}=1,link=/run/ttyB`], { stdio: 'inherit' })
  await until(() => sh('ls /run').includes('ttyA') && sh('ls /run').includes('ttyB'))
  return cable
}

interface Opened { readonly links: Links; readonly packets: Buffer[]; readonly changes: string[] }

async function open(...configs: readonly LinkConfig[]): Promise<Opened> {
  const packets: Buffer[] = []
  const changes: string[] = []
  const links = await openLinks(configs, {
    onPacket: (_link, bytes) => packets.push(bytes),
    onChange: (link, status, reason) => changes.push(`${link} ${status}: ${reason}`),
  })
  return { links, packets, changes }
}

function frame(text: string, type = 'status'): Buffer {
  return Buffer.from(`>>>\nt=${type}\nsrc=${text}\nauth=1 00\n<<<\n`, 'latin1')
}

function heard({ packets }: Opened, text: string): boolean {
  return packets.some((packet) => packet.includes(`src=${text}\n`, 0, 'latin1'))
}

/** Every byte that a value of the classic framing can have, but those that a Heartbeat's line leaves out. */
function everyByte(): string {
  return Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((letter) => !'\0\n\r'.includes(letter)).join('')
}

await runDriver({
  async conversation() {
    await startCable()
    const a = await open({ kind: 'bcast', interface: 'eth0', port: 694 }, lineA)
    const b = await open(lineB)
    const odd = everyByte()
    a.links.send(frame(odd))
    const there = await until(() => heard(b, odd))
    b.links.send(frame('answer'))
    const back = await until(() => heard(a, 'answer'))
    return { names: a.links.names, heard: there && back, exact: b.packets[0]?.equals(frame(odd)), changes: [...a.changes, ...b.changes] }
  },
  async noise() {
    await startCable()
    const a = await open(lineA)
    const raw = await openSerialDevice('/run/ttyB', baud, { onBytes: () => undefined, onGone: () => undefined })
    raw.write(frame('before'))
    const before = await until(() => heard(a, 'before'))
    for (const noise of [Buffer.from('\x00\xff\xfe garbage >>>\nt=sta', 'latin1'), frame('cut').subarray(0, 17)]) raw.write(noise)
    raw.write(Buffer.concat([Buffer.from('\n'), frame('after')]))
    return { before, after: await until(() => heard(a, 'after')) }
  },
  async unplugged() {
    const cable = await startCable()
    const a = await open(lineA)
    cable.kill('SIGKILL')
    const failed = await until(() => a.changes.length === 1)
    a.links.send(frame('nowhere'))
    sh('rm -f /run/ttyA /run/ttyB')
    await startCable()
    const reopened = await until(() => a.changes.length === 2)
    const b = await open(lineB)
    a.links.send(frame('again'))
    return { failed, reopened, heard: await until(() => heard(b, 'again')), changes: a.changes }
  },
  async full() {
    const cable = await startCable()
    const a = await open(lineA)
    // A cable that stands still: what is written stays in the buffers of the kernel until they are full.
    cable.kill('SIGSTOP')
    let longestMs = 0
    let sent = 0
    const told = await until(async () => {
      const beganMs = performance.now()
      for (let round = 0; round < 50; round += 1) a.links.send(frame(`${(sent += 1)}-${'x'.repeat(400)}`))
      a.links.send(frame(`other-${sent}`, 'resource'))
      longestMs = Math.max(longestMs, performance.now() - beganMs)
      await sleep(20)
      return a.changes.length > 0
    }, 15_000)
    a.links.send(frame('newest'))
    const b = await open(lineB)
    cable.kill('SIGCONT')
    const newest = await until(() => heard(b, 'newest'), 10_000)
    // Of thousands of statuses only those that had left before, and no more than a second's worth of the others.
    return { heldUp: longestMs > 2_000, newest, told, older: b.packets.length < 400 && sent > 1_000, changes: a.changes }
  },
  async 'not there'() {
    const a = await open({ ...lineA, interface: '/run/nothing' }, { ...lineA, interface: '/dev/null' })
    const atStart = [...a.changes]
    await startCable()
    sh('ln -s "$(readlink /run/ttyA)" /run/nothing')
    return { atStart: [...atStart].sort().reverse(), opened: await until(() => a.changes.includes('serial /run/nothing open: /run/nothing at 115200 baud')) }
  },
  async 'last packet'() {
    await startCable()
    const a = await open({ ...lineA, baud: 9_600 })
    const b = await open(lineB)
    // The line is busy for a third of a second with each of these.
    for (const text of ['one', 'two']) a.links.send(frame(`${text}-${'x'.repeat(300)}`, 'resource'))
    a.links.send(frame('goodbye', 'shutdone'))
    await a.links.close()
    return { heard: await until(() => heard(b, 'goodbye')) }
  },
  async guard() {
    await startCable()
    const a = await open(lineA)
    const b = await open(lineB)
    const { sockets, problems } = await openGuardSockets(a.links.outlets())
    await a.links.close()
    writeSync(sockets[0]?.fd ?? -1, frame('a will'))
    return { outlets: a.links.outlets().map(({ target }) => target), problems, heard: await until(() => heard(b, 'a will')) }
  },
})
