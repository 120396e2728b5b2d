/** Codes in the source and codes in the README are the same, both ways. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runHactl } from '../src/cli/program.ts'
import { plainPaint } from '../src/cli/terminal.ts'
import { coreCodes, runtimeCodes } from '../src/core/codes.ts'
import { configCodes } from '../src/config/codes.ts'
import { migrationCodes } from '../src/config/migration-codes.ts'
import { loadConfig, type ConfigResult, type SourceFile } from '../src/config/index.ts'
import { refusalCauses } from '../src/protocol/refusals.ts'
import { placementRows } from '../src/core/placement.ts'
import { guideBlocks, guideFile } from './lab/guide.ts'

const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8')
const guide = readFileSync(join(import.meta.dirname, '..', 'docs/migration.md'), 'utf8')

/** First cells of the tables between `<!-- name -->` and the next such mark. */
function cells(name: string, page = readme): readonly string[] {
  const part = page.split(`<!-- ${name} -->`)[1]?.split('<!--')[0] ?? ''
  return [...part.matchAll(/^\| `([^`]+)` \|/gm)].map((found) => found[1] ?? '')
}

const blocks = [...readme.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ language, text }))
const authkeys: SourceFile = { name: 'authkeys', path: '/etc/hactl/authkeys', text: `auth 1\n1 sha256 ${'a'.repeat(64)}\n`, mode: 0o600, uid: 0 }

/** Sample files begin with their name as a comment. */
function sample(name: string): SourceFile {
  const found = blocks.filter(({ text }) => text.startsWith(`# ${name}`))
  expect(found, `samples of ${name}`).toHaveLength(1)
  return { name, path: `/etc/ha.d/${name}`, text: found[0]?.text ?? '' }
}

const yamlBlocks = blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text)
/** Some lines of a configuration: the comment on top says where they go. */
const fragments = yamlBlocks.filter((text) => !/^nodes:/m.test(text))

function yamlSample(): SourceFile {
  const found = yamlBlocks.filter((text) => !fragments.includes(text))
  expect(found, 'whole samples of YAML').toHaveLength(1)
  return { name: 'hactl.yaml', path: '/etc/hactl/hactl.yaml', text: found[0] ?? '' }
}

/** The timing for which section 5 promises that a witness keeps the pair from two holders. */
function calmer({ text, ...file }: SourceFile): SourceFile {
  return { ...file, text: text.replace(/^(keepalive\W+)100ms$/m, '$1200ms').replace(/^(deadtime\W+)1s?$/m, '$14000ms').replace(/^warntime.*\n/m, '') }
}

function complaints(result: ConfigResult): readonly string[] {
  return [...result.errors, ...result.warnings].map(({ file, line, code, message }) => `${file}:${line}: ${message} [${code}]`)
}

function sorted(words: readonly string[]): readonly string[] {
  return [...words].sort()
}

test('README section 8 lists every log code, and no other', () => {
  expect(sorted(cells('log codes'))).toEqual(sorted([...coreCodes, ...runtimeCodes]))
})

test('README section 8 lists every cause for which a packet is dropped, and no other', () => {
  expect(sorted(cells('drop causes'))).toEqual(sorted(refusalCauses))
})

test('README section 4 lists every placement reason, and no other', () => {
  expect(sorted(cells('placement reasons'))).toEqual(sorted(placementRows.map((row) => row.reason)))
})

test('README section 5 lists every code of hactl check, and no other', () => {
  const codes = Array.isArray(configCodes) ? configCodes : Object.keys(configCodes)
  expect(sorted(cells('check codes'))).toEqual(sorted(codes as readonly string[]))
})

test('the migration guide lists every code of hactl migrate --check, and no other', () => {
  expect(sorted(cells('migration codes', guide))).toEqual(sorted(Object.keys(migrationCodes)))
})

