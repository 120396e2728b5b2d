import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { groupsToRelease, keepInForce, readInForce, type InForce } from '../../src/daemon/in-force.ts'
import { address, group, script } from '../core/two-nodes.ts'

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'hactl-in-force-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

const inForce = (...groups: InForce['groups']): InForce => ({ nodes: ['a', 'b'], environment: { SITE: 'east' }, groups })
const web = group('web', 'a', [address('192.0.2.100'), script('apache2')])

test('what was kept is read again, and only its owner may read it', async () => {
  const stateDir = directory()
  expect(await readInForce(stateDir)).toEqual({})
  await keepInForce(stateDir, inForce(web))
  expect((await readInForce(stateDir)).inForce).toMatchObject(inForce(web))
  expect(statSync(`${stateDir}/in-force.json`).mode & 0o777).toBe(0o600)
})

test('a damaged file, or one of another version, is named', async () => {
  const stateDir = directory()
  for (const text of ['{', '{"version":2,"nodes":[],"groups":[],"environment":{}}', '{"version":1}', 'null']) {
    writeFileSync(`${stateDir}/in-force.json`, text)
    const { inForce: read, problem } = await readInForce(stateDir)
    expect([text, read, problem]).toEqual([text, undefined, expect.stringContaining(`${stateDir}/in-force.json`)])
  }
})

test('released is what the daemon had, what only the files have, and the addresses of both', () => {
  const edited = group('web', 'a', [address('192.0.2.101'), address('192.0.2.100'), script('nginx')])
  const added = group('mail', 'b', [script('postfix')])
  const released = groupsToRelease(inForce(web), inForce(edited, added))
  expect(released.slice(0, 2)).toEqual([web, added])
  expect(released.slice(2).flatMap(({ resources }) => resources)).toEqual([address('192.0.2.101')])
  expect(groupsToRelease(inForce(web), undefined)).toEqual([web])
  expect(groupsToRelease(undefined, inForce(edited))).toEqual([edited])
})
