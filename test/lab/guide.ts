/**
 * The migration guide followed from its own text: its commands are typed on hosts, in order, and what they print is held against what the
 * page shows. Figures of the day (times, pids, generations) may differ; `...` stands for any lines.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository, sleep, type Ran, type RunOptions } from './hosts.ts'

export interface GuideStep {
  readonly host: string
  readonly command: string
  readonly expected: readonly string[]
  /** Of docs/migration.md. */
  readonly line: number
}

export interface GuideBlock {
  /** Number of the heading above. */
  readonly section: number
  /** The words behind `console`: when it is typed; empty: always. */
  readonly when: string
  readonly steps: readonly GuideStep[]
}

export interface GuideHost {
  readonly name: string
  exec(command: string, options?: RunOptions): Promise<Ran>
}

export interface Typed { readonly step: GuideStep; readonly fromMs: number; readonly toMs: number }

export const guidePath = join(repository, 'docs/migration.md')

export function guideText(): string {
  return readFileSync(guidePath, 'utf8')
}

/** The file that the page shows under this name. */
export function guideFile(name: string): string {
  const found = new RegExp(`^\`\`\`\\n# (/etc/ha\\.d/${name.replace('.', '\\.')})\\n(.*?)^\`\`\`$`, 'ms').exec(guideText())
  if (found?.[2] === undefined) throw new Error(`docs/migration.md shows no ${name}`)
  return found[2]
}

export function guideBlocks(): readonly GuideBlock[] {
  const blocks: { section: number; when: string; steps: GuideStep[] }[] = []
  let section = 0
  let open: (typeof blocks)[number] | undefined
  guideText().split('\n').forEach((text, index) => {
    section = Number(/^## (\d+)\./.exec(text)?.[1] ?? section)
    if (open === undefined) {
      const when = /^```console ?(.*)$/.exec(text)?.[1]
      if (when !== undefined) blocks.push(open = { section, when, steps: [] })
      return
    }
    if (text === '```') {
      open = undefined
      return
    }
    const [, host, command] = /^(\w+)# (.+)$/.exec(text) ?? []
    if (host !== undefined && command !== undefined) open.steps.push({ host, command, expected: [], line: index + 1 })
    else open.steps.splice(-1, 1, ...open.steps.slice(-1).map((step) => ({ ...step, expected: [...step.expected, text] })))
  })
  return blocks
}

/** It shows something and can be typed again; the others are typed once and must succeed. */
const looks = /^(hactl (status|check|migrate)|cl_status|ip|tail|cd|systemctl daemon-reload; systemctl is-enabled) ?/

export interface FollowOptions {
  readonly hosts: readonly GuideHost[]
  /** What is called otherwise on these hosts than on the page. */
  readonly renamed?: readonly (readonly [page: string, here: string])[]
  readonly patienceMs?: number
}

/** Throws at the first step that does not do what the page says, with both texts. */
export async function followGuide(blocks: readonly GuideBlock[], { hosts, renamed = [], patienceMs = 25_000 }: FollowOptions): Promise<readonly Typed[]> {
  const here = (text: string): string => renamed.reduce((all, [page, own]) => all.replaceAll(page, own), text)
  const typed: Typed[] = []
  for (const step of blocks.flatMap(({ steps }) => steps)) {
    const host = hosts.find(({ name }) => name === step.host)
    if (host === undefined) throw new Error(`docs/migration.md:${step.line}: there is no host ${step.host}`)
    const fromMs = Date.now()
    const again = looks.test(step.command)
    for (;;) {
      const ran = await host.exec(here(step.command), { timeoutMs: 60_000, env: { COLUMNS: '110' } })
      const right = (again || ran.code === 0) && isAsShown(step.expected.map(here), ran.stdout)
      if (right) break
      if (!again || Date.now() - fromMs > patienceMs) throw new Error(complaint(step, ran, here))
      await sleep(300)
    }
    typed.push({ step, fromMs, toMs: Date.now() })
  }
  return typed
}

function complaint(step: GuideStep, ran: Ran, here: (text: string) => string): string {
  return [`docs/migration.md:${step.line}: ${step.host}# ${step.command}`, '--- the page shows', ...step.expected.map(here), `--- it printed (exit code ${ran.code})`,
    ran.stdout + ran.stderr].join('\n')
}

/** Line ends and blanks do not count: a longer pid or time breaks lines, and widens columns, elsewhere. */
export function isAsShown(expected: readonly string[], printed: string): boolean {
  const parts = expected.join('\n').split(/^\.\.\.$/m).map(withoutFigures)
  const actual = withoutFigures(printed)
  const [first = '', ...others] = parts
  const last = others.pop()
  if (last === undefined) return actual === first
  if (!actual.startsWith(first) || !actual.endsWith(last)) return false
  let from = first.length
  for (const part of others) {
    const at = actual.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return from + last.length <= actual.length
}

const figures: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?/g, 'TIME'], [/\b\d{4}\/\d\d\/\d\d_\d\d:\d\d:\d\d/g, 'TIME'], [/\b[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d/g, 'TIME'],
  [/\[\d+\]/g, '[PID]'], [/\(pid \d+\)/g, '(PID)'], [/@if\d+/g, ''], [/\b\d{10}\b/g, 'GENERATION'], [/\b[0-9a-f]{64}\b/g, 'SUM'],
  [/\b[\d.,]+ (ms|s|min)\b( \d+ s\b)?/g, 'WHILE'], [/\s+/g, ' '],
]

function withoutFigures(text: string): string {
  return figures.reduce((all, [pattern, word]) => all.replace(pattern, word), text).trim()
}
