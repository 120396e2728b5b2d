/** The witness against real etcd: what is granted, refused, renewed and lost, and what is said when etcd cannot. */
import { mkdtempSync, rmSync, writeFileSync, copyFileSync } from 'node:fs'
import { createServer, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished } from 'vitest'
import type { EtcdConfig } from '../../src/core/config.ts'
import type { WitnessAsk } from '../../src/core/effects.ts'
import type { WitnessAnswer } from '../../src/core/events.ts'
import { openWitness, type Witness, type WitnessOptions } from '../../src/daemon/witness.ts'
import { nowMs } from '../../src/runtime/clock.ts'
import { newAuthority } from './certificates.ts'
import { freePort, onLoopback, startEtcd, type Etcd, type EtcdOptions } from './etcd.ts'
import { sleep, waitFor } from './hosts.ts'
import { testWith } from './needs.ts'

const etcdPrograms = ['etcd', 'etcdctl', 'setpriv']
/** What this machine may add to a timeout: two cores, and other tests on them. */
const slackMs = 400

let shared: Promise<Etcd> | undefined
let files = 0
const scratch = mkdtempSync(join(tmpdir(), 'hactl-witness-'))

/** One member, for all tests that leave it as it was; each has a prefix of its own. */
function sharedEtcd(): Promise<Etcd> {
  shared ??= onLoopback('one').then((place) => startEtcd([place]))
  return shared
}

afterAll(async () => {
  await (await shared)?.close()
  rmSync(scratch, { recursive: true, force: true })
})

async function newEtcd(count: 1 | 3, options: EtcdOptions = {}): Promise<Etcd> {
  const places = await Promise.all(Array.from({ length: count }, (_, index) => onLoopback(`m${index + 1}`)))
  const etcd = await startEtcd(places, options)
  onTestFinished(() => etcd.close())
  return etcd
}

interface Node { witness: Witness; readonly notices: string[]; ask(ask: WitnessAsk): Promise<WitnessAnswer>; acquire(more?: Partial<Extract<WitnessAsk, { type: 'acquire' }>>): Promise<WitnessAnswer> }

function node(etcd: Partial<EtcdConfig> & Pick<EtcdConfig, 'endpoints' | 'prefix'>, more: Partial<WitnessOptions> = {}): Node {
  const notices: string[] = []
  const witness = openWitness({
    etcd, timing: { timeoutMs: 2_000, grantMs: 3_000, renewMs: 500 }, self: 'alpha', peer: 'beta', generation: 7, onNotice: (message) => notices.push(message), ...more,
  })
  onTestFinished(() => witness.close())
  const ask = (one: WitnessAsk): Promise<WitnessAnswer> => witness.ask(one.type === 'look' ? undefined : 'web', one)
  return { witness, notices, ask, acquire: (rest) => ask({ type: 'acquire', number: 0, ...rest }) }
}

const other = { self: 'beta', peer: 'alpha', generation: 3 }

function granted(said: WitnessAnswer): Extract<WitnessAnswer, { result: 'granted' }> {
  if (said.result !== 'granted') throw new Error(`not granted: ${JSON.stringify(said)}`)
  return said
}

async function tookMs<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> {
  const begunMs = nowMs()
  const value = await work()
  return { value, ms: nowMs() - begunMs }
}

function prefix(): string {
  files += 1
  return `/hactl/test-${files}`
}

