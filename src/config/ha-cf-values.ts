/** Values that several directives of ha.cf share (heartbeat-3.md section 7.1). */

/** In any case of letters. */
export function isBoolean(text: string): boolean {
  return /^(true|on|yes|y|1|false|off|no|n|0)$/i.test(text)
}

/** As C's atoi reads a number on 64 bits: leading digits, the rest ignored; too large a number wraps, no number is 0. */
export function leadingInteger(text: string): number {
  const digits = /^[+-]?\d{1,30}/.exec(text)?.[0]
  if (digits === undefined) return 0
  const exact = BigInt(digits)
  const most = 2n ** 63n - 1n
  return Number(BigInt.asIntN(32, exact > most ? most : exact < -most ? -most - 1n : exact))
}

/** As C puts such a number into a byte. */
export function leadingByte(text: string): number {
  return leadingInteger(text) & 255
}

/** As C puts such a number into the 16 bits of a port. */
export function leadingPort(text: string): number {
  return leadingInteger(text) & 65_535
}

export function isTrue(text: string): boolean {
  return /^(true|on|yes|y|1)$/i.test(text)
}
