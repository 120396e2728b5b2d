/** The rules of design.md section 3 and of the house, held against the tree: import direction, purity, size, leftovers. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const source = join(root, 'src')

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? filesBelow(path) : path.endsWith('.ts') ? [path] : []
  })
}

const files = filesBelow(source).map((path) => ({ path, name: relative(source, path), layer: relative(source, path).split('/')[0] ?? '', text: readFileSync(path, 'utf8') }))

interface Import { readonly to: string; readonly typeOnly: boolean; readonly lazy: boolean }

function importsOf(text: string): readonly Import[] {
  const fixed = [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'"]*?from\s+)?'([^']+)'/gms)].map((found) => ({ to: found[2] ?? '', typeOnly: found[1] !== undefined, lazy: false }))
  const lazy = [...text.matchAll(/import\('([^']+)'\)/g)].map((found) => ({ to: found[1] ?? '', typeOnly: false, lazy: true }))
  return [...fixed, ...lazy]
}

/** Which layers a layer may import from, and which outside packages; `type` allows types only. */
const rules: Readonly<Record<string, { readonly layers: readonly string[]; readonly types: readonly string[]; readonly packages: RegExp }>> = {
  core: { layers: ['core'], types: [], packages: /^$/ },
  protocol: { layers: ['protocol'], types: ['core'], packages: /^node:crypto$/ },
  classic: { layers: ['classic', 'protocol', 'core'], types: [], packages: /^$/ },
  config: { layers: ['config'], types: ['core'], packages: /^(yaml|zod)$/ },
  simulation: { layers: ['simulation', 'core', 'protocol', 'config'], types: [], packages: /^$/ },
  runtime: { layers: ['runtime'], types: ['core', 'protocol', 'config'], packages: /^(node:|execa$|pino$|node-cron$|koffi$)/ },
  daemon: { layers: ['daemon', 'core', 'classic', 'protocol', 'config', 'runtime'], types: [], packages: /^(node:|pino$)/ },
  cli: { layers: ['cli', 'core', 'classic', 'protocol', 'config', 'runtime', 'daemon', 'simulation'], types: [], packages: /^(node:|commander$)/ },
}

function importFaults({ path, name, layer, text }: (typeof files)[number]): readonly string[] {
  const rule = rules[layer]
  if (rule === undefined) return [`${name}: layer ${layer} is unknown`]
  return importsOf(text).flatMap(({ to, typeOnly }) => {
    if (to === '../../package.json') return [] // The version, put in by the bundler.
    if (!to.startsWith('.')) return rule.packages.test(to) ? [] : [`${name} imports ${to}`]
    const target = relative(source, resolve(dirname(path), to)).split('/')[0] ?? ''
    const allowed = rule.layers.includes(target) || (rule.types.includes(target) && (typeOnly || isPureValue(layer, target)))
    return to.endsWith('.ts') && allowed ? [] : [`${name} imports ${to}`]
  })
}

test('every file imports only what its layer may', () => {
  expect(files.flatMap(importFaults)).toEqual([])
})

/** The pure layers may use each other's functions downwards (`config` and `protocol` those of `core`); `runtime` only their types. */
function isPureValue(layer: string, target: string): boolean {
  return layer !== 'runtime' && target === 'core'
}

const pure = files.filter(({ layer }) => ['core', 'classic', 'protocol', 'config', 'simulation'].includes(layer))

const bare = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')
const matching = (among: typeof files, pattern: RegExp) => among.filter(({ text }) => pattern.test(bare(text))).map(({ name }) => name)

test('the pure layers ask no clock, no chance, and wait for nothing', () => {
  const impure = /Date\.now\(|new Date\(\)|performance\.now\(|Math\.random\(|setTimeout\(|setInterval\(|setImmediate\(|\basync\b|\bawait\b|console\.|process\./
  expect(matching(pure, impure)).toEqual([])
})

test('the core has no default in a switch, no any, and throws nothing', () => {
  expect(matching(files.filter(({ layer }) => layer === 'core'), /^\s*default:|\bas any\b|: any\b|^\s*throw /m)).toEqual([])
})

test('every file is of a size that one reads at a sitting', () => {
  expect(files.filter(({ text }) => text.split('\n').length > 300).map(({ name }) => name)).toEqual([])
})

test('no leftovers', () => {
  expect(files.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b|debugger|eslint-disable/.test(text)).map(({ name }) => name)).toEqual([])
})

test('the median file is small', () => {
  const lengths = files.map(({ text }) => text.split('\n').length).sort((a, b) => a - b)
  expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(110)
})

test('timers: the loop has one, and adapters only those of their own child or socket', () => {
  const withTimers = files.filter(({ text }) => /\bsetTimeout\(|\bsetInterval\(/.test(text)).map(({ name }) => name)
  expect(withTimers.filter((name) => !/^(daemon\/(loop|main|rehearsal|watchdog-feeding)|runtime\/|cli\/)/.test(name))).toEqual([])
})
