/** The words of a rehearsal, read as steps: all mistakes at once, each with the form that was probably meant. */
import { didYouMean } from '../config/suggestions.ts'
import { yamlTime } from '../config/durations.ts'
import type { ClusterConfig } from '../core/config.ts'
import { resourceName } from '../core/stage.ts'
import { forms, type Form, type Found } from './rehearsal-forms.ts'
import { linksOf } from './rehearsal-options.ts'
import type { World } from './world.ts'

/** One part between commas. `waitMs`: time passes before the next one. */
export interface Step { readonly text: string; readonly waitMs: number; readonly act: (world: World) => void }

export type Reading = { readonly steps: readonly Step[] } | { readonly problems: readonly string[] }

const wait: Form = { words: 'wait TIME', means: 'time passes before the next part: 10s, 5m', act: () => undefined }
const allForms = [wait, ...forms]

/** Those that make sense of this configuration. */
export function formsOf(config: ClusterConfig): readonly Form[] {
  return allForms.filter(({ needs }) => needs === undefined || missing(needs, config) === undefined)
}

export function readScenario(text: string, config: ClusterConfig): Reading {
  const parts = text.split(',').map((part) => part.trim().replace(/\s+/g, ' ')).filter((part) => part !== '')
  if (parts.length === 0) return { problems: ['the scenario is empty'] }
  const read = parts.map((part) => readPart(part, config))
  const problems = read.flatMap((one) => ('problem' in one ? [one.problem] : []))
  return problems.length > 0 ? { problems } : { steps: read.flatMap((one) => ('problem' in one ? [] : [one])) }
}

type PartReading = Step | { readonly problem: string }

function readPart(text: string, config: ClusterConfig): PartReading {
  const words = text.split(' ')
  const matches = allForms.map((form) => ({ form, match: matchForm(form.words.split(' '), words) }))
  const complete = matches.find(({ match }) => match.complete)
  if (complete === undefined) return { problem: unknownWords(text, words, matches) }
  const { form, match } = complete
  const lacking = form.needs === undefined ? undefined : missing(form.needs, config)
  if (lacking !== undefined) return { problem: `"${text}": ${lacking}` }
  const found = findNames(match.names, config)
  if ('problem' in found) return { problem: `"${text}": ${found.problem}` }
  return { text, waitMs: form === wait ? found.timeMs : 0, act: (world) => form.act(world, found) }
}

interface Match { readonly complete: boolean; readonly matched: number; readonly names: readonly (readonly [kind: string, word: string])[] }

/** A link's full name has blanks, so LINK takes all words that are left. */
function matchForm(form: readonly string[], words: readonly string[]): Match {
  const names: [string, string][] = []
  for (const [index, wanted] of form.entries()) {
    const word = words[index]
    if (word === undefined) return { complete: false, matched: index, names }
    if (wanted === 'LINK') return { complete: true, matched: index, names: [...names, [wanted, words.slice(index).join(' ')]] }
    if (isName(wanted)) names.push([wanted, word])
    else if (wanted !== word.toLowerCase()) return { complete: false, matched: index, names }
  }
  return { complete: form.length === words.length, matched: form.length, names }
}

function isName(word: string): boolean {
  return /^[A-Z]+$/.test(word)
}

function unknownWords(text: string, words: readonly string[], matches: readonly { readonly form: Form; readonly match: Match }[]): string {
  const best = Math.max(...matches.map(({ match }) => match.matched))
  if (best > 0) {
    const near = matches.filter(({ match }) => match.matched === best).map(({ form }) => `"${form.words}"`)
    return `"${text}" is not understood. There is ${near.join(', ')}`
  }
  const first = [...new Set(allForms.map(({ words: known }) => known.split(' ')[0] ?? ''))]
  return `"${text}" is not understood.${didYouMean(words[0] ?? '', first)} A part begins with one of: ${first.join(', ')}`
}

