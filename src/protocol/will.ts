/**
 * The last will of a daemon (design.md section 6): signed in advance, sent by its guard when the daemon has died. A message of the
 * type `hactlwill`, which a real Heartbeat does not know and never gets, with these fields beside Heartbeat's own:
 *
 * | field       | value                                                                                         |
 * |-------------|-----------------------------------------------------------------------------------------------|
 * | `hactlsays` | `daemon-dead`, `addresses-gone`, `stopped`                                                    |
 * | `hactlgone` | the group, escaped as in values.ts; not with `daemon-dead`                                    |
 * | `hactlfill` | anything, so that all wills of a node are of one length; the receiver ignores it              |
 */
import type { Will } from '../core/packet.ts'
import { maxGroups } from './facts.ts'
import { fieldText, findField, type Field } from './fields.ts'
import { formatWord, parseWord } from './values.ts'
import { lastOrdinarySequence } from './window.ts'

export const willType = 'hactlwill'

/**
 * The sequence number of a will, the same for each (says, index) of a generation: above all ordinary ones, `daemon-dead` first, then
 * *addresses gone* of each group, then *stopped* of each. Undefined for more groups than a packet could name.
 */
export function willSequence(says: Will['says'], groupIndex: number): number | undefined {
  const first = lastOrdinarySequence + 1
  if (says === 'daemon-dead') return first
  if (!Number.isInteger(groupIndex) || groupIndex < 0 || groupIndex >= maxGroups) return undefined
  return first + 1 + groupIndex + (says === 'stopped' ? maxGroups : 0)
}

/** Undefined: the group's name cannot be written. */
export function willFields(will: Will, fill: string): readonly Field[] | undefined {
  const says: Field = { name: 'hactlsays', type: 0, value: will.says }
  const filling: Field = { name: 'hactlfill', type: 0, value: fill }
  if (will.says === 'daemon-dead') return [says, filling]
  const group = formatWord(will.group)
  return group === undefined ? undefined : [says, { name: 'hactlgone', type: 0, value: group }, filling]
}

/** A string: the name of the field that is missing or cannot be read. */
export function readWill(fields: readonly Field[]): Will | string {
  const says = fieldText(fields, 'hactlsays')
  switch (says) {
    case 'daemon-dead':
      return findField(fields, 'hactlgone') === undefined ? { says } : 'hactlgone'
    case 'addresses-gone':
    case 'stopped': {
      const group = parseWord(fieldText(fields, 'hactlgone') ?? '')
      return group === undefined ? 'hactlgone' : { says, group }
    }
    case undefined:
  }
  return 'hactlsays'
}
