/** Heartbeat's commands as names of our program, on a pair of ours: what scripts of its administrators go on calling. */
import { expect, test } from 'vitest'
import type { Host } from './hosts.ts'
import { ip, openPair, otherIp, patienceMs } from './pair.ts'
import { waitFor } from './sandbox.ts'

const directory = '/var/lib/names'

test('hb_standby, hb_takeover and cl_status do and say what Heartbeat\'s do', async () => {
  const pair = await openPair({ groups: [`alpha ${ip}/24/eth0`, `beta ${otherIp}/24/eth0`] })
  const [alpha, beta] = [pair.alpha, pair.beta]
  const call = (host: Host, name: string, ...words: string[]) => host.exec([`${directory}/${name}`, ...words])
  const until = async (host: Host, holding: string): Promise<void> => {
    await waitFor(`${host.name} holds ${holding}`, async () => (await call(host, 'cl_status', 'rscstatus')).stdout === `${holding}\n` || undefined, patienceMs)
  }
  for (const host of [alpha, beta]) {
    const made = await pair.hactl(host, 'names', 'install', '--dir', directory)
    expect(made, made.stderr).toMatchObject({ code: 0 })
  }
  expect(await call(alpha, 'cl_status', 'hbstatus')).toMatchObject({ code: 1, stdout: 'Heartbeat is stopped on this machine.\n' })
  expect((await call(alpha, 'cl_status', 'rscstatus')).stderr).toContain('Cannot signon with heartbeat')
  // Heartbeat's own hangs then.
  expect((await call(alpha, 'hb_standby')).code).toBe(3)
  await pair.startBoth()
  expect(await call(alpha, 'cl_status', 'hbstatus')).toMatchObject({ code: 0, stdout: 'Heartbeat is running on this machine.\n' })
  expect(await call(alpha, 'cl_status', 'listnodes')).toMatchObject({ code: 0, stdout: 'beta\nalpha\n' })
  expect(await call(alpha, 'cl_status', 'listhblinks', '-v', 'beta')).toMatchObject({ code: 0, stdout: '\teth0\tup\n' })
  expect(await call(alpha, 'cl_status', 'hbparameter', '-p', 'auto_failback')).toMatchObject({ code: 0, stdout: 'on\n' })
  await until(alpha, 'local')
  const given = await call(alpha, 'hb_standby')
  expect(given, given.stderr).toMatchObject({ code: 0, stdout: '' })
  expect(given.stderr).toMatch(/^\w{3} \d\d \d\d:\d\d:\d\d Going standby \[all\]\.\n$/)
  await until(beta, 'all')
  await until(alpha, 'none')
  expect(await call(alpha, 'hb_takeover', 'local')).toMatchObject({ code: 0, stdout: '', stderr: '' })
  await until(alpha, 'local')
  expect(await call(beta, 'hb_takeover')).toMatchObject({ code: 0 })
  await until(beta, 'all')
  expect(await call(beta, 'hb_standby', 'failback')).toMatchObject({ code: 0 })
  await until(beta, 'local')
  await pair.stop(beta)
  await until(alpha, 'all')
  expect(await call(alpha, 'cl_status', 'nodestatus', 'beta')).toMatchObject({ code: 1, stdout: 'dead\n' })
  expect((await call(alpha, 'hb_standby')).code, 'nobody could take it').toBe(1)
  expect(await call(alpha, 'hb_standby', 'bogus')).toMatchObject({ code: 1, stdout: `${directory}/hb_standby: wrong resources(bogus).\nusage:\n` })
})

test('links are made all or none, and only what is hactl\'s is removed', async () => {
  const pair = await openPair({})
  const { alpha } = pair
  alpha.write(`${directory}/cl_status`, '#!/bin/sh\n', 0o755)
  const refused = await pair.hactl(alpha, 'names', 'install', '--dir', directory)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(`${directory}/cl_status is a file`)
  expect((await alpha.exec(`ls ${directory}`)).stdout).toBe('cl_status\n')
  expect((await pair.hactl(alpha, 'names', 'install', '--dir', `${directory}/more`)).code).toBe(0)
  expect((await pair.hactl(alpha, 'names', 'install', '--dir', `${directory}/more`)).stdout).toContain('they are there')
  const removed = await pair.hactl(alpha, 'names', 'remove', '--dir', `${directory}/more`)
  expect(removed.stdout.trim().split('\n')).toHaveLength(3)
  expect((await pair.hactl(alpha, 'names', 'remove', '--dir', directory)).stdout).toContain('nothing to do')
  expect((await alpha.exec(`ls ${directory}`)).stdout).toBe('cl_status\nmore\n')
})
