import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { ClusterConfig, FenceDevice } from '../../src/core/config.ts'
import { testFencing } from '../../src/cli/fence.ts'
import { plainPaint, type Terminal, type View } from '../../src/cli/terminal.ts'
import { loadConfig } from '../../src/config/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'hactl-fence-cli-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function agent(name: string, body: string): FenceDevice {
  writeFileSync(join(directory, name), `#!/bin/sh\naction=$(sed -n s/^action=//p)\n${body}\n`, { mode: 0o755 })
  return { kind: 'fence-agent', agent: join(directory, name), parameters: {} }
}

function configured(devices: ClusterConfig['fenceDevices'] | undefined): ClusterConfig {
  const { config } = loadConfig({ files: [
    { name: 'ha.cf', path: '/etc/ha.d/ha.cf', text: 'bcast eth0\nnode alpha beta\n' },
    { name: 'haresources', path: '/etc/ha.d/haresources', text: 'alpha 192.0.2.100\n' },
    { name: 'authkeys', path: '/etc/ha.d/authkeys', text: 'auth 1\n1 sha1 key\n', mode: 0o600, uid: 0 },
  ] })
  if (config === undefined) throw new Error('the sample is no configuration')
  const fencing = { levels: { beta: [{ name: 'ipmi', timeoutMs: 5_000, retries: 0 }] }, delaysMs: {} }
  return devices === undefined ? config : { ...config, fenceDevices: devices, fencing }
}

async function fenceTest(config: ClusterConfig, self = 'alpha'): Promise<{ exitCode: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const view: View = { columns: 80, paint: plainPaint }
  const terminal: Terminal = { out: (text) => void (out += text), err: (text) => void (err += text), interactive: false, view, errorView: view }
  return { exitCode: await testFencing(config, self, terminal), out, err }
}

test('a line for each device of the peer, and where its own are tested', async () => {
  const up = agent('fence_up', 'test $action = monitor && exit 0; echo "Status: ON"')
  const down = agent('fence_down', 'echo unreachable; exit 1')
  expect(await fenceTest(configured({ beta: [[up], [up]], alpha: [[down]] }))).toEqual({
    exitCode: 0, err: '',
    out: 'level 1 (ipmi)  ok  fence_up answers: beta is on\nlevel 2  ok  fence_up answers: beta is on\n' +
      'all devices that fence beta answer; nothing was switched\nthose that fence alpha are tested on beta: type it there, too\n',
  })
  const { exitCode, out } = await fenceTest(configured({ beta: [[up, down]] }))
  expect(exitCode).toBe(1)
  expect(out).toContain('level 1 (ipmi)  failed  fence_down monitor for beta failed with exit code 1, saying: unreachable\n1 of the devices')
})

test('no device is exit code 1, another host 2', async () => {
  expect(await fenceTest(configured(undefined))).toEqual({
    exitCode: 1, out: '', err: 'hactl: no fencing device is configured for beta: nothing makes sure that it is off\n',
  })
  expect(await fenceTest(configured({}), 'gamma')).toMatchObject({ exitCode: 2, err: 'hactl: this host is called gamma and is neither alpha nor beta\n' })
})
