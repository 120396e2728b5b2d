/** Changes of an authkeys text that leave everything else of it as it stands: comments, other keys, their order. */
import type { AuthKey } from '../core/config.ts'

const keyForm = /^\s*(\d+)\s/
const authForm = /^\s*auth\b/
const markForm = /^# hactl keys rotate: key (\d+) is the new one$/

/** Which key `hactl keys rotate` has added last; nothing in the keys themselves tells old from new. */
export function newKeyIndex(text: string): number | undefined {
  const found = linesOf(text).map((line) => markForm.exec(line)?.[1]).findLast((index) => index !== undefined)
  return found === undefined ? undefined : Number(found)
}

/** At the end, so that it stands below the `auth` line as Heartbeat wants it. */
export function withNewKey(text: string, { index, method, key }: AuthKey): string {
  return joined([...linesOf(withoutMark(text)), `# hactl keys rotate: key ${index} is the new one`, `${index} ${method} ${key}`])
}

/** The `auth` line stands above every key. */
export function withActiveKey(text: string, index: number): string {
  const lines = linesOf(text).filter((line) => !authForm.test(line))
  const first = lines.findIndex((line) => keyForm.test(line))
  const at = markForm.test(lines[first - 1] ?? '') ? first - 1 : first
  return joined([...lines.slice(0, at), `auth ${index}`, ...lines.slice(at)])
}

export function withoutOtherKeys(text: string, index: number): string {
  return joined(linesOf(text).filter((line) => {
    const found = keyForm.exec(line)?.[1]
    return found === undefined || Number(found) === index
  }))
}

export function withoutMark(text: string): string {
  return joined(linesOf(text).filter((line) => !markForm.test(line)))
}

function linesOf(text: string): readonly string[] {
  return text.replace(/\n$/, '').split('\n')
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
