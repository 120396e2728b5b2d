/**
 * The messages that keep two Heartbeats' packets complete (heartbeat-3.md sections 3.4 and 3.5). They have no sequence number, so anyone
 * may send a recorded one again: nothing may rest on them but what is kept and what is sent once more.
 */
import type { NodeName } from '../core/config.ts'
import { fieldText, textField as text, type Field } from '../protocol/fields.ts'
import { formatHex, parseHex } from '../protocol/values.ts'
import { maxSequence } from '../protocol/window.ts'

export type Note =
  /** Everything of yours up to this number is here. */
  | { readonly note: 'ack'; readonly sequence: number }
  /** These of yours are missing here, both ends included. */
  | { readonly note: 'ask-again'; readonly first: number; readonly last: number }
  /** This one of mine cannot be had any more. */
  | { readonly note: 'never-again'; readonly sequence: number; readonly reason: string }

/** What a message of this note begins with; the fields of its sender follow. The numbers asked for are decimal, all others hexadecimal. */
export function noteFields(note: Note, peer: NodeName): readonly Field[] {
  switch (note.note) {
    case 'ack':
      return [text('t', 'NS_ackmsg'), text('dest', peer), text('ackseq', hexOf(note.sequence))]
    case 'ask-again':
      return [text('t', 'NS_rexmit'), text('dest', peer), text('firstseq', String(note.first)), text('lastseq', String(note.last))]
    case 'never-again':
      return [text('t', 'NS_nak_rexmit'), text('firstseq', hexOf(note.sequence)), text('dest', peer), text('info', note.reason)]
  }
}

function hexOf(sequence: number): string {
  return formatHex(sequence, maxSequence) ?? '0'
}

/** Undefined: another one, or not readable; what is directed to others is told by `isForUs`. */
export function readNote(type: string, fields: readonly Field[]): Note | undefined {
  switch (type) {
    case 'NS_ackmsg': {
      const sequence = parseHex(fieldText(fields, 'ackseq') ?? '', maxSequence)
      return sequence === undefined ? undefined : { note: 'ack', sequence }
    }
    case 'NS_rexmit': {
      const first = parseDecimal(fieldText(fields, 'firstseq'))
      const last = parseDecimal(fieldText(fields, 'lastseq'))
      return first === undefined || last === undefined || first > last ? undefined : { note: 'ask-again', first, last }
    }
    case 'NS_nak_rexmit': {
      const sequence = parseHex(fieldText(fields, 'firstseq') ?? '', maxSequence)
      return sequence === undefined ? undefined : { note: 'never-again', sequence, reason: fieldText(fields, 'info') ?? '' }
    }
  }
  return undefined
}

function parseDecimal(written: string | undefined): number | undefined {
  if (written === undefined || !/^\d{1,10}$/.test(written)) return undefined
  const value = Number(written)
  return value <= maxSequence ? value : undefined
}
