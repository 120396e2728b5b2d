/** The fields of what leaves for a peer that may be a real Heartbeat. A string: the name of the field that cannot hold what it should. */
import { noteFields, type Note } from '../classic/notes.ts'
import type { Sent } from '../classic/outgoing.ts'
import { wordFields } from '../classic/word-fields.ts'
import type { NodeName } from '../core/config.ts'
import type { WallMillis } from '../core/time.ts'
import type { Field } from '../protocol/fields.ts'
import { controlFields, messageFields } from '../protocol/message.ts'

/** `uuid`: the 16 bytes of this node's. */
export interface Ends { readonly self: NodeName; readonly peer: NodeName; readonly uuid: Uint8Array }

/** The same each time that it is sent. */
export function fieldsOf({ self, peer, uuid }: Ends, { id, said, wallMs }: Sent): readonly Field[] | string {
  if ('packet' in said) return messageFields({ ...said.packet, id }, { uuid, wallMs })
  const control = controlFields({ from: self, ...id }, { uuid, wallMs })
  return typeof control === 'string' ? control : [...wordFields(said.word, peer), ...control]
}

export function fieldsOfNote({ self, peer, uuid }: Ends, generation: number, note: Note, wallMs: WallMillis): readonly Field[] | string {
  const control = controlFields({ from: self, generation }, { uuid, wallMs })
  return typeof control === 'string' ? control : [...noteFields(note, peer), ...control]
}
