/** How numbers and names are written in the values of fields. */

/** 14 hexadecimal digits hold every safe integer. */
const maxHexDigits = 14

/** Undefined unless it is a plain lower-case hexadecimal number from 0 to `max`. */
export function parseHex(text: string, max: number): number | undefined {
  if (text.length === 0 || text.length > maxHexDigits) return undefined
  let value = 0
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
    if (digit === -1) return undefined
    value = value * 16 + digit
  }
  return value <= max ? value : undefined
}

/** Undefined for what is no integer from 0 to `max`. */
export function formatHex(value: number, max: number): string | undefined {
  return Number.isSafeInteger(value) && value >= 0 && value <= max ? value.toString(16) : undefined
}

/** Longer names are refused both ways; measured as written, where a character outside ASCII is 6 to 12 long. */
export const maxWordLength = 768

const plain = /^[A-Za-z0-9._:/-]+$/

/**
 * Any text as one word of visible ASCII: other characters than letters, digits and `._:/-` as the `%XX` of their UTF-8 bytes. Undefined
 * for an empty text, one that is too long, and one with half of a surrogate pair, which has no UTF-8.
 */
export function formatWord(text: string): string | undefined {
  const word = plain.test(text) ? text : escapeText(text)
  return word === undefined || word.length === 0 || word.length > maxWordLength ? undefined : word
}

/** Undefined unless it is exactly what `formatWord` writes. */
export function parseWord(word: string): string | undefined {
  if (word.length === 0 || word.length > maxWordLength) return undefined
  if (plain.test(word)) return word
  try {
    const text = decodeURIComponent(word)
    return escapeText(text) === word ? text : undefined
  } catch {
    return undefined
  }
}

/** Where `encodeURIComponent` and `plain` differ. */
const percentEncoded: Readonly<Record<string, string>> = {
  '%3A': ':', '%2F': '/', '!': '%21', '~': '%7E', '*': '%2A', "'": '%27', '(': '%28', ')': '%29',
}

function escapeText(text: string): string | undefined {
  try {
    return encodeURIComponent(text).replace(/%3A|%2F|[!~*'()]/g, (found) => percentEncoded[found] ?? found)
  } catch {
    return undefined
  }
}

/** The words of all items, one blank between them; undefined if there are too many or one cannot be written. */
export function formatList<Item>(
  items: readonly Item[],
  maxItems: number,
  format: (item: Item) => string | undefined,
): string | undefined {
  if (items.length > maxItems) return undefined
  const words: string[] = []
  for (const item of items) {
    const word = format(item)
    if (word === undefined) return undefined
    words.push(word)
  }
  return words.join(' ')
}

export function parseList<Item>(
  text: string,
  maxItems: number,
  parse: (word: string) => Item | undefined,
): readonly Item[] | undefined {
  if (text === '') return []
  const words = text.split(' ', maxItems + 1)
  if (words.length > maxItems) return undefined
  const items: Item[] = []
  for (const word of words) {
    const item = parse(word)
    if (item === undefined) return undefined
    items.push(item)
  }
  return items
}
