import { describe, expect, test } from 'vitest'
import { classicFrame, classicLines } from '../../src/protocol/classic-frame.ts'
import { decodeDatagram, type Decoded } from '../../src/protocol/datagram.ts'
import { decodeFrame } from '../../src/protocol/framing.ts'
import { signLines, verifyFrame } from '../../src/protocol/signature.ts'
import { accept, emptyWindow, type Verdict, type Window } from '../../src/protocol/window.ts'
import { readCaptures, type Captured } from './samples.ts'

const captures = readCaptures('test/data/captures')
const valid = captures.filter(({ verdict }) => verdict === 'valid')

function decodedOf({ bytes, keyring, scenario }: Captured): Decoded {
  const decoded = decodeDatagram(bytes, keyring)
  if (decoded.result === 'refused') throw new Error(`${scenario}: ${decoded.cause}, ${decoded.reason}`)
  return decoded
}

test('every packet of a real pair is judged as a separate reading judged it', () => {
  const counts = { valid: 0, 'bad-signature': 0, unsigned: 0, malformed: 0 }
  for (const { bytes, keyring, verdict, scenario } of captures) {
    const decoded = decodeDatagram(bytes, keyring)
    expect(decoded.result === 'refused' ? decoded.cause : 'valid', scenario).toBe(verdict)
    counts[verdict] += 1
  }
  expect(counts).toEqual({ valid: 11_823, 'bad-signature': 10, unsigned: 1, malformed: 4 })
})

test('every valid packet is refused with another key, and a crc packet without allow_crc', () => {
  for (const { bytes, keyring } of valid) {
    const other = { ...keyring, allowCrc: false, keys: keyring.keys.map((key) => ({ ...key, key: `${key.key}x` })) }
    const decoded = decodeDatagram(bytes, other)
    const cause = keyring.keys[0]?.method === 'crc' ? 'method-refused' : 'bad-signature'
    expect(decoded).toMatchObject({ result: 'refused', cause })
    expect(decodeDatagram(bytes, { ...keyring, keys: [] })).toMatchObject({ result: 'refused', cause: 'unknown-key' })
  }
})

test('a packet written anew in the classic framing has the very signature that the Heartbeat put in its field auth', () => {
  for (const { bytes, keyring, scenario } of valid) {
    const frame = decodeFrame(bytes)
    if (frame.result !== 'frame') throw new Error(scenario)
    const lines = classicLines(frame.fields)
    const signature = signLines(lines ?? '', keyring, keyring.keys[0]?.method ?? 'crc')
    if (lines === undefined || 'cause' in signature) throw new Error(scenario)
    const again = decodeFrame(classicFrame(lines, signature))
    if (again.result !== 'frame') throw new Error(again.reason)
    expect(verifyFrame(again, keyring).result).toBe('verified')
    // The field auth is among them: equal fields are an equal signature over the classic lines.
    expect(again.fields).toEqual(frame.fields)
  }
})

test('what a real Heartbeat says is read: kinds, states, deadtime, no facts', () => {
  const kinds = new Map<string, number>()
  for (const captured of valid) {
    const decoded = decodedOf(captured)
    const key = decoded.result === 'unsequenced' ? decoded.type : `${decoded.packet.kind} ${decoded.packet.nodeStatus}`
    kinds.set(key, (kinds.get(key) ?? 0) + 1)
    expect(decoded.framing).toBe('netstring')
    if (decoded.result === 'packet') {
      expect(decoded.packet.facts).toBeUndefined()
      expect(decoded.packet.from).toMatch(/^node-[ab]$/)
      if (decoded.packet.kind === 'status') expect(decoded.packet.deadtimeMs).toBeGreaterThanOrEqual(1000)
    }
  }
  const statuses = (kinds.get('status init') ?? 0) + (kinds.get('status up') ?? 0) + (kinds.get('status active') ?? 0)
  expect(statuses).toBe(8970)
  expect([...kinds.keys()].sort()).toEqual(['NS_ackmsg', 'NS_rexmit', 'goodbye dead', 'other active', 'status active', 'status init',
    'status up'])
  expect(kinds.get('goodbye dead')).toBe(13)
  expect(kinds.get('NS_ackmsg')).toBe(1736)
})

/** What node-b, which hears all of it, thinks of the injected packets of a replay scenario that name node-a. */
function verdictsOfInjected(scenario: string, start: Window): Map<Verdict, number> {
  let window = start
  const verdicts = new Map<Verdict, number>()
  for (const captured of valid.filter((one) => one.scenario === scenario)) {
    const decoded = decodedOf(captured)
    if (decoded.result !== 'packet') continue
    const accepted = accept(window, { name: 'node-b', generation: 1 }, 'node-a', decoded.packet)
    window = accepted.window
    if (captured.from !== '192.0.2.10' || decoded.packet.from !== 'node-a') continue
    verdicts.set(accepted.verdict, (verdicts.get(accepted.verdict) ?? 0) + 1)
  }
  return verdicts
}

describe('recorded packets that were sent again', () => {
  test('of the same generation are stale', () => {
    expect(verdictsOfInjected('fault-replay-same-generation-status', emptyWindow)).toEqual(new Map([['stale', 20]]))
    expect([...verdictsOfInjected('fault-replay-same-generation-all', emptyWindow).keys()]).toEqual(['stale'])
  })
  test('of an older generation are refused for that', () => {
    expect(verdictsOfInjected('fault-replay-old-generation-status', emptyWindow)).toEqual(new Map([['old-generation', 20]]))
  })
  test('of a dead node are stale as long as this daemon has heard the node itself', () => {
    const heard: Window = { newest: { generation: 0x6b00d59b, sequence: 0x300 }, seen: 1, wills: [] }
    expect(verdictsOfInjected('fault-replay-old-generation-of-dead-node', heard)).toEqual(new Map([['stale', 30]]))
  })
  test('of a node that this daemon has never heard are used: only their confirmed generation tells that they are old', () => {
    expect([...verdictsOfInjected('fault-replay-dead-node-after-receiver-restart', emptyWindow).keys()]).toEqual(['new'])
  })
})
