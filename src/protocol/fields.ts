/** The fields of a message, in the order of the wire, and the bounds of everything that is read from it. */

/** 0 string, 1 binary, 2 to 5 structures and lists that a pair never sends (heartbeat-3.md section 1.1). */
export type FieldType = 0 | 1 | 2 | 3 | 4 | 5

/**
 * One character of `value` is one byte. A binary value is the bytes themselves; values of types 2 to 5 are kept as the frame has
 * them and are not looked into.
 */
export interface Field { readonly name: string; readonly type: FieldType; readonly value: string }

/** The largest payload of a UDP datagram over IPv4. */
export const maxDatagramBytes = 65_507
export const maxFields = 128
const maxNameLength = 64
/** Heartbeat's key indexes (heartbeat-3.md section 2.4). */
export const maxKeyIndex = 15
/** A sha256 digest in hexadecimal is the longest one. */
export const maxDigestLength = 64

/** The first field of that name wins (heartbeat-3.md section 1.1). */
export function findField(fields: readonly Field[], name: string): Field | undefined {
  for (const field of fields) if (field.name === name) return field
  return undefined
}

/** The value of the first field of that name if it is a string. */
export function fieldText(fields: readonly Field[], name: string): string | undefined {
  const field = findField(fields, name)
  return field?.type === 0 ? field.value : undefined
}

export function textField(name: string, value: string): Field {
  return { name, type: 0, value }
}

/** Visible ASCII without `=`, not empty, of sane length: what may stand before the `=` in either framing. */
export function isFieldName(name: string): boolean {
  if (name.length === 0 || name.length > maxNameLength) return false
  for (let i = 0; i < name.length; i += 1) {
    const code = name.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f || code === 0x3d) return false
  }
  return true
}

export function fieldTypeOf(digit: number): FieldType | undefined {
  switch (digit) {
    case 0x30: return 0
    case 0x31: return 1
    case 0x32: return 2
    case 0x33: return 3
    case 0x34: return 4
    case 0x35: return 5
  }
  return undefined
}
