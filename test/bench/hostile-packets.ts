/**
 * Ten million mutated packets of a real pair through everything that a datagram passes: none may be used, none may throw, and memory
 * must stay flat. From the top directory:
 *
 *   npx esbuild test/bench/hostile-packets.ts --bundle --platform=node --format=esm --outfile=.bench/hostile-packets.js
 *   node .bench/hostile-packets.js [COUNT] [SEED]
 *
 * Exits with 1 if a packet was used that is no real one, or memory grew.
 */
import { emptyReception, receive } from '../../src/protocol/reception.ts'
import type { RefusalCause } from '../../src/protocol/refusals.ts'
import { mutated } from '../protocol/mutations.ts'
import { randomNumbers, readCaptures } from '../protocol/samples.ts'

const count = Number(process.argv[2] ?? 10_000_000)
const seed = Number(process.argv[3] ?? 694)
/** More than the garbage of one collection, far less than a leak of ten bytes a packet. */
const allowedGrowthMb = 30

const keyring = { active: 2, allowCrc: false, keys: [{ index: 2, method: 'sha1', key: 'secret' }, { index: 3, method: 'md5', key: 'secret' }] } as const
const originals = readCaptures('test/data/captures')
  .filter(({ verdict, keyring: { keys } }) => verdict === 'valid' && keys[0]?.key === 'secret')
  .map(({ bytes }) => Buffer.from(bytes))
const real = new Set(originals.map((bytes) => bytes.toString('latin1')))
const receiver = { self: { name: 'node-a', generation: 1 }, peer: 'node-b', keyring }
const beforeVerifying: ReadonlySet<RefusalCause> = new Set(['malformed', 'too-large', 'unsigned', 'unknown-key', 'bad-signature'])

const random = randomNumbers(seed)
let reception = emptyReception
let unchanged = 0
let forged = 0
let lines = 0
let slowestUs = 0
const residentMb: number[] = []
const started = performance.now()
for (let n = 0; n < count; n += 1) {
  if (n % Math.ceil(count / 10) === 0) residentMb.push(Math.round(process.memoryUsage().rss / 2 ** 20))
  const bytes = mutated(originals, random)
  const before = performance.now()
  const received = receive(reception, bytes, receiver, before, 'a bench')
  slowestUs = Math.max(slowestUs, (performance.now() - before) * 1000)
  reception = received.reception
  if (received.verdict === 'dropped' && beforeVerifying.has(received.cause)) {
    if (received.logLine !== undefined) lines += 1
  } else if (real.has(bytes.toString('latin1'))) unchanged += 1
  else forged += 1
}
const seconds = (performance.now() - started) / 1000
residentMb.push(Math.round(process.memoryUsage().rss / 2 ** 20))
// The first tenth fills the heap to its working size; growth is judged from there.
const growthMb = (residentMb.at(-1) ?? 0) - (residentMb[1] ?? 0)

const rows: [string, string | number][] = [
  ['packets', count], ['seed', seed], ['real ones to mutate', originals.length], ['came out unchanged, so valid', unchanged], ['FORGED AND USED', forged],
  ...Object.entries(reception.drops).map(([cause, drop]): [string, number] => [`dropped, ${cause}`, drop.total]),
  ['lines for the log', lines], ['seconds, mutating included', seconds.toFixed(1)], ['packets a second', Math.round(count / seconds)],
  ['slowest packet, us', Math.round(slowestUs)], ['resident memory by tenths, MiB', residentMb.join(' ')], ['growth after the first tenth, MiB', growthMb],
]
for (const [what, value] of rows) console.log(`${what.padEnd(36)} ${value}`)
process.exitCode = forged > 0 || growthMb > allowedGrowthMb ? 1 : 0