testWith(etcdPrograms, 'one is granted, the other refused; renewed beyond its life; expired when it is renewed no more; the number stays', async () => {
  const { endpoints, ctl } = await sharedEtcd()
  const where = { endpoints, prefix: prefix() }
  const [alpha, beta] = [node(where), node(where, other)]
  const beforeMs = nowMs()
  const grant = granted(await alpha.acquire({ number: 4 }))
  expect(grant).toMatchObject({ lifeMs: 3_000, number: 5 })
  expect(grant.sentMs).toBeGreaterThan(beforeMs)
  expect(grant.sentMs).toBeLessThan(nowMs())
  expect(await ctl('get', '--prefix', where.prefix)).toBe(`${where.prefix}/holder/web\n{"holder":"alpha","generation":7,"number":5}\n${where.prefix}/number/web\n5\n`)
  expect(await beta.acquire()).toEqual({ result: 'refused', holder: 'alpha', number: 5 })
  let renewedMs = grant.sentMs
  while (nowMs() < grant.sentMs + 4_000) {
    await sleep(700)
    const said = await alpha.ask({ type: 'renew', leaseId: grant.leaseId })
    if (said.result !== 'renewed') throw new Error(`not renewed: ${JSON.stringify(said)}`)
    expect(said).toMatchObject({ lifeMs: 3_000 })
    renewedMs = said.sentMs
  }
  expect(await beta.acquire()).toMatchObject({ result: 'refused', holder: 'alpha' })
  const theirs = await waitFor('the key expires', async () => {
    const said = await beta.acquire()
    return said.result === 'granted' ? said : undefined
  }, 10_000, 50)
  expect(theirs.sentMs, 'not before the grant has run out').toBeGreaterThan(renewedMs + 3_000)
  expect(theirs.number).toBe(6)
  expect(await alpha.ask({ type: 'renew', leaseId: grant.leaseId })).toEqual({ result: 'lost' })
})

testWith(etcdPrograms, 'given back, the other is granted at once; a lease that is gone counts as given back', async () => {
  const where = { endpoints: (await sharedEtcd()).endpoints, prefix: prefix() }
  const [alpha, beta] = [node(where), node(where, other)]
  const { leaseId } = granted(await alpha.acquire())
  expect(await alpha.ask({ type: 'give-back', leaseId })).toEqual({ result: 'given-back' })
  expect(granted(await beta.acquire()).number).toBe(2)
  expect(await alpha.ask({ type: 'give-back', leaseId })).toEqual({ result: 'given-back' })
  expect(await alpha.acquire()).toMatchObject({ result: 'refused', holder: 'beta' })
  expect(await alpha.ask({ type: 'look' })).toEqual({ result: 'seen' })
})

testWith(etcdPrograms, 'its own key of a former daemon is rewritten, the key of a fenced peer overwritten; the former grants are lost', async () => {
  const { endpoints, ctl } = await sharedEtcd()
  const where = { endpoints, prefix: prefix() }
  const former = granted(await node(where, { generation: 6 }).acquire())
  const alpha = node(where)
  const grant = granted(await alpha.acquire())
  expect(grant.number).toBe(2)
  expect(await alpha.ask({ type: 'renew', leaseId: former.leaseId })).toEqual({ result: 'lost' })
  const beta = node(where, other)
  expect(await beta.acquire({ overwrite: { generation: 6 } })).toMatchObject({ result: 'refused' })
  expect(granted(await beta.acquire({ overwrite: { generation: 7 } })).number).toBe(3)
  expect(await alpha.ask({ type: 'renew', leaseId: grant.leaseId })).toEqual({ result: 'lost' })
  await ctl('put', `${where.prefix}/holder/web`, 'mine')
  expect(await alpha.acquire()).toEqual({ result: 'unreachable', message: expect.stringContaining(`etcdctl del ${where.prefix}/holder/web`) })
})

testWith(etcdPrograms, 'asked by two at the same time, fifty times: one is granted, and no number twice', async () => {
  const where = { endpoints: (await sharedEtcd()).endpoints, prefix: prefix() }
  const [alpha, beta] = [node(where), node(where, other)]
  const numbers: number[] = []
  for (let round = 0; round < 50; round += 1) {
    const said = await Promise.all([alpha.acquire(), beta.acquire()])
    const grants = said.filter((one) => one.result === 'granted')
    expect(grants, JSON.stringify(said)).toHaveLength(1)
    for (const { leaseId, number } of grants) {
      numbers.push(number)
      await Promise.all([alpha, beta].map((one) => one.ask({ type: 'give-back', leaseId })))
    }
  }
  expect(new Set(numbers).size).toBe(50)
  expect(Math.max(...numbers)).toBe(50)
})

testWith(etcdPrograms, 'a thousand groups that ask at once are granted each its own, those whose turn did not come when they ask again', async () => {
  const { witness } = node({ endpoints: (await sharedEtcd()).endpoints, prefix: prefix() })
  const numbers = await Promise.all(Array.from({ length: 1_000 }, async (_, index) => {
    for (;;) {
      const said = await witness.ask(`group ${index}`, { type: 'acquire', number: index })
      if (said.result === 'granted') return said.number
      if (said.result !== 'unreachable') throw new Error(JSON.stringify(said))
      await sleep(100)
    }
  }))
  expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1))
})

