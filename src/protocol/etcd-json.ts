/**
 * etcd's JSON gateway (`/v3/...`, etcd 3.4 and newer): bodies of requests, and answers read strictly. Keys and values are
 * base64, an int64 is decimal text, and what is zero, false or empty is left out. Never throws.
 */
import { isObject, parseJson } from './json.ts'
import type { EtcdRequest, EtcdResult } from './witness-conversation.ts'
import { complaintOf, explain, type EtcdError, type EtcdIdentity } from './etcd-trouble.ts'
import { noLease, noRevision, type Entry, type Found, type GroupKeys } from './witness-key.ts'

export interface EtcdCall { readonly path: string; readonly body: string }

/** The widest answer that is asked for has two small keys. */
export const maxReplyBytes = 64 * 1_024

export function formatRequest(request: EtcdRequest): EtcdCall {
  switch (request.type) {
    case 'read':
      return call('/v3/kv/txn', { success: readBoth(request.keys) })
    case 'grant-lease':
      return call('/v3/lease/grant', { TTL: String(request.seconds) })
    case 'write':
      return call('/v3/kv/txn', {
        compare: [isOf(request.keys.holder, request.revisions.holder), isOf(request.keys.number, request.revisions.number)],
        success: [put(request.keys.holder, request.holder, request.lease), put(request.keys.number, request.number, noLease)],
        failure: readBoth(request.keys),
      })
    case 'keep-alive':
      return call('/v3/lease/keepalive', { ID: request.lease })
    case 'revoke':
      return call('/v3/lease/revoke', { ID: request.lease })
    case 'count':
      return call('/v3/kv/range', { key: base64(request.keySpace), range_end: base64(endOf(request.keySpace)), count_only: true })
    case 'status':
      return call('/v3/maintenance/status', {})
  }
}

function call(path: string, body: object): EtcdCall {
  return { path, body: JSON.stringify(body) }
}

/** The same revision or none: whatever else was written in between makes the transaction fail. */
function isOf(key: string, revision: string): object {
  return { key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: revision }
}

function put(key: string, value: string, lease: string): object {
  return { request_put: { key: base64(key), value: base64(value), lease } }
}

