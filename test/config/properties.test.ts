/** Whatever the bytes: never a throw, and what was understood is written back to the same. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadConfig, toYaml } from '../../src/config/index.ts'
import { classic, goodAuthkeys, goodHaCf, goodHaresources, goodYaml, readSamples, type RealFiles, yamlSource } from './samples.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(array))
const word = fc.constantFrom(
  'node', 'node1', 'node2', 'keepalive', 'deadtime', '1', '200ms', 'bcast', 'ucast', 'mcast', 'eth0', '192.0.2.1', '192.0.2.1/24/eth0:1',
  '2001:db8::1', '::', '#', '//', '\\', '\\\n', '\n', '\r', '\r\n', '\0',
  '\ufeff', '\t', ' ', ',', 'auth', 'sha1', 'md5', 'crc', 'IPaddr::', 'IPaddr2::2001:db8::1/64', 'drbddisk::r0', 'systemd:nginx', 'ocf:',
  '-', ': ', '{', '}', '[', ']', '"', '&a', '*a', '|', '>', '!!int', '__proto__',
  'groups:', 'resources:', 'auto_failback:', 'warm: true', 'on', 'respawn', 'apiauth', 'env A=b',
)
const mixture = fc.array(fc.oneof(word, fc.string({ maxLength: 5 })), { maxLength: 60 }).map((words) => words.join(' '))
const anything = fc.oneof(bytes, mixture)
const runs = { numRuns: 500 }

test('any text in any file gives messages with places, never a throw', () => {
  fc.assert(fc.property(anything, fc.constantFrom('haCf', 'haresources', 'authkeys', 'yaml'), fc.boolean(), (text, file, append) => {
    const good = { haCf: goodHaCf, haresources: goodHaresources, authkeys: goodAuthkeys, yaml: '' }
    const result = loadConfig(classic({ ...good, [file]: append ? good[file] + text : text }), { ownUid: 0 })
    for (const message of [...result.errors, ...result.warnings]) {
      expect(Number.isInteger(message.line) && message.line > 0 && Number.isInteger(message.column) && message.column > 0).toBe(true)
      expect(message.message).not.toMatch(/[\u0000-\u001f\u007f]/)
    }
    expect(result.ok).toBe(result.config !== undefined)
  }), runs)
})

test('any text as the whole YAML, or behind a good one', () => {
  fc.assert(fc.property(anything, fc.boolean(), (text, append) => {
    const result = loadConfig(yamlSource(append ? goodYaml + text : text))
    expect(result.ok).toBe(result.errors.length === 0)
  }), runs)
})

test('what is understood of a damaged real file is written back to the same', () => {
  const real = readSamples<RealFiles>('files').filter(({ files }) => files['ha.cf'] !== undefined && files.haresources !== undefined)
  fc.assert(fc.property(fc.constantFrom(...real), fc.nat(5000), fc.nat(40), anything, ({ files }, at, length, text) => {
    const haresources = files.haresources ?? ''
    const cut = at % (haresources.length + 1)
    const source = classic({ haCf: files['ha.cf'], haresources: haresources.slice(0, cut) + text + haresources.slice(cut + length) })
    const result = loadConfig(source, { ownUid: 0 })
    const yaml = toYaml(result)
    if (yaml === undefined) return
    const back = loadConfig({ files: [{ name: 'hactl.yaml', path: '/etc/hactl/hactl.yaml', text: yaml },
      ...source.files.filter(({ name }) => name === 'authkeys')] })
    expect(back.errors).toEqual([])
    expect(back.config).toEqual(result.config)
    expect(back.shown).toEqual(result.shown)
  }), runs)
})

test('directives of different real files, in any order, are written back to the same', () => {
  const lines = readSamples<RealFiles>('files').flatMap(({ files }) => (files['ha.cf'] ?? '').split('\n'))
  const groups = readSamples<RealFiles>('files').flatMap(({ files }) => (files.haresources ?? '').split('\n'))
  const some = (all: readonly string[], maxLength: number) => fc.array(fc.constantFrom(...all), { maxLength })
  const ends = fc.constantFrom('\n', '\r\n')
  const needed = fc.shuffledSubarray(['node node1', 'node node2', 'bcast eth0'])
  fc.assert(fc.property(some(lines, 30), some(groups, 5), needed, ends, (chosen, held, own, end) => {
    const haresources = held.map((line) => line.replace(/^[^\s#\\]+/, 'node1')).join(end)
    const source = classic({ haCf: [...own, ...chosen].join(end), haresources })
    const result = loadConfig(source, { ownUid: 0 })
    const yaml = toYaml(result)
    expect(yaml === undefined).toBe(!result.ok)
    if (yaml === undefined || result.config?.fenceDevices !== undefined) return
    const back = loadConfig({ files: [{ name: 'hactl.yaml', path: '/etc/hactl/hactl.yaml', text: yaml },
      ...source.files.filter(({ name }) => name === 'authkeys')] })
    expect(back.errors).toEqual([])
    expect(back.config).toEqual(result.config)
    expect(back.shown).toEqual(result.shown)
  }), runs)
})

const node = fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}$/)
const script = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,8}$/).filter((name) => !/^ip(v6)?addr/i.test(name))
const argument = fc.string({ maxLength: 8 }).filter((text) => !text.includes('\0'))
const ms = fc.integer({ min: 1, max: 100_000_000 }).map((value) => `${value}ms`)

const seconds = fc.integer({ min: 1, max: 60 }).map((value) => `${value}s`)
const flag = fc.constantFrom('on', 'off')
const host = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `198.51.${a}.${b}`)
const some = <T extends Record<string, fc.Arbitrary<unknown>>>(model: T) => fc.record(model, { requiredKeys: [] })
/** Whatever stands behind a dead node; no password, which is not written back. */
const protection = some({
  lease: fc.oneof(fc.constantFrom('auto', 'off'), seconds),
  pause_limit: ms,
  flap_guard: fc.oneof(fc.constant('off'), some({ moves: fc.integer({ min: 2, max: 9 }).map(String), within: ms })),
  watchdog: fc.record({ device: fc.constant('/dev/watchdog'), timeout: seconds }, { requiredKeys: ['device'] }),
  witness: fc.record({ etcd: fc.record({ endpoints: fc.array(host.map((name) => `https://${name}:2379`), { minLength: 1, maxLength: 3 }),
    prefix: fc.constant('/a/b'), ca: fc.constant('/ca') }, { requiredKeys: ['endpoints'] }), timeout: ms, grant: seconds, renew: ms },
  { requiredKeys: ['etcd'] }),
  ping: fc.record({ nodes: fc.uniqueArray(host, { minLength: 1, maxLength: 3 }),
    groups: fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,5}$/), fc.uniqueArray(host, { minLength: 1, maxLength: 3 }), { maxKeys: 3 }),
    balance: flag, release: flag, settle: ms }, { requiredKeys: ['nodes'] }),
})

