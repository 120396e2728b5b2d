/**
 * `npm run sim -- --seeds N --first-seed S [--seed N] [--minutes M] [--workers W] [--lines L] [--json]`: runs seeds, and
 * for a violation prints the seed, its options and the story. Exit code 0: none, 1: violations, 2: usage, 130: interrupted
 * without one. The seeds of seeds.txt, which failed once, run first each time. A long run says on standard error how far it
 * is, and each violation as it comes; Ctrl-C ends it with the summary of what was run.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { realCore } from '../../src/simulation/core.ts'
import { drawOptions } from '../../src/simulation/options.ts'
import { runSeed, type RunResult } from '../../src/simulation/run.ts'
import { lastLines, optionsText, storyText } from '../../src/simulation/story.ts'

interface Work { readonly seeds: readonly number[]; readonly minutes: number }

function keptSeeds(): number[] {
  const candidates = [new URL('./seeds.txt', import.meta.url), new URL('../test/simulation/seeds.txt', import.meta.url)]
  for (const url of candidates) {
    try {
      return readFileSync(url, 'utf8').split('\n').flatMap((line) => line.replace(/#.*/, '').split(/\s+/)).filter((word) => word !== '').map(Number)
    } catch {
      continue
    }
  }
  return []
}

function readArguments(): { seeds: number[]; minutes: number; workers: number; json: boolean; lines: number } {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      'first-seed': { type: 'string', default: '1' },
      seed: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      workers: { type: 'string', default: String(Math.min(2, availableParallelism())) },
      lines: { type: 'string', default: '80' },
      json: { type: 'boolean', default: false },
    },
  })
  const number = (name: string, text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} needs a whole number, not ${JSON.stringify(text)}`)
    return value
  }
  const first = number('first-seed', values['first-seed'])
  const count = number('seeds', values.seeds)
  const ranged = Array.from({ length: count }, (_, index) => first + index)
  const seeds = values.seed === undefined ? [...new Set([...keptSeeds(), ...ranged])] : [number('seed', values.seed)]
  return { seeds, minutes: number('minutes', values.minutes), workers: Math.max(1, number('workers', values.workers)), json: values.json, lines: number('lines', values.lines) }
}

const progressEveryMs = 30_000

interface Outcome { readonly results: readonly RunResult[]; readonly interrupted: boolean }

async function runAll(seeds: readonly number[], minutes: number, workers: number): Promise<Outcome> {
  const used = Math.min(workers, seeds.length)
  const shares = Array.from({ length: used }, (_, at) => seeds.filter((_seed, index) => index % used === at))
  const results: RunResult[] = []
  const beganMs = performance.now()
  let interrupted = false
  const take = (result: RunResult): void => {
    results.push(result)
    const [violation] = result.violations
    if (violation !== undefined) console.error(`seed ${result.seed}: ${violation.rule}: ${violation.message}`)
  }
  const progress = setInterval(() => {
    const hours = sum(results, (result) => result.virtualMs) / 3_600_000
    const minutesRun = (performance.now() - beganMs) / 60_000
    const failed = results.filter((result) => result.violations.length > 0).length
    console.error(`${results.length} of ${seeds.length} seeds, ${(hours / minutesRun).toFixed(1)} virtual hours a minute, ${failed} violations`)
  }, progressEveryMs)
  const started = shares.map((share) => startShare({ seeds: share, minutes }, take))
  const interrupt = (): void => {
    interrupted = true
    for (const { worker } of started) void worker.terminate()
  }
  process.once('SIGINT', interrupt)
  await Promise.all(started.map(({ ended }) => ended))
  process.off('SIGINT', interrupt)
  clearInterval(progress)
  return { results: results.sort((one, other) => one.seed - other.seed), interrupted }
}

function startShare(work: Work, take: (result: RunResult) => void): { readonly worker: Worker; readonly ended: Promise<void> } {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: work })
  worker.on('message', take)
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
  return { worker, ended }
}

function tellStory(result: RunResult, minutes: number, count: number): void {
  const [violation] = result.violations
  console.log(`\nseed ${result.seed}: ${violation?.rule} at ${((violation?.trueMs ?? 0) / 1000).toFixed(3)} s: ${violation?.message}`)
  console.log(optionsText(drawOptions(result.seed, minutes)))
  const story = lastLines(count)
  runSeed(realCore, result.seed, minutes, { tell: story.tell })
  for (const line of story.lines()) console.log(storyText(line))
  console.log(`again: npm run sim -- --seed ${result.seed}${minutes === 10 ? '' : ` --minutes ${minutes}`}`)
}

function sum(results: readonly RunResult[], of: (result: RunResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0)
}

async function main(): Promise<void> {
  const { seeds, minutes, workers, json, lines } = readArguments()
  const beganMs = performance.now()
  const { results, interrupted } = await runAll(seeds, minutes, workers)
  const seconds = (performance.now() - beganMs) / 1000
  const failed = results.filter((result) => result.violations.length > 0)
  const excused: Record<string, number> = {}
  for (const result of results) for (const [excuse, count] of Object.entries(result.excused)) excused[excuse] = (excused[excuse] ?? 0) + count
  const hours = sum(results, (result) => result.virtualMs) / 3_600_000
  const summary = {
    seeds: results.length,
    virtualHours: Number(hours.toFixed(2)),
    seconds: Number(seconds.toFixed(1)),
    virtualHoursPerMinute: Number(((hours / seconds) * 60).toFixed(1)),
    steps: sum(results, (result) => result.steps),
    acquisitions: sum(results, (result) => result.starts),
    requests: sum(results, (result) => result.requests),
    excusedOverlaps: excused,
    violations: failed.map((result) => ({ seed: result.seed, ...result.violations[0] })),
  }
  if (json) console.log(JSON.stringify(summary))
  else {
    for (const result of failed.slice(0, 3)) tellStory(result, minutes, lines)
    for (const { seed, rule, message } of summary.violations) console.log(`seed ${seed}: ${rule}: ${message}`)
    console.log(`${summary.seeds} seeds, ${summary.virtualHours} virtual hours in ${summary.seconds} s (${summary.virtualHoursPerMinute} a minute), ${summary.steps} steps, ${summary.acquisitions} acquisitions, ${summary.requests} admin requests`)
    console.log(`overlaps that P2 allows or a dead daemon left: ${JSON.stringify(excused)}`)
    console.log(`${failed.length} violations${interrupted ? `; interrupted, ${seeds.length - results.length} seeds were not run` : ''}`)
  }
  process.exitCode = failed.length > 0 ? 1 : interrupted ? 130 : 0
}

if (isMainThread) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 2
  })
} else {
  const work = workerData as Work
  for (const seed of work.seeds) parentPort?.postMessage(runSeed(realCore, seed, work.minutes))
}