function missing(needs: NonNullable<Form['needs']>, { witness, fencing, ping }: ClusterConfig): string | undefined {
  switch (needs) {
    case 'witness': return witness === undefined ? 'this configuration has no witness' : undefined
    case 'fencing': return fencing === undefined ? 'this configuration has no fencing' : undefined
    case 'ping': return ping === undefined ? 'this configuration has no ping nodes' : undefined
  }
}

type MutableFound = { -readonly [Key in keyof Found]: Found[Key] }

function findNames(names: Match['names'], config: ClusterConfig): Found | { readonly problem: string } {
  const found: MutableFound = { nodes: [], links: [], timeMs: 0, scope: 'all', group: undefined, resource: '' }
  for (const [kind, word] of names) {
    const problem = findName(kind, word, config, found)
    if (problem !== undefined) return { problem }
  }
  const [one, other] = found.nodes
  return one !== undefined && one === other ? { problem: `${one} stands twice: name both nodes` } : found
}

/** Writes what was found; gives what is wrong otherwise. */
function findName(kind: string, word: string, config: ClusterConfig, found: MutableFound): string | undefined {
  switch (kind) {
    case 'NODE': return pick(word, config.nodes, 'node', (node) => { found.nodes = [...found.nodes, node] })
    case 'LINK': return findLinks(word, config, found)
    case 'TIME': return findTime(word, found)
    case 'SCOPE': return pick(word, scopes, 'scope', (scope) => void takeScope(scope, found))
    case 'GROUP': return pick(word, groupNames(config), 'group', (group) => { found.group = group })
    case 'WHAT': return takeScope(word.toLowerCase(), found) ? undefined
      : pick(word, [...scopes, ...groupNames(config)], 'group', (group) => { found.group = group })
    case 'SCRIPT': return pick(word, scriptNames(config), 'script', (script) => { found.resource = script })
    default: return pick(word, addressTexts(config), 'address', (address) => { found.resource = address })
  }
}

const scopes = ['all', 'local', 'foreign'] as const

function takeScope(word: string, found: MutableFound): boolean {
  const scope = scopes.find((one) => one === word)
  if (scope !== undefined) found.scope = scope
  return scope !== undefined
}

function pick(word: string, known: readonly string[], what: string, take: (name: string) => void): string | undefined {
  const name = known.find((one) => one.toLowerCase() === word.toLowerCase())
  if (name === undefined) return `there is no ${what} ${word}.${didYouMean(word, known)} Known: ${known.join(', ') || 'none'}`
  take(name)
  return undefined
}

function findTime(word: string, found: MutableFound): string | undefined {
  const ms = yamlTime(word)
  if (ms === undefined || ms < 1) return `${word} is no time: 200ms, 2s, 5m`
  found.timeMs = ms
  return undefined
}

function findLinks(words: string, config: ClusterConfig, found: MutableFound): string | undefined {
  const links = linksOf(config.links)
  const isMeant = (one: string): boolean => one.toLowerCase() === words.toLowerCase()
  found.links = links.filter(({ name, interface: device }) => isMeant(name) || isMeant(device)).map(({ name }) => name)
  if (found.links.length > 0) return undefined
  const known = [...new Set(links.flatMap(({ name, interface: device }) => [device, name]))]
  return `there is no link ${words}.${didYouMean(words, known)} Known: ${known.join(', ') || 'none'}`
}

function groupNames({ groups }: ClusterConfig): readonly string[] {
  return groups.map(({ name }) => name)
}

/** By its first word, or with its arguments where several have the same. */
function scriptNames({ groups }: ClusterConfig): readonly string[] {
  const scripts = groups.flatMap(({ resources }) => resources.filter(({ address }) => address === undefined))
  return [...new Set(scripts.flatMap((one) => [one.script, resourceName(one)]))]
}

function addressTexts({ groups }: ClusterConfig): readonly string[] {
  return groups.flatMap(({ resources }) => resources.flatMap(({ address }) => (address === undefined ? [] : [address.ip])))
}