test('every log code is used somewhere', () => {
  const sources = readdirSync(join(import.meta.dirname, '..', 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'core/codes.ts')
    .map((name) => readFileSync(join(import.meta.dirname, '..', 'src', name), 'utf8'))
  expect([...coreCodes, ...runtimeCodes].filter((code) => !sources.some((text) => text.includes(`'${code}'`)))).toEqual([])
})

test('README section 2: hactl check has nothing to say to its three files', () => {
  const result = loadConfig({ files: [sample('ha.cf'), sample('haresources'), authkeys] })
  expect(complaints(result)).toEqual([])
  expect(result.config?.groups.map(({ name }) => name)).toEqual(['192.0.2.100'])
})

test('README section 5: hactl check has nothing to say to its YAML', () => {
  const result = loadConfig({ files: [yamlSample(), authkeys] })
  expect(complaints(result)).toEqual([])
  expect(result.config?.links).toHaveLength(3)
})

test.each(fragments.map((text) => [text.split('\n').find((line) => /^\w/.test(line)) ?? '', text]))('README section 5: hactl check has nothing to say to its %s', (_, text) => {
  expect(text).toMatch(/^# (beside ha\.cf in \/etc\/ha\.d\/hactl\.yaml, or )?at the top level of \/etc\/hactl\/hactl\.yaml/)
  const whole = calmer(yamlSample())
  expect(complaints(loadConfig({ files: [{ ...whole, text: `${whole.text}${text}` }, authkeys] }))).toEqual([])
  if (!text.startsWith('# beside ha.cf')) return
  const overlay = { name: 'hactl.yaml', path: '/etc/ha.d/hactl.yaml', text, mode: 0o644 }
  expect(complaints(loadConfig({ files: [calmer(sample('ha.cf')), sample('haresources'), authkeys, overlay] }))).toEqual([])
})

test('README section 5: what its text says in one line is accepted too', () => {
  const short = /(?<=`)((?:witness: \{etcd|watchdog: \/|lease: off|lease: \d|ping: \{)[^`]*)(?=`)/g
  const forms = [...new Set([...readme.matchAll(short)].map(([form]) => form))]
  expect(forms.map((form) => form.split(':')[0]).sort()).toEqual(expect.arrayContaining(['lease', 'watchdog', 'witness']))
  for (const form of forms) {
    const whole = calmer(yamlSample())
    expect(loadConfig({ files: [{ ...whole, text: `${whole.text}${form}\n` }, authkeys] }).errors, form).toEqual([])
  }
})

test('README section 7: what hactl rehearse says of the files of section 2', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hactl-readme-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (const name of ['ha.cf', 'haresources']) writeFileSync(join(directory, name), sample(name).text)
  writeFileSync(join(directory, 'authkeys'), authkeys.text, { mode: 0o600 })
  const [command = '', ...shown] = blocks.find(({ text }) => text.startsWith('# hactl rehearse'))?.text.trimEnd().split('\n') ?? []
  let out = ''
  const view = { columns: Infinity, paint: plainPaint }
  const terminal = { out: (text: string) => void (out += text), err: () => undefined, interactive: false, view, errorView: view }
  expect(await runHactl(['--config', directory, ...command.split(' ').slice(2)], terminal)).toBe(1)
  expect(out.replaceAll(directory, '/etc/ha.d').trimEnd().split('\n')).toEqual(shown)
})

test('README section 5 names every key of YAML that does something', () => {
  const unknown = yamlSample().text.replace('nodes:', 'no_key: 1\nnodes:').replace('- name:', '- no_key: 1\n    name:')
    .replace('- script:', '- no_key: 1\n        script:')
  const messages = loadConfig({ files: [{ ...yamlSample(), text: unknown }, authkeys] }).errors.map(({ message }) => message)
  const known = messages.flatMap((message) => /Known are: ([\w, ]+)\./.exec(message)?.[1]?.split(', ') ?? [])
  expect(known).toEqual(expect.arrayContaining(['nodes', 'failure_memory', 'preferred_node', 'parameters']))
  const section = readme.split('\n## ').find((part) => part.startsWith('5. ')) ?? ''
  expect(known.filter((key) => !new RegExp(`\\b${key}\\b`).test(section))).toEqual([])
})

test('the files of the migration guide are read, and only logfacility has no effect', () => {
  const files = ['ha.cf', 'haresources'].map((name): SourceFile => ({ name, path: `/etc/ha.d/${name}`, text: guideFile(name) }))
  const result = loadConfig({ files: [...files, authkeys] })
  expect(result.errors).toEqual([])
  expect(result.warnings.map(({ code }) => code)).toEqual(['directive-without-effect'])
})

test('every command of the migration guide is typed on one of its two hosts, and every word of hactl is one that exists', async () => {
  const steps = guideBlocks().flatMap((block) => block.steps)
  expect(new Set(steps.map(({ host }) => host))).toEqual(new Set(['alpha', 'beta']))
  const words = new Set([...guide.matchAll(/`hactl ([a-z]+)/g), ...steps.flatMap(({ command }) => [...command.matchAll(/\bhactl ([a-z]+)/g)])].map(([, word]) => word ?? ''))
  for (const word of words) {
    let out = ''
    const view = { columns: 80, paint: plainPaint }
    const code = await runHactl(['help', word], { out: (text) => void (out += text), err: () => undefined, interactive: false, view, errorView: view })
    expect([word, code, out.startsWith(`Usage: hactl ${word}`)]).toEqual([word, 0, true])
  }
})
