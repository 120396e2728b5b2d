/** What a value read from JSON is: of a state file that may be damaged, of a client that may be hostile. */
import type { Scope } from '../core/packet.ts'

/** Undefined for a text that is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export function isScope(value: unknown): value is Scope {
  return value === 'all' || value === 'local' || value === 'foreign'
}
