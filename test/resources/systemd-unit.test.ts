// The unit file, judged by systemd itself.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { has } from './sandbox.ts'

const unit = readFileSync(path.resolve(import.meta.dirname, '../../systemd/hactl.service'), 'utf8')
const settings = unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const absent = has('systemd-analyze') ? undefined : 'systemd is not installed'

/** The program need not be installed here: another one stands in for it. */
function verify(text: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'hactl-unit-'))
  try {
    const file = path.join(directory, 'hactl.service')
    writeFileSync(file, text.replaceAll('/usr/bin/hactl', '/bin/true'))
    const { status, stderr, stdout } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    return `${status} ${stdout}${stderr}`.trim()
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe.skipIf(absent)(`hactl.service${absent ? ` (${absent})` : ''}`, () => {
  test('systemd-analyze verify has nothing to say', () => expect(verify(unit)).toBe('0'))
  test('and would say it', () => expect(verify(unit.replace('WatchdogSec=10', 'WatchdogSec=soon'))).toContain('Failed to parse sec value'))
})

test('a failed daemon is started again for ever, and what it held is released', () => {
  for (const line of ['Type=notify', 'Restart=on-failure', 'StartLimitIntervalSec=0', 'ExecStopPost=/usr/bin/hactl release --all']) expect(settings).toContain(line)
})

test('the daemon runs with realtime priority, its children do not', () => {
  for (const line of ['CPUSchedulingPolicy=rr', 'CPUSchedulingResetOnFork=yes']) expect(settings).toContain(line)
})

test('services that scripts start survive the daemon', () => expect(settings).toContain('KillMode=process'))

// Each of these makes a mount namespace: a file system mounted by a script would be seen by nobody else.
const mountNamespace = /^(Protect(System|Home|Kernel\w+|ControlGroups|Proc)|Private(Tmp|Devices|Mounts|Users|Network)|(ReadOnly|ReadWrite|Inaccessible|Bind)\w*Paths|RootDirectory|DynamicUser|NoNewPrivileges|User)=/
test('nothing in it keeps scripts from mounting file systems or starting services as other users', () => {
  expect(settings.filter((line) => mountNamespace.test(line))).toEqual([])
})
