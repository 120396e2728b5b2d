/** Relations between groups: names, addresses and scripts that stand twice. */
import type { GroupConfig } from '../core/config.ts'
import { resourceName } from '../core/stage.ts'
import { parseIp } from './addresses.ts'
import type { Draft, DraftGroup } from './draft.ts'
import { type Findings, quoted } from './findings.ts'
import type { Form } from './resource-words.ts'
import type { Place } from './types.ts'

/** design.md section 9: its `name:`, else its first floating address without mask, else its first resource. */
export function groupNameOf(group: DraftGroup): string {
  const [first] = group.resources
  return group.name?.value ?? group.resources.find(({ address }) => address !== undefined)?.address?.ip
    ?? (first === undefined ? '' : resourceName(first))
}

/** `drafts` and `groups` are the same groups in the same order. */
export function checkGroups(
  drafts: readonly DraftGroup[], groups: readonly GroupConfig[], draft: Draft, form: Form, findings: Findings,
): void {
  if (draft.groups.length === 0 && !draft.unread.has('groups')) {
    findings.warning(draft.nodesPlace, 'groups-missing', form === 'classic'
      ? 'haresources has no group: nothing will move. Write a line: NODE 192.0.2.100/24/eth0 apache2'
      : 'there is no group: nothing will move. Add one under groups.')
  }
  const sharing = checkAddresses(drafts, draft, findings)
  checkGroupNames(drafts, groups, sharing, form, findings)
  checkScripts(drafts, groups, findings)
  if (form === 'classic') checkKeys(drafts, findings)
}

/** Returns the groups that share an address: that they then share a name says nothing new. */
function checkAddresses(drafts: readonly DraftGroup[], { links }: Draft, findings: Findings): ReadonlySet<DraftGroup> {
  const seen = new Map<string, { readonly place: Place; readonly group: DraftGroup }>()
  const hosts = new Map(links.flatMap(({ value, place }) => (value.kind === 'ucast' ? [[parseIp(value.address ?? '')?.text ?? '', place]] : [])))
  const sharing = new Set<DraftGroup>()
  for (const group of drafts) {
    for (const { address, place } of group.resources) {
      if (address === undefined) continue
      const before = seen.get(address.ip)
      if (before === undefined) seen.set(address.ip, { place, group })
      else {
        if (before.group !== group) sharing.add(group)
        findings.error(place, 'address-twice', before.group === group
          ? `${address.ip} stands in this group already (line ${before.place.line}). Remove one.`
          : `${address.ip} is in the group of line ${before.place.line} already: the two groups can be on different nodes, and then ` +
            `both hold it. Keep it in one group.`)
      }
      const host = hosts.get(address.ip)
      if (host !== undefined) {
        findings.error(place, 'address-of-link',
          `${address.ip} is the address of a node in line ${host.line} (ucast): it belongs to that host and cannot move. Use a free ` +
          `address.`)
      }
    }
  }
  return sharing
}

const longestName = 1_000

function checkGroupNames(
  drafts: readonly DraftGroup[], groups: readonly GroupConfig[], sharing: ReadonlySet<DraftGroup>, form: Form, findings: Findings,
): void {
  const lines = new Map<string, number>()
  for (const [index, { name }] of groups.entries()) {
    const group = drafts[index]
    if (group === undefined) continue
    const place = group.name?.place ?? group.place
    if (name === '' || name.length > longestName || /[\s\p{Cc}]/u.test(name)) {
      findings.error(place, 'group-name-invalid',
        `the group name ${quoted(name)} is empty, longer than ${longestName} characters or has blanks. It is typed on command lines; ` +
        `write a short word.`)
    }
    const before = lines.get(name)
    if (before !== undefined && !sharing.has(group)) {
      findings.error(place, 'group-name-twice', form === 'classic'
        ? `this group and that of line ${before} both start with ${quoted(name)}, by which they are called; Heartbeat mixes them up. ` +
          `Give each its own floating address, or write one line.`
        : `this group and that of line ${before} are both called ${quoted(name)}. Set another name.`)
    }
    lines.set(name, before ?? place.line)
  }
}

function checkScripts(drafts: readonly DraftGroup[], groups: readonly GroupConfig[], findings: Findings): void {
  const seen = new Map<string, { readonly group: number; readonly line: number }>()
  for (const [index, { resources }] of groups.entries()) {
    for (const [position, resource] of resources.entries()) {
      const place = drafts[index]?.resources[position]?.place
      if (resource.address !== undefined || resource.warm || place === undefined) continue
      const name = resourceName(resource)
      const before = seen.get(name)
      if (before === undefined) seen.set(name, { group: index, line: place.line })
      else {
        findings.warning(place, 'resource-twice', before.group === index
          ? `${quoted(name)} stands twice in this group: it is started and stopped twice. Remove one.`
          : `${quoted(name)} is in the group of line ${before.line} too: where one node holds both groups, releasing one stops it for ` +
            `the other. Where it may run on both nodes, make it warm in hactl.yaml.`)
      }
    }
  }
}

/** More groups than this are not compared with each other: the work grows with their square. */
const mostCompared = 300

/** heartbeat-3.md section 6.2: Heartbeat looks for ` FIRST-RESOURCE ` as a regular expression in every line. */
function checkKeys(drafts: readonly DraftGroup[], findings: Findings): void {
  const lines = drafts.map(({ resources }) => resources.map(({ script, args }) => (script === 'IPaddr' ? args : [script, ...args]).join('::')))
  for (const [index, words] of lines.entries()) {
    const key = words[0] ?? ''
    const place = drafts[index]?.resources[0]?.place
    if (place === undefined) continue
    if (/[+*?()[\]{}^$\\]/.test(key) || (key.includes('|') && lines.length > 1)) {
      findings.warning(place, 'group-key',
        `${quoted(key)} has characters that Heartbeat takes for a pattern: it never starts this group, or others with it. hactl starts this ` +
        `one. Set a floating address before it if Heartbeat is still in the pair.`)
    }
    if (drafts.length > mostCompared) continue
    const other = lines.findIndex((candidates, at) => at !== index && candidates.some((word) => matchesWithDots(key, word)))
    if (other < 0) continue
    findings.warning(place, 'group-key',
      `Heartbeat finds the line of ${quoted(key)} by that word, and line ${drafts[other]?.place.line ?? 0} with it, and starts both as ` +
      `one. hactl keeps them apart. Start each group with an address of its own.`)
  }
}

function matchesWithDots(key: string, word: string): boolean {
  if (key.length !== word.length) return false
  for (let index = 0; index < key.length; index += 1) if (key[index] !== '.' && key[index] !== word[index]) return false
  return true
}
