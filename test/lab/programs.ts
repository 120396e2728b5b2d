/**
 * The small programs that run inside the lab. They are handed to `node -e` as text, so each function may use its
 * parameters only: nothing of this module exists where it runs.
 */
import type * as dgram from 'node:dgram'

/** Answers every datagram on the port with its own name behind the datagram, over IPv4 and IPv6. */
function answer(require: NodeJS.Require, name: string, port: number): void {
  const { createSocket } = require('node:dgram') as typeof dgram
  const socket = createSocket({ type: 'udp6', reuseAddr: true })
  socket.on('error', () => undefined)
  socket.on('message', (text, from) => socket.send(`${text.toString()} ${name}`, from.port, from.address))
  socket.bind(port, '::', () => process.stdout.write('ready\n'))
}

/** Asks the address every `everyMs` and writes one line for each answer: wall time in ms, time it was asked, who answered. */
function ask(require: NodeJS.Require, address: string, port: number, everyMs: number): void {
  const { createSocket } = require('node:dgram') as typeof dgram
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const now = (): number => performance.timeOrigin + performance.now()
  let lines = ''
  let dueMs = performance.now()
  socket.on('error', () => undefined)
  socket.on('message', (text) => {
    const [askedAt = '', name = ''] = text.toString().split(' ')
    lines += `${now().toFixed(2)} ${askedAt} ${name}\n`
  })
  socket.bind(0, () => {
    process.stdout.write('ready\n')
    setInterval(() => {
      // A late timer makes up for what it missed, but not for more than a moment: this is a probe, no flood.
      dueMs = Math.max(dueMs, performance.now() - 20)
      for (; dueMs <= performance.now(); dueMs += everyMs) socket.send(now().toFixed(2), port, address, () => undefined)
    }, 1)
    setInterval(() => {
      if (lines !== '') process.stdout.write(lines)
      lines = ''
    }, 20)
  })
}

export const answerPort = 7777

function words(program: (require: NodeJS.Require, ...rest: never[]) => void, ...args: readonly (string | number)[]): string[] {
  return [process.execPath, '-e', `(${program.toString()})(require, ${args.map((arg) => JSON.stringify(arg)).join(', ')})`]
}

export function answerWords(name: string): string[] {
  return words(answer, name, answerPort)
}

export function askWords(address: string, everyMs: number): string[] {
  return words(ask, address, answerPort, everyMs)
}
