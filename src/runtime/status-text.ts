/** What the output of `status` says: Heartbeat's own rule (heartbeat-3.md section 6.4), and what helps where that says nothing. */

export interface Said {
  /** All that was kept of the output. */
  readonly text: string
  /** Standard output alone, which is all that Heartbeat looks at. */
  readonly standardOutput: string
  /** False: no output could be kept. */
  readonly captured: boolean
}

/** The shell patterns of /usr/share/heartbeat/ResourceManager, in their order, on standard output as a whole. */
export function heartbeatsWord({ standardOutput }: Said): 'running' | 'not-running' | 'neither' {
  if (/[Nn][Oo][Tt] [^]*[Rr]unning/.test(standardOutput)) return 'not-running'
  return /[Rr]unning|OK/.test(standardOutput) ? 'running' : 'neither'
}

/** The words of init scripts of all distributions, and of the wrappers of OCF agents, for what is down. */
export function saysDown({ standardOutput }: Said): boolean {
  return /\b(stopped|inactive|dead|unused|down)\b/i.test(standardOutput)
}

/** The script did not know the action. */
export function saysUsage({ text }: Said): boolean {
  return /^\W*usage\b/im.test(text) || /\bstart *\| *stop\b/.test(text)
}

/**
 * Debian's init scripts hand `status` to systemctl, which prints the end of the unit's log as well: any word can stand there.
 * Its exit code is right.
 */
export function isOfSystemctl({ standardOutput }: Said): boolean {
  return /^\s+Active: \w/m.test(standardOutput)
}
