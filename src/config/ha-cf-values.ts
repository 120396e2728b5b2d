/** Values that several directives of ha.cf share (heartbeat-3.md section 7.1). */

/** In any case of letters. */
export function isBoolean(text: string): boolean {
  return /^(true|on|yes|y|1|false|off|no|n|0)$/i.test(text)
}

export function isTrue(text: string): boolean {
  return /^(true|on|yes|y|1)$/i.test(text)
}
