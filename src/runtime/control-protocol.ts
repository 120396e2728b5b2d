/** What goes over the control socket: JSON lines, one request from the client, any number of lines back, the last a result or an error. */
import type { AdminCommand, Progress } from '../core/admin.ts'
import type { Scope } from '../core/packet.ts'
import type { EventRecord } from '../core/records.ts'
import { isCount, isObject, isScope, parseJson } from './json-values.ts'

export type ControlRequest =
  | { readonly command: 'status' }
  /** At most `limit` past records, then, with `follow`, each new one until the client goes. */
  | { readonly command: 'events'; readonly follow: boolean; readonly limit: number }
  | { readonly command: 'why'; readonly group?: string }
  | { readonly command: 'admin'; readonly admin: AdminCommand }
  | { readonly command: 'reload' }
  /** Who listens here: answered by the socket itself, `{"pid": N}`. */
  | { readonly command: 'pid' }

export interface ControlError { readonly code: string; readonly message: string }

export type ControlLine =
  | { readonly progress: Progress }
  | { readonly record: EventRecord }
  | { readonly result: unknown }
  | { readonly error: ControlError }

const protocolVersion = 1
/** Of a client's line. */
export const lineLimitBytes = 64 * 1024

const commands = 'status, events, why, admin, reload, pid'
/** A day: an administrator who waits longer has gone home. */
const timeoutLimitMs = 86_400_000

type Parsed<T> = { readonly request: T } | { readonly problem: string }

/** Every field is looked at: whatever a client sends ends as a request or as a sentence that says what is wrong with it. */
export function parseRequest(line: string): Parsed<ControlRequest> {
  const json = parseJson(line)
  if (json === undefined) return { problem: 'the line is not JSON' }
  if (!isObject(json)) return { problem: 'the line is no JSON object' }
  if (json['version'] !== protocolVersion) {
    const version = show(json['version'])
    return { problem: `version ${version} is not understood: this daemon speaks ${protocolVersion}; use its own hactl` }
  }
  const command = json['command']
  if (command === 'status' || command === 'reload' || command === 'pid') return { request: { command } }
  if (command === 'events') return parseEvents(json)
  if (command === 'why') return parseWhy(json)
  if (command === 'admin') {
    const admin = parseAdmin(json['admin'])
    return 'problem' in admin ? admin : { request: { command, admin: admin.request } }
  }
  return { problem: `command ${show(command)} is not known: there are ${commands}` }
}

function parseEvents(json: Record<string, unknown>): Parsed<ControlRequest> {
  const follow = json['follow'] ?? false
  const limit = json['limit'] ?? 100
  if (typeof follow !== 'boolean') return { problem: `"follow" is ${show(follow)}, not true or false` }
  if (!isCount(limit)) return { problem: `"limit" is ${show(limit)}, not a whole number from 0` }
  return { request: { command: 'events', follow, limit } }
}

function parseWhy(json: Record<string, unknown>): Parsed<ControlRequest> {
  const group = json['group']
  if (group === undefined) return { request: { command: 'why' } }
  return typeof group === 'string' ? { request: { command: 'why', group } } : { problem: `"group" is ${show(group)}, not a name` }
}

function parseAdmin(admin: unknown): Parsed<AdminCommand> {
  if (!isObject(admin)) return { problem: `"admin" is ${show(admin)}, not an object` }
  const { type } = admin
  if (type === 'pause' || type === 'resume') return { request: { type } }
  if (type !== 'standby' && type !== 'online' && type !== 'takeover' && type !== 'cleanup' && type !== 'clear') {
    return { problem: `"admin.type" is ${show(type)}: there are standby, online, takeover, pause, resume, cleanup, clear` }
  }
  const { timeoutMs } = admin
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0) || timeoutMs > timeoutLimitMs) {
    return { problem: `"admin.timeoutMs" is ${show(timeoutMs)}, not a number above 0 and up to ${timeoutLimitMs}` }
  }
  if (type === 'online') return { request: { type, timeoutMs } }
  if (type === 'cleanup' || type === 'clear') {
    const { group } = admin
    return typeof group === 'string' ? { request: { type, group, timeoutMs } } : { problem: `"admin.group" is ${show(group)}, not a name` }
  }
  if (type === 'standby') {
    const { scope, once } = admin
    if (!isScope(scope)) return { problem: `"admin.scope" is ${show(scope)}, not all, local or foreign` }
    if (typeof once !== 'boolean') return { problem: `"admin.once" is ${show(once)}, not true or false` }
    return { request: { type, scope, once, timeoutMs } }
  }
  const target = targetOf(admin['target'])
  if (target === undefined) return { problem: `"admin.target" is ${show(admin['target'])}, not all, local, foreign or {"group": NAME}` }
  const { force } = admin
  if (typeof force !== 'boolean') return { problem: `"admin.force" is ${show(force)}, not true or false` }
  return { request: { type, target, force, timeoutMs } }
}

function targetOf(value: unknown): Scope | { readonly group: string } | undefined {
  if (isScope(value)) return value
  return isObject(value) && typeof value['group'] === 'string' ? { group: value['group'] } : undefined
}

/** A value as it came, cut: a hostile line must not come back whole. */
function show(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? 'nothing').slice(0, 60)
}
