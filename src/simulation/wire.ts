/** Packets as the real wire format carries them: encoded, signed, verified and read again. */
import type { Packet } from '../core/packet.ts'
import { decodeDatagram, encodePacket } from '../protocol/datagram.ts'
import type { Keyring } from '../protocol/signature.ts'

const keyring: Keyring = { active: 1, allowCrc: false, keys: [{ index: 1, method: 'sha256', key: 'a key of the simulator' }] }
const uuid = new Uint8Array(16)

/** Throws where the wire cannot say what the core wants to say: a finding like any other. */
export function overTheWire(packet: Packet): Packet {
  const encoded = encodePacket(packet, { keyring, method: 'sha256', uuid, wallMs: 1_700_000_000_000 })
  if (encoded.result === 'not-encodable') throw new Error(`packet not encodable: ${encoded.message}: ${JSON.stringify(packet)}`)
  const decoded = decodeDatagram(encoded.bytes, keyring)
  if (decoded.result === 'refused') throw new Error(`packet refused: ${decoded.reason}: ${JSON.stringify(packet)}`)
  if (decoded.result !== 'packet') throw new Error(`packet read as ${decoded.result}: ${JSON.stringify(packet)}`)
  return decoded.packet
}
