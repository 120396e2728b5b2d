/** Packets as lines of text: the payload of a datagram in base64, or JSON with it as `bytesBase64` beside `t`, `from` and `to`. */
import type { CaptureItem, CaptureStep } from './capture-items.ts'

/** The base64 of the largest datagram, and room for what stands beside it. */
const maxLineLength = 1 << 18
const newline = 0x0a

export function lineReader(): CaptureStep {
  let number = 0
  return (bytes, last) => {
    const items: CaptureItem[] = []
    let used = 0
    while (used < bytes.length) {
      const found = bytes.indexOf(newline, used)
      if (found === -1 && !last && bytes.length - used <= maxLineLength) break
      const end = found === -1 ? bytes.length : found
      number += 1
      if (end - used > maxLineLength) {
        items.push({ type: 'trouble', message: `line ${number} is longer than any packet: this is no capture of packets`, ends: true })
        return { used: bytes.length, items }
      }
      const item = readLine(bytes.toString('utf8', used, end).trim(), number)
      if (item !== undefined) items.push(item)
      used = Math.min(bytes.length, end + 1)
    }
    return { used, items }
  }
}

function readLine(line: string, number: number): CaptureItem | undefined {
  if (line === '') return undefined
  if (!line.startsWith('{')) {
    const bytes = readBase64(line)
    return bytes === undefined ? trouble(`line ${number} is neither base64 nor a JSON object`) : { type: 'payload', bytes }
  }
  const object = readObject(line)
  if (object === undefined) return trouble(`line ${number} begins like a JSON object and is none`)
  if (!('bytesBase64' in object)) return { type: 'skipped' }
  const bytes = typeof object.bytesBase64 === 'string' ? readBase64(object.bytesBase64) : undefined
  if (bytes === undefined) return trouble(`bytesBase64 of line ${number} is no base64`)
  const { t, from, to } = object as { readonly t?: unknown; readonly from?: unknown; readonly to?: unknown }
  return {
    type: 'payload', bytes,
    ...(typeof t === 'number' ? { t } : {}), ...(typeof from === 'string' ? { from } : {}), ...(typeof to === 'string' ? { to } : {}),
  }
}

function readObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Undefined for what is none: Buffer.from would leave out what it does not know. */
function readBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1 ? Buffer.from(text, 'base64') : undefined
}

function trouble(message: string): CaptureItem {
  return { type: 'trouble', message, ends: false }
}
