/** Puts what was read together: defaults, relations between the parts, and the two results, `ClusterConfig` and `ShownConfig`. */
import type { AuthConfig, ClusterConfig, GroupConfig } from '../core/config.ts'
import { resourceName } from '../core/stage.ts'
import { checkGroups, groupNameOf } from './check-groups.ts'
import { checkProtection } from './check-protection.ts'
import { checkSerial } from './check-serial.ts'
import { checkTiming, timingOf, withReachableWarntime } from './check-timing.ts'
import { digestsOf } from './digests.ts'
import type { Draft, DraftGroup } from './draft.ts'
import { checkFences } from './fencing.ts'
import { codePoint, type Findings, quoted } from './findings.ts'
import { besideHeartbeat } from './ha-cf-used.ts'
import { checkPings } from './ping-nodes.ts'
import { checkWatchdog, protectionOf } from './protection.ts'
import type { Form } from './resource-words.ts'
import { checkNames, resolveResource, type Settings } from './settings.ts'
import { didYouMean } from './suggestions.ts'
import { shownOf } from './shown.ts'
import { oddBlanks } from './text-lines.ts'
import type { ConfigPlaces, Place, ShownConfig } from './types.ts'

export interface Assembled {
  readonly config: ClusterConfig
  readonly shown: ShownConfig
  readonly places: ConfigPlaces
}

/** The configuration is good only if `findings` has no error afterwards. */
export function assemble(draft: Draft, settings: Settings, form: Form, findings: Findings): Assembled {
  const nodes = checkNodes(draft, findings)
  const timing = timingOf(draft)
  checkTiming(draft, timing, findings)
  checkLinks(draft, findings)
  checkFences(draft, nodes, findings)
  checkWatchdog(draft, findings)
  checkFailback(draft, settings, form, findings)
  const named = draft.groups.filter((group) => isUsable(group, draft, nodes, form, findings))
  const groups = named.map((group) => groupOf(group, settings, findings))
  checkGroups(named, groups, draft, form, findings)
  checkPings(draft, timing, groups, form, findings)
  if (!draft.unread.has('groups') && !draft.groups.some(({ unread }) => unread === true)) checkNames(groups, settings, findings)
  const autoFailback = settings.autoFailback?.value ?? draft.autoFailback?.value ?? 'on'
  const protection = protectionOf(draft, nodes, timing, form)
  const core = { nodes, timing: withReachableWarntime(timing), autoFailback, groups, ...protection }
  const resourceAgents = settings.originalAgents === undefined ? 'hactl' : 'original'
  const config: ClusterConfig = {
    ...core,
    resourceAgents,
    digests: digestsOf({ ...core, resourceAgents }),
    failureMemoryMs: settings.failureMemoryMs,
    udpPort: draft.udpPort,
    links: draft.links.map(({ value }) => value),
    auth: checkAuth(draft, settings, findings),
    allowCrc: settings.allowCrc,
    notify: settings.notify,
    ...(draft.logFile === undefined ? {} : { logFile: draft.logFile }),
    ...(draft.scriptLog === undefined ? {} : { scriptLog: draft.scriptLog }),
    debugLevel: draft.debugLevel,
    environment: draft.environment,
  }
  if (findings.errors().length === 0) checkSerial(config, draft, findings)
  if (findings.errors().length === 0) checkProtection(config, draft, settings, findings)
  return { config, shown: shownOf(config, timing, draft), places: placesOf(config, draft, named) }
}

function checkNodes({ nodes, nodesPlace, unread }: Draft, findings: Findings): readonly string[] {
  const names: string[] = []
  for (const { value, place } of nodes) {
    if (value.length > 99 || /[\s\u0000-\u001f=]/u.test(value)) {
      findings.error(place, 'node-name-invalid',
        `node ${quoted(value)}: a name has at most 99 characters, no blanks and no =. It is what uname -n prints.`)
    }
    if (names.includes(value)) findings.warning(place, 'node-twice',
      `node ${quoted(value)} is named twice (names are compared in small letters). Remove one.`)
    else names.push(value)
  }
  if (unread.has('nodes')) return names
  if (names.length === 0) {
    findings.error(nodesPlace, 'nodes-missing', 'no node is named. Name both, as uname -n prints them: node NAME1 NAME2')
  } else if (names.length !== 2) {
    findings.error(nodesPlace, 'nodes-not-two',
      `${names.length === 1 ? 'one node is' : `${names.length} nodes are`} named ` +
      `(${names.slice(0, 5).map(quoted).join(', ')}${names.length > 5 ? ', ...' : ''}); a pair has exactly two. ` +
      (names.length === 1 ? 'Name the peer too, as uname -n prints it there.' : 'Keep the two that share the groups.'))
  }
  return names
}

function checkLinks({ links, linksPlace, unread }: Draft, findings: Findings): void {
  if (links.length > 0 || unread.has('links')) return
  findings.error(linksPlace, 'links-missing',
    'no link leads to the peer: each node would think that it is alone, and both would hold every address. Add one, better two on ' +
    'different networks: bcast eth0')
}

