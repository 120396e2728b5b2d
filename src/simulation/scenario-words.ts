/** Durations, numbers and policies as the words of a scenario. */
import type { AutoFailback, Timing } from '../core/config.ts'

export function failbackOf(word: string): AutoFailback {
  return word === 'on' || word === 'off' ? word : { afterMs: durationMs(word) }
}

export function timingFrom(timing: Timing, words: readonly string[]): Timing {
  const next: Record<string, number> = { ...timing }
  for (let at = 0; at + 1 < words.length; at += 2) next[`${words[at]}Ms`] = durationMs(words[at + 1] ?? '')
  return { ...timing, ...next }
}

/** `5s`, `200ms`, `2m` */
export function durationMs(word: string): number {
  const match = /^([\d.]+)(ms|s|m)$/.exec(word)
  if (match === null) throw new Error(`a duration such as 5s, 200ms or 2m is needed, not ${JSON.stringify(word)}`)
  return Number(match[1]) * (match[2] === 'ms' ? 1 : match[2] === 's' ? 1000 : 60_000)
}

/** `4` */
export function wholeNumber(word: string): number {
  if (!/^\d+$/.test(word)) throw new Error(`a whole number is needed, not ${JSON.stringify(word)}`)
  return Number(word)
}

/** The value of `name=value` among the words. */
export function optionNamed(words: readonly string[], name: string): string | undefined {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1)
}
