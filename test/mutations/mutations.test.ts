/**
 * Tests are worth what they catch. Each mutation of mutations.ts is made in a copy of the sources, and the test that is
 * named with it must fail there. Those on pure layers are part of npm test; `npm run mutations` makes all of them.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { mutations, type Mutation } from './mutations.ts'

const root = join(import.meta.dirname, '..', '..')
const copied = ['src', 'test', 'resources', 'systemd', 'package.json', 'package-lock.json', 'tsconfig.json', 'vitest.config.ts', 'README.md', 'LICENSE']
const pureLayers = ['src/core/', 'src/protocol/', 'src/config/', 'src/simulation/']

function isPure({ file }: Mutation): boolean {
  return pureLayers.some((layer) => file.startsWith(layer))
}

/** A copy of the tree with one place of one file changed. */
function plant({ file, from, to }: Mutation): string {
  const directory = mkdtempSync(join(tmpdir(), 'hactl-mutation-'))
  for (const name of copied) cpSync(join(root, name), join(directory, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const path = join(directory, file)
  const text = readFileSync(path, 'utf8')
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places like ${JSON.stringify(from)}; a mutation needs exactly one`)
  writeFileSync(path, parts.join(to))
  return directory
}

interface Verdict { readonly passed: number; readonly failed: number; readonly output: string }

/** By vitest's own report: a test that was not found, or a file that does not load, is no catch. */
async function judge(directory: string, { caughtBy, config }: Mutation): Promise<Verdict> {
  const report = join(directory, 'report.json')
  const words = ['vitest', 'run', '--reporter=json', `--outputFile.json=${report}`, ...(config === undefined ? [] : ['--config', config]), caughtBy.file, '-t', escaped(caughtBy.title)]
  const { all } = await execa('npx', ['--no-install', ...words], { cwd: directory, reject: false, all: true, timeout: 500_000, env: { HACTL_LAB_BUILT: '' } })
  const output = (all ?? '').slice(-3_000)
  try {
    const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number }
    return { passed, failed, output }
  } catch {
    return { passed: 0, failed: 0, output }
  }
}

function escaped(title: string): string {
  return title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

const wanted = mutations.filter((mutation) => process.env['HACTL_MUTATIONS'] === 'all' || isPure(mutation))

test('at least 25 mutations are listed, each with a name of its own', () => {
  expect(mutations.length).toBeGreaterThanOrEqual(25)
  expect(new Set(mutations.map(({ title }) => title)).size).toBe(mutations.length)
})

test.concurrent.each(wanted)('$title: caught by "$caughtBy.title"', async (mutation) => {
  const directory = plant(mutation)
  try {
    const verdict = await judge(directory, mutation)
    expect(verdict.failed, `${mutation.file}: ${mutation.from} -> ${mutation.to}\n${verdict.output}`).toBeGreaterThan(0)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
