import { describe, expect, test } from 'vitest'
import type { Packet } from '../../src/core/packet.ts'
import { afterPacket, initialSigning, isMethodAccepted, signingMethod, type SigningState } from '../../src/protocol/signing.ts'
import type { AuthMethod } from '../../src/core/config.ts'
import { facts, keyringOf, sha1 } from './samples.ts'

function packetOf(generation: number, sequence: number, confirms?: { generation: number; sequence: number }): Packet {
  const { confirms: unused, ...rest } = facts
  expect(unused).toBeDefined()
  return { id: { generation, sequence }, from: 'b', kind: 'status', nodeStatus: 'active', deadtimeMs: 1000,
    facts: confirms === undefined ? rest : { ...rest, confirms } }
}

const can = ['sha256']
const own = 5
function after(state: SigningState, packet: Packet, method: AuthMethod, capabilities: readonly string[] = can): SigningState {
  return afterPacket(state, { packet, capabilities, method }, own)
}

const heard = after(initialSigning, packetOf(9, 1), 'sha1')
const confirmed = after(heard, packetOf(9, 2, { generation: own, sequence: 1 }), 'sha1')
const switched = after(confirmed, packetOf(9, 3, { generation: own, sequence: 2 }), 'sha256')

test('a pair begins with the method of the active key', () => {
  expect(signingMethod(initialSigning, sha1)).toBe('sha1')
  expect(signingMethod(initialSigning, keyringOf('md5'))).toBe('md5')
  expect(signingMethod(initialSigning, keyringOf('sha256'))).toBe('sha256')
})

test('that the peer can verify sha256 is not enough: it must have heard the same of us', () => {
  expect(signingMethod(heard, sha1)).toBe('sha1')
  const oldConfirm = after(heard, packetOf(9, 2, { generation: own - 1, sequence: 90 }), 'sha1')
  expect(signingMethod(oldConfirm, sha1)).toBe('sha1')
  expect(signingMethod(confirmed, sha1)).toBe('sha256')
})

test('a peer that cannot, or is a real Heartbeat, is never sent sha256', () => {
  expect(signingMethod(after(heard, packetOf(9, 2, { generation: own, sequence: 1 }), 'sha1', ['other']), sha1)).toBe('sha1')
  const { facts: none, ...classic } = packetOf(9, 2)
  expect(none).toBeDefined()
  expect(signingMethod(after(heard, classic, 'sha1', []), sha1)).toBe('sha1')
})

test('crc stays crc: its key has no text', () => {
  expect(signingMethod(confirmed, keyringOf('crc'))).toBe('crc')
})

describe('older methods are refused', () => {
  test('only from the first sha256 packet on: the peer may not yet know that we know', () => {
    expect(isMethodAccepted(confirmed, packetOf(9, 3), 'sha1')).toBe(true)
    expect(isMethodAccepted(switched, packetOf(9, 4), 'sha1')).toBe(false)
    expect(isMethodAccepted(switched, packetOf(9, 4), 'md5')).toBe(false)
    expect(isMethodAccepted(switched, packetOf(9, 4), 'crc')).toBe(false)
    expect(isMethodAccepted(switched, packetOf(9, 4), 'sha256')).toBe(true)
  })
  test('of that generation only: the node may come back as a real Heartbeat', () => {
    expect(isMethodAccepted(switched, packetOf(10, 1), 'sha1')).toBe(true)
    const back = after(switched, packetOf(10, 1), 'sha1')
    expect(signingMethod(back, sha1)).toBe('sha1')
    expect(isMethodAccepted(back, packetOf(10, 2), 'sha1')).toBe(true)
  })
  test('not for a sha256 packet that was meant for our last generation: the peer goes back when it hears the new one', () => {
    const stray = after(initialSigning, packetOf(9, 50, { generation: own - 1, sequence: 3 }), 'sha256')
    expect(isMethodAccepted(stray, packetOf(9, 51), 'sha1')).toBe(true)
  })
  test('for good: a packet that confirms nothing does not undo it', () => {
    const later = after(switched, packetOf(9, 5), 'sha256', [])
    expect(signingMethod(later, sha1)).toBe('sha256')
    expect(isMethodAccepted(later, packetOf(9, 6), 'sha1')).toBe(false)
  })
})
