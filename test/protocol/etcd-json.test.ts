/** Bodies for etcd's JSON gateway, and its answers: real ones of etcd 3.4.23 first, then what no etcd should say. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clusterOf, formatLogin, formatRequest, kindOfReply, parseLogin, parseReply } from '../../src/protocol/etcd-json.ts'
import type { EtcdRequest, EtcdResult } from '../../src/protocol/witness-conversation.ts'
import { keysOf } from '../../src/protocol/witness-key.ts'

const identity = { keySpace: '/x/', user: { name: 'hactl', passwordFile: '/etc/hactl/etcd.password' } }
const keys = keysOf('/x', 'g')
const header = '"header":{"cluster_id":"12101053776118486841","member_id":"15985099378392235387","revision":"2","raft_term":"2"}'
const key = (text: string): string => Buffer.from(text).toString('base64')
const error = (message: string, code: number): string => JSON.stringify({ error: message, message, code })

const requests = {
  read: { type: 'read', keys },
  lease: { type: 'grant-lease', seconds: 5 },
  write: { type: 'write', keys, revisions: { holder: '0', number: '17' }, lease: '9041998869106800137', holder: 'hello', number: '6' },
  keep: { type: 'keep-alive', lease: '9041998869106800137' },
  revoke: { type: 'revoke', lease: '9041998869106800137' },
  count: { type: 'count', keySpace: '/x/' },
  status: { type: 'status' },
} as const satisfies Record<string, EtcdRequest>

describe('bodies', () => {
  const rows = [
    [requests.lease, '/v3/lease/grant', { TTL: '5' }],
    [requests.keep, '/v3/lease/keepalive', { ID: '9041998869106800137' }],
    [requests.revoke, '/v3/lease/revoke', { ID: '9041998869106800137' }],
    [requests.count, '/v3/kv/range', { key: key('/x/'), range_end: key('/x0'), count_only: true }],
    [requests.status, '/v3/maintenance/status', {}],
    [requests.read, '/v3/kv/txn', { success: [{ request_range: { key: key('/x/holder/g') } }, { request_range: { key: key('/x/number/g') } }] }],
    [requests.write, '/v3/kv/txn', {
      compare: [
        { key: key('/x/holder/g'), target: 'MOD', result: 'EQUAL', mod_revision: '0' },
        { key: key('/x/number/g'), target: 'MOD', result: 'EQUAL', mod_revision: '17' },
      ],
      success: [
        { request_put: { key: key('/x/holder/g'), value: key('hello'), lease: '9041998869106800137' } },
        { request_put: { key: key('/x/number/g'), value: key('6'), lease: '0' } },
      ],
      failure: [{ request_range: { key: key('/x/holder/g') } }, { request_range: { key: key('/x/number/g') } }],
    }],
  ] as const
  test.each(rows.map(([request, path, body]) => [request.type, request, path, body] as const))('of %s', (_type, request, path, body) => {
    const made = formatRequest(request)
    expect([made.path, JSON.parse(made.body)]).toEqual([path, body])
  })

  test('of a login', () => {
    expect(formatLogin('ha', 'p"w')).toEqual({ path: '/v3/auth/authenticate', body: '{"name":"ha","password":"p\\"w"}' })
  })
})

const holderRange = `{"response_range":{"header":{"revision":"2"},"kvs":[{"key":"${key(keys.holder)}","create_revision":"2","mod_revision":"2","version":"1","value":"aGVsbG8=","lease":"9041998869106800137"}],"count":"1"}}`
const numberRange = `{"response_range":{"header":{"revision":"2"},"kvs":[{"key":"${key(keys.number)}","create_revision":"2","mod_revision":"17","version":"1","value":"Ng=="}],"count":"1"}}`
const emptyRange = '{"response_range":{"header":{"revision":"1"}}}'
const holder = { value: 'hello', revision: '2', lease: '9041998869106800137' }
const number = { value: '6', revision: '17', lease: '0' }

const real: readonly (readonly [string, EtcdRequest, number, string, EtcdResult])[] = [
  ['a lease', requests.lease, 200, `{${header},"ID":"9041998869106800133","TTL":"5"}`, { type: 'lease-granted', lease: '9041998869106800133', seconds: 5 }],
  ['a lease kept alive', requests.keep, 200, `{"result":{${header},"ID":"9041998869106800137","TTL":"30"}}\n`, { type: 'kept-alive', seconds: 30, term: '2' }],
  ['a lease that is no more', requests.keep, 200, `{"result":{${header},"ID":"9041998869106800137"}}\n`, { type: 'kept-alive', seconds: 0, term: '2' }],
  ['a lease revoked', requests.revoke, 200, `{${header}}`, { type: 'revoked' }],
  ['a lease revoked before', requests.revoke, 404, error('etcdserver: requested lease not found', 5), { type: 'no-such-lease' }],
  ['a transaction under a lease that is no more', requests.write, 404, error('etcdserver: requested lease not found', 5), { type: 'no-such-lease' }],
  ['no keys', requests.read, 200, `{${header},"succeeded":true,"responses":[${emptyRange},${emptyRange}]}`, { type: 'read', found: {}, term: '2' }],
  ['both keys', requests.read, 200, `{${header},"succeeded":true,"responses":[${holderRange},${numberRange}]}`, { type: 'read', found: { holder, number }, term: '2' }],
  ['written', requests.write, 200, `{${header},"succeeded":true,"responses":[{"response_put":{"header":{"revision":"2"}}},{"response_put":{"header":{"revision":"2"}}}]}`, { type: 'written' }],
  ['not written', requests.write, 200, `{${header},"responses":[${emptyRange},${numberRange}]}`, { type: 'not-written', found: { number } }],
  ['a count', requests.count, 200, `{${header},"count":"1"}`, { type: 'counted' }],
  ['a status', requests.status, 200, `{${header},"version":"3.4.23","dbSize":"24576"}`, { type: 'status', complaint: '' }],
]

describe('answers', () => {
  test.each(real)('%s', (_title, request, status, text, result) => {
    expect(parseReply(request, status, text, identity)).toEqual(result)
    expect(kindOfReply(status, text, identity)).toEqual({ kind: 'final' })
  })

  test('an alarm in the status is told, with what to type', () => {
    const text = `{${header},"errors":["memberID:15985099378392235387 alarm:NOSPACE "]}`
    expect(parseReply(requests.status, 200, text, identity)).toEqual({ type: 'status', complaint: expect.stringContaining('etcdctl alarm disarm') })
    expect(parseReply(requests.status, 200, text.replace('NOSPACE', 'CORRUPT'), identity)).toEqual({ type: 'status', complaint: expect.stringContaining('CORRUPT') })
  })

  const refusals = [
    ['out of space', requests.lease, 429, error('etcdserver: mvcc: database space exceeded', 8), 'final', /NOSPACE.*etcdctl compact.*etcdctl defrag; etcdctl alarm disarm/],
    ['no permission', requests.write, 403, error('etcdserver: permission denied', 7), 'final', /etcd user hactl may not .*grant-permission ROLE --prefix=true readwrite \/x\//],
    ['no user', requests.read, 400, error('etcdserver: user name is empty', 3), 'login', /no user is configured/],
    ['a token that is too old', requests.read, 401, error('etcdserver: invalid auth token', 16), 'login', /invalid auth token/],
    ['no majority', requests.keep, 503, error('etcdserver: no leader', 14), 'elsewhere', /sees no majority/],
    ['no majority, in a stream', requests.keep, 200, '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}', 'elsewhere', /sees no majority/],
    ['too slow a member', requests.read, 503, error('etcdserver: request timed out', 14), 'elsewhere', /request timed out/],
    ['an old etcd', requests.read, 404, 'Not Found\n', 'elsewhere', /3\.4 or newer/],
    ['a proxy in between', requests.read, 502, '<html>Bad Gateway</html>', 'elsewhere', /502/],
    ['http to a TLS port', requests.read, 400, 'Client sent an HTTP request to an HTTPS server.\n', 'elsewhere', /HTTPS server/],
  ] as const
  test.each(refusals)('%s', (_title, request, status, text, kind, words) => {
    expect(parseReply(request, status, text, identity)).toEqual({ type: 'failed', message: expect.stringMatching(words), answered: true })
    expect(kindOfReply(status, text, identity)).toMatchObject({ kind, ...(kind === 'elsewhere' ? { message: expect.stringMatching(words) } : {}) })
  })

  test('without a user, what permission is missing names none', () => {
    expect(parseReply(requests.write, 403, error('etcdserver: permission denied', 7), { keySpace: '/x/' })).toMatchObject({ message: expect.stringMatching(/^etcd permits no access to \/x\//) })
  })

  const wrong: readonly (readonly [string, EtcdRequest, string])[] = [
    ['nothing', requests.read, ''], ['no JSON', requests.read, 'hello'], ['a list', requests.read, '[]'],
    ['a lease without a name', requests.lease, `{${header},"TTL":"5"}`], ['a lease without life', requests.lease, `{${header},"ID":"5"}`], ['a lease of no number', requests.lease, `{${header},"ID":"5","TTL":"soon"}`],
    ['another lease kept alive', requests.keep, `{"result":{${header},"ID":"77","TTL":"30"}}`], ['a stream without a message', requests.keep, `{${header}}`],
    ['one key of two', requests.read, `{${header},"responses":[${emptyRange}]}`], ['another key', requests.read, `{${header},"responses":[${numberRange},${numberRange}]}`],
    ['two keys for one', requests.read, `{${header},"responses":[${emptyRange},${numberRange.replace('}],', `},{}],`)}]}`],
    ['a key without revision', requests.read, `{${header},"responses":[${holderRange.replace('"mod_revision":"2",', '')},${numberRange}]}`],
    ['a put where a range should be', requests.write, `{${header},"responses":[{"response_put":{}},{"response_put":{}}]}`],
    ['an empty object', requests.revoke, '{}'], ['an empty object', requests.count, '{}'], ['an empty object', requests.status, '{}'],
  ]
  test.each(wrong)('not understood: %s', (_title, request, text) => {
    expect(parseReply(request, 200, text, identity)).toMatchObject({ type: 'failed', message: expect.stringContaining('not understood') })
  })

  test('nothing that may come as an answer throws', () => {
    const texts = fc.oneof(fc.string(), fc.json(), fc.constantFrom(...real.map(([, , , text]) => text)).chain((text) => fc.nat(text.length).map((end) => text.slice(0, end))))
    fc.assert(fc.property(fc.constantFrom(...Object.values(requests)), fc.constantFrom(200, 400, 503), texts, (request, status, text) => {
      parseReply(request, status, text, identity)
      kindOfReply(status, text, identity)
      clusterOf(text)
      parseLogin(status, text, identity)
    }))
  })
})

test('the cluster that answered is read from every answer, also from a stream', () => {
  expect(clusterOf(`{${header}}`)).toBe('12101053776118486841')
  expect(clusterOf(`{"result":{${header}}}`)).toBe('12101053776118486841')
  expect(['', '{}', '{"header":{}}', error('no', 5)].map(clusterOf)).toEqual([undefined, undefined, undefined, undefined])
})

test('a login gives a token, or says what is wrong', () => {
  expect(parseLogin(200, `{${header},"token":"YUmmLZAYeiIrGrdy.42"}`, identity)).toEqual({ result: 'token', token: 'YUmmLZAYeiIrGrdy.42' })
  expect(parseLogin(412, error('etcdserver: authentication is not enabled', 9), identity)).toEqual({ result: 'not-needed' })
  expect(parseLogin(400, error('etcdserver: authentication failed, invalid user ID or password', 3), identity)).toEqual({ result: 'failed', message: expect.stringMatching(/user hactl.*\/etc\/hactl\/etcd\.password/) })
  expect(parseLogin(200, '{"token":"two\\r\\nlines"}', identity)).toMatchObject({ result: 'failed' })
})
