/** Packets and keys for the tests of this directory, and what only tests need: the netstring encoder and a random number generator. */
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { AuthMethod } from '../../src/core/config.ts'
import type { Facts, Packet } from '../../src/core/packet.ts'
import { encodePacket, type Sending } from '../../src/protocol/datagram.ts'
import type { Field } from '../../src/protocol/fields.ts'
import type { Keyring } from '../../src/protocol/signature.ts'

export function keyringOf(method: AuthMethod, key = method === 'crc' ? '' : 'secret', index = 1): Keyring {
  return { active: index, keys: [{ index, method, key }], allowCrc: method === 'crc' }
}

export const sha1 = keyringOf('sha1')
export const uuid = Uint8Array.from(Buffer.from('0a1b2c3d4e5f60718293a4b5c6d7e8f9', 'hex'))

export function sendingWith(keyring: Keyring, method?: AuthMethod): Sending {
  const own = keyring.keys.find(({ index }) => index === keyring.active)?.method ?? 'sha1'
  return { keyring, method: method ?? own, uuid, wallMs: 0x65f0d000 * 1000, load: '0.00 0.01 0.05 1/123 4567' }
}

export const facts: Facts = {
  dialogue: 1,
  confirms: { generation: 0x65f0c3a2, sequence: 41 },
  answerWanted: true,
  standby: 'local',
  pause: { paused: true, number: 3, sinceWallMs: 1_710_280_704_123 },
  groups: [
    { name: '192.0.2.100', state: 'held', claimNumber: 7, claiming: false, offer: 'standby', failed: false, pinned: true, granted: true },
    { name: '2001:db8::1', state: 'stopped', claimNumber: 12, claiming: true, failed: true, pinned: false },
    { name: 'a group, 100 % odd\n\x13\u{1f600}=', state: 'unclean', claimNumber: 0, claiming: false, failed: false, pinned: false },
  ],
  digests: { groups: '9f86d081884c7d65', timing: '2c26b46b68ffc68f', failback: 'fcde2b2edba56bf4' },
  requests: [{ kind: 'cleanup', group: '192.0.2.100' }, { kind: 'clear', group: '2001:db8::1' }],
  stalledMs: 1503,
  raisedForMs: 600_000,
  promisedForMs: 612_345,
  pingsSeen: 2,
  keyNames: ['1-0f3a9c71', '2-00000000'],
}

export const status: Packet = {
  id: { generation: 0x65f0c3a3, sequence: 5 }, from: 'node2', kind: 'status', nodeStatus: 'active', deadtimeMs: 30_000, facts,
}

export const will: Packet = {
  id: { generation: 0x65f0c3a3, sequence: 0xffff_0001 }, from: 'node2', kind: 'will', nodeStatus: 'dead', deadtimeMs: 30_000,
  will: { says: 'addresses-gone', group: 'a group, 100 % odd' },
}

export function encoded(packet: Packet, keyring: Keyring, method?: AuthMethod): Uint8Array {
  const result = encodePacket(packet, sendingWith(keyring, method))
  if (result.result !== 'encoded') throw new Error(result.message)
  return result.bytes
}

export function netstringFrame(fields: readonly Field[], method: 'sha1' | 'md5' | 'sha256', key: string, index: number): Buffer {
  const body = fields.map(({ name, type, value }) => {
    const content = `(${type})${name}=${value}`
    return `${content.length}:${content},`
  })
  const signed = `###\n${body.join('')}%%%\n`
  const signature = `${index} ${createHmac(method, key).update(signed, 'latin1').digest('hex')}`
  return Buffer.from(`${signed}${signature.length}:${signature},`, 'latin1')
}

/** One packet of a real Heartbeat pair, with what an independent reading found; test/data/captures/README.md says more. */
export interface Captured {
  readonly scenario: string
  readonly from: string
  readonly verdict: 'valid' | 'bad-signature' | 'unsigned' | 'malformed'
  readonly keyring: Keyring
  readonly bytes: Buffer
}

export function readCaptures(directory: string): Captured[] {
  const lines = gunzipSync(readFileSync(`${directory}/packets.jsonl.gz`)).toString('utf8').trimEnd().split('\n')
  const keyrings = new Map<string, Keyring>()
  return lines.map((line) => {
    const { scenario, keys, from, verdict, packet } = JSON.parse(line) as {
      scenario: string; keys: [number, AuthMethod, string][]; from: string; verdict: Captured['verdict']; packet: string
    }
    const name = JSON.stringify(keys)
    const keyring = keyrings.get(name) ?? {
      active: keys[0]?.[0] ?? 0, allowCrc: true, keys: keys.map(([index, method, key]) => ({ index, method, key })),
    }
    keyrings.set(name, keyring)
    return { scenario, from, verdict, keyring, bytes: Buffer.from(packet, 'latin1') }
  })
}

/** Whole numbers from 0 to `below - 1`, the same ones for the same seed (xorshift32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