test('any configuration in YAML is written back to the same', () => {
  const resource = fc.record({ script, args: fc.array(argument, { maxLength: 3 }), start_timeout: ms, stop_timeout: ms,
    warm: fc.boolean().map(String),
      parameters: fc.dictionary(fc.stringMatching(/^[A-Za-z_]\w{0,5}$/).filter((name) => name !== '__proto__'), argument,
        { maxKeys: 2 }) }, { requiredKeys: ['script'] })
  const configuration = fc.record({
    first: node, second: node, groups: fc.array(fc.array(resource, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    protection,
    failback: fc.oneof(fc.constantFrom('on', 'off'), ms.map((after) => ({ after })), fc.constant({ at: '*/5 1-3 * * *' })),
  }).filter(({ first, second }) => first !== second)
  fc.assert(fc.property(configuration, ({ first, second, groups, failback, protection: more }) => {
    const text = JSON.stringify({
      nodes: [first, second], keepalive: '1s', deadtime: '10s', initdead: '20s', auto_failback: failback, links: [{ bcast: 'eth0' }],
      groups: groups.map((resources, index) => ({ name: `g${index}`, preferred_node: first, resources })),
        auth: { file: '/etc/hactl/authkeys' },
      ...more,
    })
    const result = loadConfig(yamlSource(text))
    expect(result.errors).toEqual([])
    const back = loadConfig(yamlSource(toYaml(result) ?? ''))
    expect(back.config).toEqual(result.config)
    expect(back.notes.map(({ message }) => message)).toEqual(result.notes.map(({ message }) => message))
  }), { numRuns: 200 })
})

test('size costs time in proportion: large files are read or refused quickly', () => {
  const started = performance.now()
  const many = Array.from({ length: 20_000 }, (_, index) => `node1 10.${index >> 16}.${(index >> 8) & 255}.${index & 255}/32/eth0 ` +
    `script${index}`).join('\n')
  expect(loadConfig(classic({ haresources: many })).config?.groups.length).toBe(20_000)
  const long = `node1 ${'1.1.1.'.repeat(800)}\n`.repeat(50) + `node1 ${':'.repeat(5000)} ${'/'.repeat(5000)}\n`
  expect(loadConfig(classic({ haresources: long })).ok).toBe(false)
  expect(loadConfig(classic({ haCf: `${goodHaCf}${'x y\n'.repeat(100_000)}` })).errors.length).toBeLessThanOrEqual(200)
  expect(loadConfig(yamlSource('['.repeat(20_000))).ok).toBe(false)
  expect(loadConfig(yamlSource(`${goodYaml}witness: ${'{a: '.repeat(20_000)}`)).ok).toBe(false)
  expect(performance.now() - started).toBeLessThan(20_000)
})
