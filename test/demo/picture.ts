/** The timeline in the terminal: which host answered the client when, what happened, and how long nobody answered. */
import type { Answer } from './client.ts'

export interface Scene { readonly atMs: number; readonly title: string; readonly gapMs: number; readonly remark?: string }

export interface Picture {
  readonly hosts: readonly string[]
  readonly answers: readonly Answer[]
  readonly scenes: readonly Scene[]
  readonly fromMs: number
  readonly toMs: number
  readonly columns: number
}

const full = '█'
const part = '▒'
/** A mark is full if the host answered alone and was never silent for longer than this. */
const silentMs = 150

export function drawPicture({ hosts, answers, scenes, fromMs, toMs, columns }: Picture): string {
  const nameWidth = Math.max(...hosts.map((host) => host.length), 'nobody'.length) + 2
  const cells = columns - nameWidth - 1
  const cellMs = Math.max(100, Math.ceil((toMs - fromMs) / cells / 50) * 50)
  const count = Math.ceil((toMs - fromMs) / cellMs)
  const buckets = Array.from({ length: count }, (_, index) => bucketOf(answers, fromMs + index * cellMs, fromMs + (index + 1) * cellMs))
  const row = (name: string, mark: (bucket: Bucket) => string): string =>
    `${name.padEnd(nameWidth)}${buckets.map(mark).join('')}`.trimEnd()
  const markOf = (host: string, { hosts: seen, gapMs }: Bucket): string =>
    !seen.has(host) ? ' ' : seen.size === 1 && gapMs <= silentMs ? full : part
  const rows = [
    ...hosts.map((host) => row(host, (bucket) => markOf(host, bucket))),
    row('nobody', (bucket) => (bucket.hosts.size === 0 ? '-' : ' ')),
    marksRow(scenes, fromMs, cellMs, count, nameWidth),
    axisRow(cellMs, count, nameWidth),
  ]
  return `${[...rows, '', ...scenes.map(sceneLine)].join('\n')}\n`
}

interface Bucket { readonly hosts: ReadonlySet<string>; readonly gapMs: number }

function bucketOf(answers: readonly Answer[], startMs: number, endMs: number): Bucket {
  const here = answers.filter(({ atMs }) => atMs >= startMs && atMs < endMs)
  const instants = [startMs, ...here.map(({ atMs }) => atMs), endMs]
  const gapMs = Math.max(...instants.slice(1).map((atMs, index) => atMs - (instants[index] ?? atMs)))
  return { hosts: new Set(here.map(({ host }) => host)), gapMs }
}

function marksRow(scenes: readonly Scene[], fromMs: number, cellMs: number, count: number, nameWidth: number): string {
  const marks = Array.from({ length: count }, () => ' ')
  for (const [index, { atMs }] of scenes.entries()) {
    // Two scenes within one mark: the later one moves on, so that each has its number.
    let place = Math.max(0, Math.floor((atMs - fromMs) / cellMs))
    while (place < count - 1 && marks[place] !== ' ') place += 1
    marks[place] = String(index + 1)
  }
  return `${' '.repeat(nameWidth)}${marks.join('')}`.trimEnd()
}

function axisRow(cellMs: number, count: number, nameWidth: number): string {
  const axis = Array.from({ length: count + 4 }, () => ' ')
  const stepMs = 5000
  for (let atMs = 0; atMs < count * cellMs; atMs += stepMs) {
    for (const [offset, letter] of [...`${atMs / 1000}s`].entries()) axis[Math.round(atMs / cellMs) + offset] = letter
  }
  return `${' '.repeat(nameWidth)}${axis.join('')}`.trimEnd()
}

function sceneLine({ title, gapMs, remark }: Scene, index: number): string {
  const gap = `${String(Math.round(gapMs)).replace(/\B(?=(\d{3})+$)/g, ',')} ms`.padStart(9)
  return `  ${index + 1}  ${title.padEnd(44)}${gap}${remark === undefined ? '' : `  ${remark}`}`
}