function readBoth(keys: GroupKeys): readonly object[] {
  return [keys.holder, keys.number].map((key) => ({ request_range: { key: base64(key) } }))
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

/** The first key behind all that begin with this text, whose last character is a slash. */
function endOf(keySpace: string): string {
  return `${keySpace.slice(0, -1)}0`
}

/** What the answer to this request says; `failed` for anything that is not understood. */
export function parseReply(request: EtcdRequest, status: number, text: string, identity: EtcdIdentity): EtcdResult {
  const json = parseJson(text)
  const error = errorOf(json, status, text)
  if (error !== undefined) {
    const gone = error.code === notFound && error.message.includes('lease not found')
    return gone ? { type: 'no-such-lease' } : { type: 'failed', message: explain(error, identity), answered: true }
  }
  const result = isObject(json) ? understand(request, json) : undefined
  return result ?? { type: 'failed', message: `etcd's answer to ${formatRequest(request).path} is not understood: ${text.slice(0, 200)}`, answered: true }
}

/** What `/v3/auth/authenticate` is asked, and what it gave. */
export function formatLogin(name: string, password: string): EtcdCall {
  return call('/v3/auth/authenticate', { name, password })
}

export type Login =
  | { readonly result: 'token'; readonly token: string }
  /** This etcd wants no names. */
  | { readonly result: 'not-needed' }
  | { readonly result: 'failed'; readonly message: string }

export function parseLogin(status: number, text: string, identity: EtcdIdentity): Login {
  const json = parseJson(text)
  const error = errorOf(json, status, text)
  if (error?.message.includes('authentication is not enabled') === true) return { result: 'not-needed' }
  if (error !== undefined) return { result: 'failed', message: explain(error, identity) }
  const token = isObject(json) ? json['token'] : undefined
  // It becomes a header of each request.
  if (typeof token === 'string' && /^[\x21-\x7e]{1,8192}$/.test(token)) return { result: 'token', token }
  return { result: 'failed', message: 'etcd gave no token for its user' }
}

export type ReplyKind =
  | { readonly kind: 'final' }
  /** This member cannot say now, another may. */
  | { readonly kind: 'elsewhere'; readonly message: string }
  /** The token is no longer good. */
  | { readonly kind: 'login' }

export function kindOfReply(status: number, text: string, identity: EtcdIdentity): ReplyKind {
  const error = errorOf(parseJson(text), status, text)
  if (error === undefined) return { kind: 'final' }
  if (error.code === unauthenticated || /auth store is old|user name is empty/.test(error.message)) return { kind: 'login' }
  return error.code !== undefined && definite.includes(error.code) ? { kind: 'final' } : { kind: 'elsewhere', message: explain(error, identity) }
}

/** What every answer names; undefined where it names none. */
export function clusterOf(text: string): string | undefined {
  const json = parseJson(text)
  const outer = isObject(json) ? json : {}
  const inner = isObject(outer['result']) ? outer['result'] : outer
  const id = isObject(inner['header']) ? int64(inner['header']['cluster_id']) : undefined
  return id === '0' ? undefined : id
}

/** gRPC's status codes: invalid argument, not found, already exists, permission denied, exhausted, precondition, unimplemented. */
const definite: readonly number[] = [3, 5, 6, 7, 8, 9, 12]
const notFound = 5
const unauthenticated = 16

/** An answer of HTTP 200 may carry an error, too: that of a stream. */
function errorOf(json: unknown, status: number, text: string): EtcdError | undefined {
  const outer = isObject(json) ? json : {}
  const body = isObject(outer['error']) ? outer['error'] : outer
  const code = [body['grpc_code'], body['code']].find((one) => typeof one === 'number')
  const message = [body['message'], body['error']].find((one) => typeof one === 'string')
  if (status === 200 && message === undefined) return undefined
  return { ...(code === undefined ? {} : { code }), message: message ?? `HTTP status ${status}: ${text.slice(0, 100)}` }
}

function understand(request: EtcdRequest, json: Record<string, unknown>): EtcdResult | undefined {
  switch (request.type) {
    case 'read': {
      const found = foundIn(json, request.keys)
      return found === undefined ? undefined : { type: 'read', found, term: termOf(json) }
    }
    case 'grant-lease': {
      const lease = int64(json['ID'])
      const seconds = Number(int64(json['TTL']))
      return lease === undefined || lease === noLease || !(seconds > 0) ? undefined : { type: 'lease-granted', lease, seconds }
    }
    case 'write': {
      if (json['succeeded'] === true) return { type: 'written' }
      const found = foundIn(json, request.keys)
      return found === undefined ? undefined : { type: 'not-written', found }
    }
    case 'keep-alive': {
      const inner = json['result']
      if (!isObject(inner) || int64(inner['ID']) !== request.lease) return undefined
      const seconds = Number(int64(inner['TTL']))
      return seconds >= 0 ? { type: 'kept-alive', seconds, term: termOf(inner) } : undefined
    }
    case 'revoke':
      return isObject(json['header']) ? { type: 'revoked' } : undefined
    case 'count':
      return isObject(json['header']) ? { type: 'counted' } : undefined
    case 'status':
      return isObject(json['header']) ? { type: 'status', complaint: complaintOf(json['errors']) } : undefined
  }
}

function foundIn(json: Record<string, unknown>, keys: GroupKeys): Found | undefined {
  const responses = json['responses']
  if (!Array.isArray(responses) || responses.length !== 2) return undefined
  const [holder, number] = [entryIn(responses[0], keys.holder), entryIn(responses[1], keys.number)]
  if (holder === 'unclear' || number === 'unclear') return undefined
  return { ...(holder === 'absent' ? {} : { holder }), ...(number === 'absent' ? {} : { number }) }
}

function entryIn(response: unknown, key: string): Entry | 'absent' | 'unclear' {
  const range = isObject(response) ? response['response_range'] : undefined
  if (!isObject(range)) return 'unclear'
  const kvs = range['kvs'] ?? []
  if (!Array.isArray(kvs) || kvs.length > 1) return 'unclear'
  const kv: unknown = kvs[0]
  if (kv === undefined) return 'absent'
  if (!isObject(kv) || kv['key'] !== base64(key)) return 'unclear'
  const [value, revision, lease] = [kv['value'] ?? '', int64(kv['mod_revision']), int64(kv['lease'])]
  if (typeof value !== 'string' || revision === undefined || revision === noRevision || lease === undefined) return 'unclear'
  return { value: Buffer.from(value, 'base64').toString('utf8'), revision, lease }
}

function termOf(json: Record<string, unknown>): string {
  return isObject(json['header']) ? int64(json['header']['raft_term']) ?? '' : ''
}

/** Left out means zero; undefined means that it is no number. */
function int64(value: unknown): string | undefined {
  if (value === undefined) return '0'
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? value : undefined
}
