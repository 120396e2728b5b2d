/** The rows of one bench run as the table of figures: what, the aim, hactl, keepalived. */
import { existsSync, readFileSync } from 'node:fs'

interface LabRow {
  readonly system: string
  readonly scenario: string
  readonly vips: number
  readonly time: number
  readonly error?: string | null
  readonly outage_ms?: number
  readonly detect_ms?: number
  readonly dual_ms?: number
  readonly first_reply_ms?: number | null
  readonly announce_ms?: number | null
  readonly first_any_ms?: number | null
  readonly all_answered_ms?: number | null
  readonly moves?: number
  readonly probe_late_ms?: number
}

interface OwnRow { readonly what: string; readonly values: readonly number[]; readonly remark?: string }
interface HistoryRow { readonly code?: string; readonly wallMs?: number; readonly figures?: { readonly silentMs?: number } }

const dir = process.argv[2] ?? '.'

function rowsOf<T>(name: string): T[] {
  const path = `${dir}/${name}`
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').flatMap((line) => {
    try {
      return [JSON.parse(line) as T]
    } catch {
      return []
    }
  })
}

function numbers(values: readonly (number | null | undefined)[]): number[] {
  return values.filter((value): value is number => typeof value === 'number').sort((one, other) => one - other)
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] ?? NaN : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** Median (min to max, how many). */
function shown(values: readonly (number | null | undefined)[], unit = 'ms', digits = 1): string {
  const sorted = numbers(values)
  if (sorted.length === 0) return 'no figure'
  const text = (value: number | undefined): string => (value ?? NaN).toFixed(digits)
  if (sorted.length === 1) return `${text(sorted[0])} ${unit}`
  return `**${text(median(sorted))}** ${unit} (${text(sorted[0])} to ${text(sorted.at(-1))}, n=${sorted.length})`
}

const good = (rows: readonly LabRow[]): LabRow[] => rows.filter((row) => typeof row.outage_ms === 'number')
const of = (rows: readonly LabRow[], system: string, scenario: string, vips = 1): LabRow[] =>
  good(rows).filter((row) => row.system === system && row.scenario === scenario && row.vips === vips)

const moves = rowsOf<LabRow>('moves.jsonl')
const history = rowsOf<HistoryRow>('hactl-b-history.jsonl').filter((row) => row.code === 'peer-dead')
const own = new Map(rowsOf<OwnRow>('own.jsonl').map((row) => [row.what, row]))
const ownShown = (what: string, unit = 'ms', digits = 1): string => shown(own.get(what)?.values ?? [], unit, digits)

/** From the moment the timer was due (last packet heard plus deadtime) to the client's first answer. */
function takeoverCosts(): number[] {
  return of(moves, 'hactl', 'crash').flatMap((row) => {
    const crashMs = row.time * 1_000
    const judged = history.find(({ wallMs = 0 }) => wallMs > crashMs && wallMs < crashMs + 5_000)
    if (judged?.wallMs === undefined || judged.figures?.silentMs === undefined || typeof row.first_reply_ms !== 'number') return []
    const dueMs = judged.wallMs - judged.figures.silentMs + (row.detect_ms ?? 0)
    return [crashMs + row.first_reply_ms - dueMs]
  })
}

function overlapping(rows: readonly LabRow[]): string {
  return `, two holders in ${rows.filter((row) => (row.dual_ms ?? 0) > 0).length} of ${rows.length}`
}

function pair(scenario: string): [string, string] {
  const [ours, theirs] = [of(moves, 'hactl', scenario), of(moves, 'keepalived', scenario)]
  return [shown(ours.map((row) => row.outage_ms)) + overlapping(ours), shown(theirs.map((row) => row.outage_ms)) + overlapping(theirs)]
}

/** The host lives on: its address must go before the peer's comes. */
function kill(system: string, scenario: string): string {
  const rows = of(rowsOf<LabRow>('kills.jsonl'), system, scenario)
  return shown(rows.map((row) => row.outage_ms)) + overlapping(rows)
}

function falseMoves(file: string, system: string): string {
  const rows = good(rowsOf<LabRow>(file)).filter((row) => row.system === system)
  if (rows.length === 0) return 'no figure'
  const moved = rows.filter((row) => (row.moves ?? 0) > 0)
  return `${rows.reduce((sum, row) => sum + (row.moves ?? 0), 0)} address adds in ${rows.length} rounds${moved.length === 0 ? '' : `, in ${moved.length} of them`}`
}

function dark(system: string): string {
  const rows = of(rowsOf<LabRow>('partition.jsonl'), system, 'partition')
  return rows.length === 0 ? 'no figure' : `${rows.filter((row) => (row.outage_ms ?? 0) > 1_000).length} of ${rows.length} (longest outage ${shown(rows.map((row) => row.outage_ms))})`
}