testWith(etcdPrograms, 'nobody listens, nobody answers, or something else answers: unreachable in time, and what was tried is named', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  const chatty = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\n\r\n' + 'x'.repeat(200_000))).listen(0, '127.0.0.1')
  onTestFinished(() => { silent.close(); chatty.close() })
  await waitFor('two servers', () => (silent.listening && chatty.listening ? true : undefined))
  const url = (server: typeof silent): string => { const at = server.address(); return `http://127.0.0.1:${typeof at === 'object' ? at?.port : 0}` }
  const gone = `http://127.0.0.1:${await freePort()}`
  const timing = { timeoutMs: 300, grantMs: 3_000, renewMs: 500 }
  const asked = async (...endpoints: string[]): Promise<{ value: WitnessAnswer; ms: number }> => tookMs(() => node({ endpoints, prefix: '/x' }, { timing }).acquire())
  const refused = await asked(gone)
  expect(refused.value).toEqual({ result: 'unreachable', message: `${gone}: connection refused: no etcd listens there` })
  const hung = await asked(url(silent), gone)
  expect(hung.value).toEqual({ result: 'unreachable', message: expect.stringMatching(/: no answer within \d+ ms; .*: connection refused/) })
  expect(hung.ms).toBeGreaterThan(280)
  expect(hung.ms).toBeLessThan(300 + slackMs)
  expect((await asked(url(chatty))).value).toMatchObject({ result: 'unreachable', message: expect.stringContaining('more than 65536 bytes') })
})

testWith(etcdPrograms, 'a member that hangs does not use up the time of another one, and is asked last from then on', async () => {
  const { endpoints } = await sharedEtcd()
  const held: Socket[] = []
  const silent = createServer((socket) => held.push(socket)).listen(0, '127.0.0.1')
  onTestFinished(() => { silent.close(); held.forEach((socket) => socket.destroy()) })
  await waitFor('a server', () => (silent.listening ? true : undefined))
  const at = silent.address()
  const alpha = node({ endpoints: [`http://127.0.0.1:${typeof at === 'object' ? at?.port : 0}`, ...endpoints], prefix: prefix() }, { timing: { timeoutMs: 1_000, grantMs: 3_000, renewMs: 500 } })
  const first = await tookMs(() => alpha.acquire())
  expect(first.value.result).toBe('granted')
  expect(first.ms).toBeGreaterThan(450)
  const second = await tookMs(() => alpha.acquire())
  expect(second.value.result).toBe('granted')
  expect(second.ms).toBeLessThan(450)
  expect(held).toHaveLength(1)
})

