/** Can a serial line carry what the pair has to say? It is slower than any network by a factor of a thousand. */
import type { ClusterConfig } from '../core/config.ts'
import type { Millis } from '../core/time.ts'
import { baudRates, type Draft } from './draft.ts'
import { timeText } from './durations.ts'
import type { Findings } from './findings.ts'

/** Of a status without groups on an ordinary day, measured (436 with one group); what each group adds beside its name. */
const statusBytes = 440
const groupBytes = 8
/** Start bit, eight bits, stop bit. */
const bitsOfByte = 10

export function checkSerial({ links, groups, timing: { keepaliveMs } }: ClusterConfig, draft: Draft, findings: Findings): void {
  const bytes = statusBytes + groups.reduce((sum, { name }) => sum + name.length + groupBytes, 0)
  const timeMs = (baud: number): Millis => Math.ceil(bytes * bitsOfByte * 1_000 / baud)
  for (const [index, link] of links.entries()) {
    const place = draft.links[index]?.place
    if (link.kind !== 'serial' || place === undefined || timeMs(link.baud) <= keepaliveMs) continue
    const enough = baudRates.find((baud) => timeMs(baud) <= keepaliveMs)
    const faster = enough === undefined ? '' : `baud ${enough} on both nodes, or `
    findings.warning(place, 'serial-slow',
      `serial ${link.interface} at ${link.baud} baud takes ${timeText(timeMs(link.baud))} for a status of this pair, and keepalive is ` +
      `${timeText(keepaliveMs)}: the newest goes, the others are left out. It serves as one link beside a network. Write ${faster}a keepalive of ` +
      `at least ${timeText(timeMs(link.baud))}.`)
  }
}
