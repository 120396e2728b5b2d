/**
 * The classic framing: `>>>`, a line for each field, `<<<` (heartbeat-3.md section 1.2). It is the one that we send: its signature is
 * verified with the right key by every Heartbeat (section 2.3), and a bad one cannot end a Heartbeat (section 10, item 8).
 */
import { fieldTypeOf, isFieldName, maxFields, type Field } from './fields.ts'
import { readSignature, type Frame, type Signature } from './frame.ts'
import { refuse, type Refused } from './refusals.ts'

const header = '>>>\n'
const trailer = '<<<\n'
/** Stands for a newline inside a value. */
const newlineStandIn = '\x13'

/** `text` is `bytes`, one character for each byte. */
export function decodeClassicText(text: string, bytes: Uint8Array): Frame | Refused {
  const end = text.endsWith('\0') ? text.length - 1 : text.length
  const stop = end - trailer.length
  if (stop < header.length || !text.startsWith(trailer, stop)) return refuse('malformed', 'a classic frame ends with "<<<" and a newline')
  const fields: Field[] = []
  let signature: Signature | undefined
  let authStart = stop
  let authEnd = stop
  for (let start = header.length; start < stop;) {
    const newline = text.indexOf('\n', start)
    if (newline === -1 || newline >= stop) return refuse('malformed', 'a field of a classic frame ends with a newline')
    const field = readLine(text, start, newline)
    if (field === undefined) return refuse('malformed', 'a line of a classic frame is name=value or (1)name=base64')
    if (fields.length === maxFields) return refuse('too-large', `a packet has at most ${maxFields} fields`)
    fields.push(field)
    if (field.name === 'auth') {
      if (signature !== undefined || field.type !== 0) return refuse('malformed', 'a classic frame has one signature')
      signature = readSignature(field.value)
      if (signature === undefined) return refuse('malformed', 'a signature is a key index, a blank and a digest')
      authStart = start
      authEnd = newline + 1
    }
    start = newline + 1
  }
  if (signature === undefined) return refuse('unsigned', 'a classic frame has a field auth')
  const signed = [bytes.subarray(header.length, authStart)]
  if (authEnd < stop) signed.push(bytes.subarray(authEnd, stop))
  return { result: 'frame', framing: 'classic', fields, signature, signed }
}

function readLine(text: string, start: number, end: number): Field | undefined {
  const equals = text.indexOf('=', start)
  if (equals === -1 || equals >= end) return undefined
  if (text.charCodeAt(start) !== 0x28) {
    const name = text.slice(start, equals)
    const value = text.slice(equals + 1, end)
    if (!isFieldName(name) || value.includes('\0')) return undefined
    return { name, type: 0, value: value.includes(newlineStandIn) ? value.replaceAll(newlineStandIn, '\n') : value }
  }
  const type = fieldTypeOf(text.charCodeAt(start + 1))
  if (type === undefined || type === 0 || text.charCodeAt(start + 2) !== 0x29) return undefined
  const name = text.slice(start + 3, equals)
  if (!isFieldName(name) || name.startsWith('(')) return undefined
  const written = text.slice(equals + 1, end)
  if (type !== 1) return written.includes('\0') ? undefined : { name, type, value: written }
  const value = Buffer.from(written, 'base64')
  // Another spelling of the same bytes would be signed as written by one program and as it should be by another.
  return value.toString('base64') === written ? { name, type, value: value.toString('latin1') } : undefined
}

/**
 * The lines that a classic signature covers: every field but `auth`. Undefined if a field cannot be written this way: a name that is
 * none, or a string with a NUL or the stand-in of a newline.
 */
export function classicLines(fields: readonly Field[]): string | undefined {
  let lines = ''
  for (const { name, type, value } of fields) {
    if (name === 'auth') continue
    if (!isFieldName(name) || name.startsWith('(')) return undefined
    if (type === 0) {
      if (value.includes('\0') || value.includes(newlineStandIn)) return undefined
      lines += `${name}=${value.includes('\n') ? value.replaceAll('\n', newlineStandIn) : value}\n`
    } else {
      if (type !== 1 && value.includes('\n')) return undefined
      lines += `(${type})${name}=${type === 1 ? Buffer.from(value, 'latin1').toString('base64') : value}\n`
    }
  }
  return lines
}

/** Without the NUL at the end: it is optional, and every truncation of a packet without it is noticed. */
export function classicFrame(lines: string, signature: Signature): Uint8Array {
  return Buffer.from(`${header}${lines}auth=${signature.index} ${signature.digest}\n${trailer}`, 'latin1')
}