/** Forwards to etcd, late; after `cut`, bytes from etcd no longer come back. */
async function slowProxy(target: string, delayMs: number): Promise<{ readonly endpoint: string; cut(): void }> {
  const { port } = new URL(target)
  let cut = false
  const server = createServer((client) => {
    const upstream = connect(Number(port), '127.0.0.1')
    const later = (to: Socket) => (part: Buffer): void => void setTimeout(() => to.write(part), delayMs)
    client.on('data', later(upstream))
    upstream.on('data', (part: Buffer) => { if (!cut) later(client)(part) })
    for (const [one, peer] of [[client, upstream], [upstream, client]] as const) one.on('error', () => undefined).on('close', () => peer.destroy())
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await waitFor('a proxy', () => (server.listening ? true : undefined))
  const at = server.address()
  return { endpoint: `http://127.0.0.1:${typeof at === 'object' ? at?.port : 0}`, cut: () => { cut = true } }
}

testWith(etcdPrograms, 'slow answers: in time or unreachable; the life of a grant counts from the request for its lease', async () => {
  const [direct = ''] = (await sharedEtcd()).endpoints
  const slow = await slowProxy(direct, 100)
  const where = { endpoints: [slow.endpoint], prefix: prefix() }
  const begunMs = nowMs()
  const grant = granted(await node(where).acquire())
  expect(grant.sentMs - begunMs, 'the lease was asked for after one round trip of 200 ms').toBeGreaterThan(190)
  expect(nowMs() - grant.sentMs, 'and two more were needed').toBeGreaterThan(390)
  const late = await tookMs(() => node(where, { timing: { timeoutMs: 300, grantMs: 3_000, renewMs: 500 } }).acquire())
  expect(late.value).toMatchObject({ result: 'unreachable', message: expect.stringContaining('no answer within') })
  expect(late.ms).toBeLessThan(300 + slackMs)
})

testWith(etcdPrograms, 'a transaction done by a slow member and again by a fast one is a grant, not a refusal', async () => {
  const [direct = ''] = (await sharedEtcd()).endpoints
  const quick = await slowProxy(direct, 0)
  const where = prefix()
  // Whatever etcd says through the first is lost, so each request is done there and then once more through the second.
  quick.cut()
  const alpha = node({ endpoints: [quick.endpoint, direct], prefix: where }, { timing: { timeoutMs: 1_500, grantMs: 3_000, renewMs: 500 } })
  const deaf = node({ endpoints: [quick.endpoint], prefix: where }, { timing: { timeoutMs: 300, grantMs: 3_000, renewMs: 500 } })
  expect(await deaf.acquire()).toMatchObject({ result: 'unreachable' })
  expect(granted(await alpha.acquire()).number).toBe(1)
})

testWith([...etcdPrograms, 'openssl'], 'TLS with client certificates; what is wrong with a certificate is named, and renewed files serve without a restart', async () => {
  const dir = mkdtempSync(join(scratch, 'tls-'))
  const [ours, foreign] = [await newAuthority(dir, 'ours'), await newAuthority(dir, 'foreign')]
  const server = await ours.issue('server', 'IP:127.0.0.1')
  const client = await ours.issue('client', 'DNS:alpha')
  const expired = await ours.issue('expired', 'DNS:alpha', 0)
  const { endpoints } = await newEtcd(1, { tls: { ...server, caFile: ours.caFile, client } })
  const where = { endpoints, prefix: prefix() }
  const asked = async (more: Partial<EtcdConfig>): Promise<string> => {
    const said = await node({ ...where, ...more }).acquire()
    return said.result === 'unreachable' ? said.message : said.result
  }
  expect(await asked({ caFile: ours.caFile, ...client })).toBe('granted')
  expect(await asked({ caFile: foreign.caFile, ...client })).toContain(`its certificate is signed not by ${foreign.caFile}`)
  expect(await asked({ ...client })).toContain('by none of the authorities that this host knows')
  expect(await asked({ caFile: ours.caFile })).toContain('wants a certificate of this node (witness: etcd: cert, key)')
  const stranger = await foreign.issue('stranger', 'DNS:alpha')
  expect(await asked({ caFile: ours.caFile, ...stranger })).toContain(`refuses the certificate of this node, ${stranger.certificateFile}`)
  expect(await asked({ caFile: ours.caFile, ...expired })).toContain(`the certificate of this node, ${expired.certificateFile}`)
  expect(await asked({ caFile: ours.caFile, certificateFile: client.certificateFile, keyFile: stranger.keyFile })).toContain('no usable certificates and key')
  expect(await asked({ caFile: join(dir, 'missing.crt'), ...client })).toContain('missing.crt')
  expect(await asked({ endpoints: endpoints.map((one) => one.replace('https', 'http')) })).toContain('http or https as etcd has it')
  const [certificateFile, keyFile] = [join(dir, 'renewed.crt'), join(dir, 'renewed.key')]
  const put = (from: typeof client): void => { copyFileSync(from.certificateFile, certificateFile); copyFileSync(from.keyFile, keyFile) }
  put(stranger)
  const patient = node({ ...where, caFile: ours.caFile, certificateFile, keyFile })
  expect((await patient.acquire()).result).toBe('unreachable')
  put(client)
  await waitFor('the renewed certificate serves', async () => (await patient.acquire()).result === 'granted' || undefined, 10_000, 200)
  writeFileSync(keyFile, 'half a file')
  await waitFor('a notice of the half file', async () => {
    expect((await patient.acquire()).result).toBe('granted')
    return patient.notices.some((text) => text.includes('earlier ones serve')) || undefined
  }, 10_000, 200)
})

testWith([...etcdPrograms, 'openssl'], 'an expired certificate of etcd, one for another name, and no TLS at all', async () => {
  const dir = mkdtempSync(join(scratch, 'tls-'))
  const ours = await newAuthority(dir, 'ours')
  const client = await ours.issue('client', 'DNS:alpha')
  const reason = async (server: Awaited<ReturnType<typeof ours.issue>>): Promise<string> => {
    const place = await onLoopback('tls')
    const words = ['etcd', '--data-dir', `${place.dir}/data`, '--listen-client-urls', `https://127.0.0.1:${place.ports[0]}`, '--advertise-client-urls', `https://127.0.0.1:${place.ports[0]}`,
      '--listen-peer-urls', `http://127.0.0.1:${place.ports[1]}`, '--cert-file', server.certificateFile, '--key-file', server.keyFile]
    const running = await place.start('etcd', words)
    onTestFinished(() => { running.kill('SIGKILL'); place.forget() })
    return waitFor('a TLS answer', async () => {
      const said = await node({ endpoints: [`https://127.0.0.1:${place.ports[0]}`], prefix: '/x', caFile: ours.caFile, ...client }).acquire()
      return said.result !== 'unreachable' || !said.message.includes('certificate') ? undefined : said.message
    }, 20_000, 100)
  }
  expect(await reason(await ours.issue('old', 'IP:127.0.0.1', 0))).toContain('its certificate has expired')
  expect(await reason(await ours.issue('elsewhere', 'DNS:etcd.example'))).toContain('its certificate is for another name')
  const [plain = ''] = (await sharedEtcd()).endpoints
  expect(await node({ endpoints: [plain.replace('http', 'https')], prefix: '/x', caFile: ours.caFile }).acquire()).toMatchObject({ message: expect.stringContaining('http or https as etcd has it') })
})

testWith(etcdPrograms, 'user and password: a token is got, and got again when etcd has forgotten it; what a user lacks is named', async () => {
  const etcd = await newEtcd(1, { flags: ['--auth-token-ttl', '2'] })
  const where = { endpoints: etcd.endpoints, prefix: prefix() }
  const passwordFile = join(scratch, 'password')
  writeFileSync(passwordFile, 'open sesame\n')
  const alpha = node({ ...where, user: { name: 'hactl', passwordFile } })
  expect((await alpha.acquire()).result, 'an etcd without authentication wants no name').toBe('granted')
  for (const words of [['user', 'add', 'root:root'], ['user', 'grant-role', 'root', 'root'], ['role', 'add', 'hactl'], ['user', 'add', 'hactl:open sesame'], ['user', 'grant-role', 'hactl', 'hactl'], ['auth', 'enable']]) await etcd.ctl(...words)
  const root = (...words: string[]): Promise<string> => etcd.ctl('--user', 'root:root', ...words)
  const lacking = await alpha.acquire()
  expect(lacking).toEqual({ result: 'unreachable', message: expect.stringContaining(`the etcd user hactl may not read and write ${where.prefix}/`) })
  await root('role', 'grant-permission', 'hactl', '--prefix=true', 'readwrite', `${where.prefix}/`)
  const { leaseId } = granted(await alpha.acquire())
  expect(await alpha.ask({ type: 'look' })).toEqual({ result: 'seen' })
  await sleep(3_500)
  expect((await alpha.acquire()).result, 'the token has expired').toBe('granted')
  expect(await alpha.ask({ type: 'give-back', leaseId })).toEqual({ result: 'given-back' })
  expect(await node(where).acquire()).toMatchObject({ message: expect.stringContaining('no user is configured') })
  const wrong = join(scratch, 'wrong')
  writeFileSync(wrong, 'guess')
  expect(await node({ ...where, user: { name: 'hactl', passwordFile: wrong } }).acquire()).toMatchObject({ message: expect.stringMatching(/etcd refuses the user hactl: .*wrong has another password/) })
  expect(await node({ ...where, user: { name: 'hactl', passwordFile: join(scratch, 'none') } }).acquire()).toMatchObject({ message: expect.stringContaining('cannot be read') })
})

testWith([...etcdPrograms, 'openssl'], 'users and client certificates together: a certificate with a CommonName is refused by etcd, which is named, and one without serves', async () => {
  const authority = await newAuthority(mkdtempSync(join(scratch, 'tls-')), 'ours')
  const [server, named] = [await authority.issue('server', 'IP:127.0.0.1'), await authority.issue('named', 'DNS:alpha')]
  const plain = await authority.issue('plain', 'DNS:alpha', 2, '/O=hactl')
  const etcd = await newEtcd(1, { tls: { ...server, caFile: authority.caFile, client: plain } })
  const passwordFile = join(scratch, 'password-of-tls')
  writeFileSync(passwordFile, 'open sesame\n')
  const where = { endpoints: etcd.endpoints, prefix: prefix(), caFile: authority.caFile, ...plain }
  const user = { name: 'hactl', passwordFile }
  for (const words of [['user', 'add', 'root:root'], ['user', 'grant-role', 'root', 'root'], ['role', 'add', 'hactl'],
    ['role', 'grant-permission', 'hactl', '--prefix=true', 'readwrite', `${where.prefix}/`],
    ['user', 'add', 'hactl:open sesame'], ['user', 'grant-role', 'hactl', 'hactl'], ['auth', 'enable']]) await etcd.ctl(...words)
  expect(await node({ ...where, ...named, user }).acquire()).toMatchObject({ message: expect.stringContaining('no client certificate with a CommonName') })
  expect((await node({ ...where, user }).acquire()).result).toBe('granted')
  expect(await node(where).acquire()).toMatchObject({ message: expect.stringContaining('without a user (witness: etcd: user, password_file)') })
})

testWith(etcdPrograms, 'etcd out of space: grants are renewed and given back, none is given, and a look tells what to type', async () => {
  const etcd = await newEtcd(1, { flags: ['--quota-backend-bytes', '8000000'] })
  const where = { endpoints: etcd.endpoints, prefix: prefix() }
  const [alpha, beta] = [node(where), node(where, other)]
  const { leaseId } = granted(await alpha.acquire())
  await waitFor('the alarm', async () => {
    const full = await etcd.ctl('put', 'filler', 'x'.repeat(100_000)).then(() => false, () => true)
    const said = await alpha.ask({ type: 'renew', leaseId })
    expect(said.result).toBe('renewed')
    return full || undefined
  }, 30_000, 0)
  const whatToType = expect.stringContaining('etcdctl compact REVISION; etcdctl defrag; etcdctl alarm disarm')
  expect(await alpha.ask({ type: 'look' })).toEqual({ result: 'unreachable', message: whatToType })
  expect(await beta.acquire()).toMatchObject({ result: 'refused', holder: 'alpha' })
  expect(await alpha.acquire()).toEqual({ result: 'unreachable', message: whatToType })
  expect((await alpha.ask({ type: 'renew', leaseId })).result).toBe('renewed')
  expect((await alpha.ask({ type: 'give-back', leaseId })).result).toBe('given-back')
  const revision = /"Revision" : (\d+)/.exec(await etcd.ctl('endpoint', 'status', '--write-out', 'fields'))?.[1] ?? ''
  for (const words of [['compact', revision], ['defrag'], ['alarm', 'disarm']]) await etcd.ctl(...words)
  expect(await alpha.ask({ type: 'look' })).toEqual({ result: 'seen' })
  expect((await beta.acquire()).result).toBe('granted')
})

testWith(etcdPrograms, 'endpoints of two clusters: only the one that answered first is believed', async () => {
  const [one, two] = [await sharedEtcd(), await newEtcd(1)]
  const where = prefix()
  const alpha = node({ endpoints: [...two.endpoints, ...one.endpoints], prefix: where }, { timing: { timeoutMs: 600, grantMs: 3_000, renewMs: 500 } })
  expect((await alpha.acquire()).result).toBe('granted')
  for (const member of two.members) member.kill('SIGSTOP')
  expect(await alpha.acquire()).toMatchObject({ result: 'unreachable', message: expect.stringContaining('name members of one cluster only') })
})

function median(values: readonly number[]): number {
  return [...values].sort((one, two) => one - two)[Math.floor(values.length / 2)] ?? Infinity
}

testWith(etcdPrograms, 'a grant and a renewal take milliseconds, of one member and of three', async () => {
  for (const count of [1, 3] as const) {
    const etcd = await newEtcd(count)
    const where = { endpoints: etcd.endpoints, prefix: prefix() }
    const [alpha, beta] = [node(where), node(where, other)]
    const times: Record<string, number[]> = { grant: [], refusal: [], renewal: [], 'give-back': [], look: [] }
    const timed = async (what: string, result: WitnessAnswer['result'], work: () => Promise<WitnessAnswer>): Promise<WitnessAnswer> => {
      const { value, ms } = await tookMs(work)
      expect(value.result).toBe(result)
      times[what]?.push(ms)
      return value
    }
    for (let round = 0; round < 50; round += 1) {
      const { leaseId } = granted(await timed('grant', 'granted', () => alpha.acquire()))
      await timed('refusal', 'refused', () => beta.acquire())
      await timed('renewal', 'renewed', () => alpha.ask({ type: 'renew', leaseId }))
      await timed('look', 'seen', () => alpha.ask({ type: 'look' }))
      await timed('give-back', 'given-back', () => alpha.ask({ type: 'give-back', leaseId }))
    }
    const medians = Object.entries(times).map(([what, values]) => [what, median(values)] as const)
    console.info(`etcd of ${count}: medians of 50: ${medians.map(([what, ms]) => `${what} ${ms.toFixed(1)} ms`).join(', ')}`)
    for (const [what, ms] of medians) expect(ms, what).toBeLessThan(500)
  }
})

testWith(etcdPrograms, 'three members: the leader is killed while a grant is renewed, and it is answered again before the grant ends', async () => {
  const etcd = await newEtcd(3)
  const timing = { timeoutMs: 500, grantMs: 5_000, renewMs: 500 }
  const alpha = node({ endpoints: etcd.endpoints, prefix: prefix() }, { timing })
  const { leaseId } = granted(await alpha.acquire())
  const leader = await etcd.leader()
  const killedMs = nowMs()
  leader.kill('SIGKILL')
  const failures: string[] = []
  const back = await waitFor('an answer of the others', async () => {
    const { value, ms } = await tookMs(() => alpha.ask({ type: 'renew', leaseId }))
    expect(ms, 'every answer in time').toBeLessThan(500 + slackMs)
    expect(value.result, 'a grant that may be renewed is not lost').not.toBe('lost')
    if (value.result === 'unreachable') failures.push(value.message)
    return value.result === 'renewed' ? value : undefined
  }, 5_000, 50)
  console.info(`leader killed: renewed again after ${Math.round(nowMs() - killedMs)} ms, ${failures.length} times unreachable: ${failures[0] ?? ''}`)
  expect(back.sentMs).toBeGreaterThan(killedMs)
  await leader.start()
  expect((await alpha.ask({ type: 'give-back', leaseId })).result).toBe('given-back')
})

testWith(etcdPrograms, 'a member without a majority is unreachable, however it is asked; with one member hung the others answer', async () => {
  const etcd = await newEtcd(3)
  const timing = { timeoutMs: 600, grantMs: 10_000, renewMs: 500 }
  const where = { endpoints: etcd.endpoints, prefix: prefix() }
  const alpha = node(where, { timing })
  const { leaseId } = granted(await alpha.acquire())
  const leader = await etcd.leader()
  leader.kill('SIGSTOP')
  await waitFor('the others answer', async () => (await alpha.ask({ type: 'renew', leaseId })).result === 'renewed' || undefined, 8_000, 50)
  const [second] = etcd.members.filter((member) => member !== leader)
  second?.kill('SIGSTOP')
  const rest = node(where, { ...other, timing })
  for (const ask of [{ type: 'look' }, { type: 'acquire', number: 0 }, { type: 'renew', leaseId }, { type: 'give-back', leaseId }] as const) {
    const { value, ms } = await tookMs(() => rest.ask(ask))
    expect(value.result, `${ask.type}: ${JSON.stringify(value)}`).toBe('unreachable')
    expect(ms).toBeLessThan(600 + slackMs)
  }
  leader.kill('SIGCONT')
  second?.kill('SIGCONT')
  await waitFor('all answer', async () => (await rest.ask({ type: 'look' })).result === 'seen' || undefined, 10_000, 100)
})
