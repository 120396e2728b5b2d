/**
 * The netstring framing, which every Heartbeat on cluster-glue 1.0.10 and later sends (heartbeat-3.md section 1.3): `###`, a netstring
 * `LEN:(T)name=value,` for each field, `%%%`, and one more netstring with the signature over all bytes before it.
 */
import { fieldTypeOf, isFieldName, maxFields, type Field } from './fields.ts'
import { readSignature, type Frame } from './frame.ts'
import { refuse, type Refused } from './refusals.ts'

const header = '###\n'
const trailer = '%%%\n'
/** A datagram has fewer bytes than a number of this many digits can say. */
const maxLengthDigits = 5

/** `text` is `bytes`, one character for each byte. */
export function decodeNetstringText(text: string, bytes: Uint8Array): Frame | Refused {
  const fields: Field[] = []
  let start = header.length
  while (!text.startsWith(trailer, start)) {
    const content = readNetstring(text, start)
    if (content === undefined) return refuse('malformed', 'a field of a netstring frame is LEN:(T)name=value,')
    const field = readField(content)
    if (field === undefined) return refuse('malformed', 'a netstring holds a type from 0 to 5, a name, "=" and a value')
    if (fields.length === maxFields) return refuse('too-large', `a packet has at most ${maxFields} fields`)
    fields.push(field)
    start = afterNetstring(text, start, content)
  }
  const signedEnd = start + trailer.length
  if (signedEnd === text.length) return refuse('unsigned', 'a netstring frame has a signature after "%%%"')
  const content = readNetstring(text, signedEnd)
  const signature = content === undefined ? undefined : readSignature(content)
  if (content === undefined || signature === undefined) return refuse('malformed', 'a signature is a key index, a blank and a digest')
  if (afterNetstring(text, signedEnd, content) !== text.length) {
    return refuse('malformed', 'nothing follows the signature of a netstring frame')
  }
  return { result: 'frame', framing: 'netstring', fields, signature, signed: [bytes.subarray(0, signedEnd)] }
}

/** What stands between `LEN:` and the comma. */
function readNetstring(text: string, start: number): string | undefined {
  let length = 0
  let at = start
  for (; at < start + maxLengthDigits; at += 1) {
    const digit = text.charCodeAt(at) - 0x30
    // Also false at the end of the text, where it is NaN.
    if (!(digit >= 0 && digit <= 9)) break
    length = length * 10 + digit
  }
  if (at === start || text.charCodeAt(start) === 0x30 || text.charCodeAt(at) !== 0x3a) return undefined
  const end = at + 1 + length
  return text.charCodeAt(end) === 0x2c ? text.slice(at + 1, end) : undefined
}

function afterNetstring(text: string, start: number, content: string): number {
  return text.indexOf(':', start) + 1 + content.length + 1
}

function readField(content: string): Field | undefined {
  const type = fieldTypeOf(content.charCodeAt(1))
  if (type === undefined || content.charCodeAt(0) !== 0x28 || content.charCodeAt(2) !== 0x29) return undefined
  const equals = content.indexOf('=', 3)
  if (equals === -1) return undefined
  const name = content.slice(3, equals)
  const value = content.slice(equals + 1)
  // A Heartbeat would read a string to its NUL only: two readers of one signed packet must not read two values.
  return isFieldName(name) && !(type === 0 && value.includes('\0')) ? { name, type, value } : undefined
}
