/** What an authentic message of a real Heartbeat says: words and signs, which have a sequence number, and notes, which have none. */
import type { NodeName } from '../core/config.ts'
import type { PacketId } from '../core/packet.ts'
import type { Decoded } from '../protocol/datagram.ts'
import type { RefusalCause } from '../protocol/refusals.ts'
import { readNote, type Note } from './notes.ts'
import { isForUs, readWord } from './word-fields.ts'
import type { Sign, Word } from './words.ts'

export type Reading =
  /** Without `heard` it is for somebody else or unknown here, and has a number all the same. `trouble`: to be counted as dropped. */
  | { readonly reads: 'message'; readonly id: PacketId; readonly heard?: Word | Sign; readonly trouble?: RefusalCause }
  | { readonly reads: 'note'; readonly generation: number; readonly note: Note }
  /** A note to others, or one that cannot be read. */
  | { readonly reads: 'nothing'; readonly trouble?: RefusalCause }

export function readClassic(decoded: Decoded, self: NodeName): Reading {
  const { fields, type } = decoded
  const ours = isForUs(fields, self)
  if (decoded.result === 'unsequenced') {
    // A number that is lost for one is lost for all: the real one forgets it whomever it was told to (heartbeat-3.md section 3.5).
    if (!ours && type !== 'NS_nak_rexmit') return { reads: 'nothing' }
    const note = readNote(type, fields)
    if (note !== undefined) return { reads: 'note', generation: decoded.generation, note }
    return isNote(type) ? { reads: 'nothing', trouble: 'bad-field' } : { reads: 'nothing' }
  }
  const { id, kind, nodeStatus, deadtimeMs } = decoded.packet
  if (kind === 'goodbye') return { reads: 'message', id, heard: { sign: 'goodbye' } }
  if (kind === 'status' && nodeStatus !== 'dead') return { reads: 'message', id, heard: { sign: 'status', nodeStatus, deadtimeMs } }
  const word = ours ? readWord(type, fields) : 'ignored'
  if (word === 'ignored') return { reads: 'message', id }
  return word === 'bad' ? { reads: 'message', id, trouble: 'bad-field' } : { reads: 'message', id, heard: word }
}

function isNote(type: string): boolean {
  return type === 'NS_ackmsg' || type === 'NS_rexmit' || type === 'NS_nak_rexmit'
}