function checkFailback(draft: Draft, settings: Settings, form: Form, findings: Findings): void {
  if (draft.unread.has('auto_failback') || draft.autoFailback !== undefined || settings.autoFailback !== undefined) return
  const top = { file: draft.timingPlace.file, line: 1, column: 1 }
  findings.warning(top, 'failback-missing', form === 'classic'
    ? 'there is no auto_failback: Heartbeat does as with the obsolete legacy, hactl as with on: a group returns to its preferred node. ' +
      `Write auto_failback on, or off.${besideHeartbeat}`
    : 'there is no auto_failback: it is on, so that a group returns to its preferred node. Write auto_failback: on, or off.')
}

/** Groups without resources are shown, and take part in nothing else. */
function isUsable(group: DraftGroup, { unread }: Draft, nodes: readonly string[], form: Form, findings: Findings): boolean {
  const { value, place } = group.preferredNode
  const isNamed = !(group.unread === true && value === '')
  if (isNamed && !nodes.includes(value) && !unread.has('nodes')) {
    findings.error(place, 'node-unknown',
      `the group prefers ${quoted(value)}, which is no node of this pair ` +
      `(${nodes.map(quoted).join(', ') || 'none is named'}).${nodeHint(group, nodes, form)}`)
  } else if (group.resources.length === 0 && group.unread !== true) {
    findings.warning(group.place, 'group-empty',
      `${quoted(value)} is followed by no resource: it is no group. Add resources, or remove it.`)
  }
  return group.resources.length > 0
}

function nodeHint({ preferredNode: { value: name }, place, resources }: DraftGroup, nodes: readonly string[], form: Form): string {
  const odd = oddBlanks.exec(name)?.[0]
  if (odd !== undefined) return ` It holds the character ${codePoint(odd)}, which is no blank here. Write an ordinary one.`
  if (/^(\/\/|;|")/.test(name)) return ' A comment starts with #.'
  if (/^\d+\.\d+\.\d+\.\d+/.test(name) || name.includes('::')) {
    return ' The line starts with a resource: set the preferred node before it.'
  }
  const sameHost = nodes.find((node) => node.split('.')[0] === name.split('.')[0])
  if (sameHost !== undefined) return ` Names are compared whole: write ${sameHost}.`
  const suggestion = didYouMean(name, nodes)
  if (suggestion !== '' || form === 'yaml') return suggestion
  if (place.line > 1 && (resources.length === 0 || place.column > 1)) {
    return ' Is the line above meant to go on here? Then it ends with a backslash and nothing behind it.'
  }
  return nodes.length === 2 ? ` Write ${nodes.join(' or ')}, or correct the names in ha.cf: they are what uname -n prints.` : ''
}

function groupOf(group: DraftGroup, settings: Settings, findings: Findings): GroupConfig {
  const name = groupNameOf(group)
  const autoFailback = group.autoFailback ?? settings.groups.get(name)?.value.autoFailback
  return {
    name,
    preferredNode: group.preferredNode.value,
    resources: group.resources.map((resource) => resolveResource(resource, group, name, settings, findings)),
    ...keyOf(group),
    ...(autoFailback === undefined ? {} : { autoFailback }),
  }
}

function keyOf({ resources: [first] }: DraftGroup): Pick<GroupConfig, 'key'> {
  return first?.word === undefined || first.word === resourceName(first) ? {} : { key: first.word }
}

function checkAuth({ auth }: Draft, { allowCrc }: Settings, findings: Findings): AuthConfig {
  if (auth === undefined) return { active: 0, keys: [] }
  const active = auth.keys.find(({ index }) => index === auth.active)
  if (active?.method === 'crc') {
    findings.warning(auth.activePlace, 'crc-no-key',
      'crc has no key: whoever can send a packet to this network can move the addresses. Type hactl keys new, and copy its file to ' +
      'both nodes.' +
      (allowCrc ? '' : ' The daemon does not start with crc unless hactl.yaml says allow_crc: true.'))
  }
  return { active: auth.active ?? 0, keys: auth.keys }
}

function placesOf({ pings }: ClusterConfig, draft: Draft, groups: readonly DraftGroup[]): ConfigPlaces {
  const { witness, watchdog, fences, pings: { targets } } = draft.protection
  const placeOfTarget = (name: string): Place => targets.find(({ value }) => value.name === name)?.place ?? draft.nodesPlace
  return {
    nodes: draft.nodesPlace,
    auth: draft.auth?.activePlace ?? draft.nodesPlace,
    links: draft.links.map(({ place }) => place),
    pings: (pings?.targets ?? []).map(({ name }) => placeOfTarget(name)),
    witness: witness?.place ?? draft.nodesPlace,
    fences: Object.fromEntries(fences.map(({ target }) => [target.value, target.place])),
    watchdog: watchdog?.place ?? draft.nodesPlace,
    resources: groups.map(({ resources }) => resources.map(({ place }) => place)),
  }
}
