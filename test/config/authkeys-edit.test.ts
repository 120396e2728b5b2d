import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config/index.ts'
import { newKeyIndex, withActiveKey, withNewKey, withoutMark, withoutOtherKeys } from '../../src/config/authkeys-edit.ts'

const before = '# ours\nauth 1\n# of 2024\n1 sha1 old words\n'
const added = '# ours\nauth 1\n# of 2024\n1 sha1 old words\n# hactl keys rotate: key 2 is the new one\n2 sha256 fresh\n'

test('a key is added at the end, with a mark that says that it is the new one', () => {
  expect(withNewKey(before, { index: 2, method: 'sha256', key: 'fresh' })).toBe(added)
  expect(newKeyIndex(before)).toBeUndefined()
  expect(newKeyIndex(added)).toBe(2)
  expect(withNewKey('auth 1\n1 sha1 x', { index: 2, method: 'sha1', key: 'y' })).toBe('auth 1\n1 sha1 x\n# hactl keys rotate: key 2 is the new one\n2 sha1 y\n')
})

test('another key signs: the auth line stands above all keys, whichever it was', () => {
  const active = withActiveKey(added, 2)
  expect(active).toBe(`# ours\n# of 2024\nauth 2\n1 sha1 old words\n# hactl keys rotate: key 2 is the new one\n2 sha256 fresh\n`)
  expect(withActiveKey('1 sha1 x\nauth 1\n', 1)).toBe('auth 1\n1 sha1 x\n')
  expect(withActiveKey('# hactl keys rotate: key 2 is the new one\n2 sha1 y\n1 sha1 x\nauth 1\n', 2)).toBe(
    'auth 2\n# hactl keys rotate: key 2 is the new one\n2 sha1 y\n1 sha1 x\n')
})

test('the other keys go, comments stay; the mark goes by itself', () => {
  const last = withoutOtherKeys(withActiveKey(added, 2), 2)
  expect(last).toBe('# ours\n# of 2024\nauth 2\n# hactl keys rotate: key 2 is the new one\n2 sha256 fresh\n')
  expect(withoutMark(last)).toBe('# ours\n# of 2024\nauth 2\n2 sha256 fresh\n')
})

test('after every step the file is one that hactl and Heartbeat read without complaint', () => {
  const steps = [before, added, withActiveKey(added, 2), withoutOtherKeys(withActiveKey(added, 2), 2)]
  const files = (text: string) => [
    { name: 'ha.cf', path: '/etc/ha.d/ha.cf', text: 'keepalive 1\ndeadtime 5\nwarntime 2\ninitdead 30\nbcast eth0\nauto_failback on\nnode alpha beta\n' },
    { name: 'haresources', path: '/etc/ha.d/haresources', text: 'alpha 192.0.2.100\n' },
    { name: 'authkeys', path: '/etc/ha.d/authkeys', text, mode: 0o600, uid: 0 },
  ]
  for (const text of steps) {
    const result = loadConfig({ files: files(text.replace('old words', 'old')) })
    expect([...result.errors, ...result.warnings].filter(({ file }) => file.endsWith('authkeys'))).toEqual([])
  }
  expect(loadConfig({ files: files(steps[2] ?? '') }).config?.auth).toMatchObject({ active: 2, keys: [{ index: 1 }, { index: 2, key: 'fresh' }] })
})
