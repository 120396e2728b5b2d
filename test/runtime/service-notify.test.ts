import { spawnSync } from 'node:child_process'
import { describe, expect } from 'vitest'
import { bothWays, namespaceTest, runScenario } from './in-namespace.ts'

const program = spawnSync('systemd-notify', ['--version']).error === undefined
const want = {
  received: ['READY=1\nSTATUS=holds web on eth0', 'WATCHDOG=1', 'RELOADING=1\nMONOTONIC_USEC=<now>', 'STATUS=peer dead', 'STOPPING=1'],
  failures: [], fresh: true, intervalMs: 5_000, environment: ['undefined', 'undefined'],
}

for (const { how, env } of bothWays) {
  describe.skipIf(env['HACTL_NO_NATIVE'] === '1' && !program)(`systemd is told ${how}`, () => {
    for (const kind of ['path', 'abstract']) {
      namespaceTest(`over a socket with ${kind === 'path' ? 'a path' : 'an abstract name'}; children do not inherit it`, async () => {
        expect(await runScenario('service-notify.ts', kind, env)).toEqual(want)
      })
    }
    namespaceTest('messages arrive in order, however quickly they follow each other', async () => {
      const { failures, first, end } = await runScenario('service-notify.ts', 'burst', env)
      expect([failures, first, end]).toEqual([[], 'READY=1\nSTATUS=starts', ['STATUS=count 30', 'WATCHDOG=1']])
    })
    namespaceTest('nothing is sent and nothing fails where systemd did not start the daemon', async () => {
      expect(await runScenario('service-notify.ts', 'no-systemd', { ...env, NOTIFY_SOCKET: '' })).toEqual({ failures: [], interval: true })
    })
    namespaceTest('a socket that nobody listens on is told', async () => {
      const { failures } = await runScenario('service-notify.ts', 'nobody-listens', env)
      expect(failures).toEqual([expect.stringMatching(/^systemd cannot be told READY=1: /)])
    })
  })
}
