/**
 * With which method this node signs, and which it still accepts from the peer (design.md section 8). A pair begins with the active
 * key's own method, which a real Heartbeat knows. Once the peer has said that it verifies sha256, and has confirmed a packet of this
 * daemon that said the same, this node signs with sha256. From the first sha256 packet after that, the peer's generation is held to it:
 * whoever can forge the older method can no longer speak for it. A new generation of the peer, or of this node, begins anew, so that
 * either may go back to a real Heartbeat.
 */
import type { AuthMethod } from '../core/config.ts'
import type { Packet } from '../core/packet.ts'
import { keyAt, type Keyring } from './signature.ts'

/** Of the newest generation of the peer. */
export interface SigningState {
  readonly peerGeneration?: number
  /** Each knows that the other verifies sha256. */
  readonly confirmed: boolean
  /** The peer knows it too: its packets of this generation are signed with sha256 from here on. */
  readonly peerSwitched: boolean
}

export const initialSigning: SigningState = { confirmed: false, peerSwitched: false }

/** What the rule looks at in a packet that was accepted as new. */
export interface SignedPacket { readonly packet: Packet; readonly capabilities: readonly string[]; readonly method: AuthMethod }

export function afterPacket(state: SigningState, { packet, capabilities, method }: SignedPacket, ownGeneration: number): SigningState {
  const { generation } = packet.id
  const before = state.peerGeneration === generation ? state : initialSigning
  const confirmed = before.confirmed || (capabilities.includes('sha256') && packet.facts?.confirms?.generation === ownGeneration)
  const peerSwitched = before.peerSwitched || (confirmed && method === 'sha256')
  const same = state.peerGeneration === generation && before.confirmed === confirmed && before.peerSwitched === peerSwitched
  return same ? state : { peerGeneration: generation, confirmed, peerSwitched }
}

/** For the next packet. A key of crc has no text to sign with, so it stays crc. */
export function signingMethod(state: SigningState, keyring: Keyring): AuthMethod {
  const own = keyAt(keyring, keyring.active)?.method ?? 'sha256'
  return state.confirmed && own !== 'crc' ? 'sha256' : own
}

export function isMethodAccepted(state: SigningState, packet: Packet, method: AuthMethod): boolean {
  return method === 'sha256' || !state.peerSwitched || packet.id.generation !== state.peerGeneration
}
