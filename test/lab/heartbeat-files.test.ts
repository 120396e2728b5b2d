/** The real Heartbeat is asked about files of which no list was kept: groups of haresources, and whether ha.cf is accepted. HACTL_SEED=N asks about others. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/index.ts'
import { meant, stricter } from '../config/expectations.ts'
import { classic, codesOf, type Fresh, goodAuthkeys, groupsOf, readSamples, type RealFiles } from '../config/samples.ts'

const scripts = join(import.meta.dirname, 'real-heartbeat')
const missing = existsSync('/usr/share/heartbeat/ResourceManager') ? '' : ' (not installed: heartbeat)'
const denied = process.getuid?.() === 0 ? missing : ' (needs root)'
const seed = Number(process.env['HACTL_SEED'] ?? 77)
const directory = mkdtempSync(join(tmpdir(), 'hactl-heartbeat-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function run(program: string, words: readonly string[]): Promise<void> {
  await new Promise((resolve, reject) => {
    spawn(program, words, { stdio: 'ignore' }).on('exit', resolve).on('error', reject)
  })
}

/** A directory for each case with its files. */
function written(cases: readonly Readonly<Record<string, string>>[], what: string): readonly string[] {
  return cases.map((files, index) => {
    const path = join(directory, `${what}${index}`)
    mkdirSync(path)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text, { mode: 0o600 })
    return path
  })
}

const real = readSamples<RealFiles>('files')
const fresh = readSamples<Fresh>('fresh')
const words = real.flatMap(({ files }) => (files.haresources ?? '').split(/\s+/)).filter((word) => word !== '' && !/[*?[\]]/.test(word))
const word = fc.oneof(fc.constantFrom(...words), fc.stringMatching(/^[a-z0-9.:/+]{1,12}$/),
  fc.tuple(fc.nat(255), fc.nat(40)).map(([last, mask]) => `192.0.2.${last}/${mask}/eth0`))
const line = fc.tuple(fc.constantFrom('node1', 'NODE2', ' node1', '# node1'), fc.array(word, { minLength: 1, maxLength: 4 }),
  fc.constantFrom(' ', '\t', '  '), fc.constantFrom('\n', ' \n', ' \\\n', ' # note\n', '#\n', '\r\n', '\n\n')).map(([node, all, blank, end]) =>
  [node, ...all].join(blank) + end)
const haresources = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join(''))

test.skipIf(missing !== '')(`the resource scripts derive the same groups, or a code says why not${missing}`, async () => {
  const texts = fc.sample(haresources, { seed, numRuns: 80 })
  const paths = written(texts.map((text) => ({ haresources: text })), 'groups')
  await run('sh', [join(scripts, 'groups.sh'), ...paths])
  for (const [index, text] of texts.entries()) {
    const result = loadConfig(classic({ haresources: text }))
    const lines = readFileSync(join(paths[index] ?? '', 'groups'), 'utf8').split('\n').slice(0, -1)
    const theirs = lines.map((group) => group.split('\t').map((resource) => resource.replaceAll('\u0001', '::')))
    const explained = [...result.errors, ...result.warnings].some(({ code }) => meant.has(code))
    if (!explained) expect(groupsOf(result), `seed ${seed}: ${JSON.stringify(text)}`).toEqual(theirs)
  }
})

/** Directives that hang on nothing that is missing here. */
const portable = /^\s*(#|node|keepalive|deadtime|warntime|initdead|udpport|auto_failback|log|debug|use_logd|ping\s+[\d.]+\s*$|hopfudge|rtprio|mcast eth0)/
const directives = [...real.flatMap(({ files }) => (files['ha.cf'] ?? '').split('\n')), ...fresh.flatMap((sample) =>
  (sample.file === 'ha.cf' && sample.line !== undefined ? [sample.line] : []))].filter((text) => portable.test(text))
const haCf = fc.tuple(fc.array(fc.constantFrom(...directives), { maxLength: 8 }), fc.shuffledSubarray(['node node1', 'node node2', 'bcast eth0'],
  { minLength: 2 })).chain(([some, own]) => fc.shuffledSubarray([...some, ...own], { minLength: some.length + own.length }))

test.skipIf(denied !== '')(`the daemon accepts the same ha.cf, or a code says why not${denied}`, async () => {
  const texts = fc.sample(haCf, { seed, numRuns: 24 }).map((lines) => `${lines.join('\n')}\n`)
  const paths = written(texts.map((text) => ({ 'ha.cf': text, haresources: '', authkeys: goodAuthkeys })), 'verdict')
  const ask = (path: string) => run('unshare', ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child',
    join(scripts, 'verdict.sh'), path, 'node1'])
  for (let start = 0; start < paths.length; start += 4) await Promise.all(paths.slice(start, start + 4).map(ask))
  for (const [index, text] of texts.entries()) {
    const path = paths[index] ?? ''
    const accepted = readFileSync(join(path, 'verdict'), 'utf8') === 'accepted\n'
    const said = readFileSync(join(path, 'said'), 'utf8')
    const result = loadConfig(classic({ haCf: text, haresources: '' }))
    const unexplained = codesOf(result).errors.filter((code) => !accepted || !stricter.has(code))
    if (/not in configuration/.test(said)) continue
    expect(unexplained.length > 0, `seed ${seed}: ${JSON.stringify(text)}\n${said}\n${unexplained.join(' ')}`).toBe(!accepted)
  }
}, 120_000)