function many(system: string, vips: number): string {
  const rows = of(rowsOf<LabRow>('many.jsonl'), system, 'crash', vips)
  return shown(rows.map((row) => (row.all_answered_ms ?? NaN) - (row.first_any_ms ?? NaN)).filter((value) => !Number.isNaN(value)))
}

const failed = [...moves, ...rowsOf<LabRow>('kills.jsonl'), ...rowsOf<LabRow>('many.jsonl'), ...rowsOf<LabRow>('partition.jsonl'), ...rowsOf<LabRow>('loss.jsonl'), ...rowsOf<LabRow>('busy.jsonl')]
  .filter((row) => row.outage_ms === undefined)
const table: readonly (readonly string[])[] = [
  ['what', 'reach', 'hactl', 'keepalived'],
  ['crash: from the timer due to the first answer', '<= 5 ms', shown(takeoverCosts()), `${shown(of(moves, 'keepalived', 'crash').map((row) => row.announce_ms))} from its address to the answer`],
  ['crash: outage, deadtime 1 s', '', shown(of(moves, 'hactl', 'crash').map((row) => row.outage_ms)), shown(of(moves, 'keepalived', 'crash').map((row) => row.outage_ms))],
  ['kill -9 of the daemon, host alive: outage', '<= 100 ms, never two', kill('hactl', 'kill_main'), `parent: ${kill('keepalived', 'kill_parent')}; child: ${kill('keepalived', 'kill_child')}; Heartbeat: ${kill('heartbeat', 'kill_main')}`],
  ['standby (switchover), client view', '<= 10 ms, never two', ...pair('standby')],
  ['online (switchover back)', '<= 10 ms, never two', ...pair('unstandby')],
  ['graceful stop', '<= 10 ms, never two', ...pair('stop')],
  ['switchover of one address, own probe', 'for comparison', `${ownShown('switchover-ms')}, overlap ${ownShown('switchover-overlap-ms')}`, ''],
  ['the same with apache2 kept warm', 'the same', `${ownShown('warm-apache-switchover-ms')}, overlap ${ownShown('warm-apache-overlap-ms')}`, ''],
  ['longest times between two pages of it', '', ownShown('warm-apache-page-gaps-ms'), ''],
  ['cold start of both to the first answer', '<= 1000 ms', ownShown('cold-start-ms', 'ms', 0), ''],
  ['100 addresses: first to last answer (each asked every 100 ms)', '<= 100 ms', many('hactl', 100), many('keepalived', 100)],
  ['1000 addresses: first to last answer (each asked every 100 ms)', '<= 250 ms', many('hactl', 1_000), many('keepalived', 1_000)],
  ['false failovers, 20 % loss, 60 s', '0', falseMoves('loss.jsonl', 'hactl'), falseMoves('loss.jsonl', 'keepalived')],
  ['false failovers, four busy loops, 30 s', '0', falseMoves('busy.jsonl', 'hactl'), falseMoves('busy.jsonl', 'keepalived')],
  ['client dark (over 1 s) in a healed partition', '0', dark('hactl'), dark('keepalived')],
  ['SIGSTOP of the holder for 3 deadtimes, witness, deadtime 5 s: overlap', '0', ownShown('stopped-holder-overlap-ms'), ''],
  ['the same: until the other has it', '', ownShown('stopped-holder-taken-ms', 'ms', 0), ''],
  ['eleven cuts between three hosts, witness, deadtime 5 s: overlap', '0', ownShown('cut-overlap-ms'), ''],
  ['idle, one address: holder / other', '< 1 % of a core', `${ownShown('idle-percent-holder-1', '%', 2)} / ${ownShown('idle-percent-other-1', '%', 2)}`, ''],
  ['idle, 1000 addresses: holder / other', '', `${ownShown('idle-percent-holder-1000', '%', 2)} / ${ownShown('idle-percent-other-1000', '%', 2)}`, ''],
  ['memory (PSS), one address: holder / other', '< 70 MB', `${ownShown('pss-mib-holder-1', 'MiB')} / ${ownShown('pss-mib-other-1', 'MiB')}`, ''],
  ['memory (PSS), 1000 addresses: holder / other', '', `${ownShown('pss-mib-holder-1000', 'MiB')} / ${ownShown('pss-mib-other-1000', 'MiB')}`, ''],
  ['`hactl status`', '< 150 ms', ownShown('status-ms', 'ms', 0), ''],
]

const [head = [], ...body] = table
console.log([head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n'))
const late = numbers([...moves].map((row) => row.probe_late_ms))
if (late.length > 0) console.log(`\nThe probe itself was late by at most ${shown(late)}.`)
if (failed.length > 0) console.log(`\nRounds without a result: ${failed.map((row) => `${row.system} ${row.scenario} (${row.error ?? '?'})`).join(', ')}.`)
