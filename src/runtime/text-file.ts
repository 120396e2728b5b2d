/** What a small file says, for whom a file that is not there says nothing. */
import { readFileSync } from 'node:fs'

/** Empty where it cannot be read. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
