/** Kill -9 of a daemon, with a real guard: what it leaves on the host, and what the peer hears. */
import { expect } from 'vitest'
import { namespaceTest, runScenario } from './in-namespace.ts'

const run = (scenario: string, env: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> => runScenario('guard.ts', scenario, env)

const told = { 'daemon-dead': 3, 'addresses-gone web': 3, 'stopped web': 3 }
const gone = 'every floating address is off this host'
const toldLine = 'the peer was told of the death, and that the addresses are gone of: web'

for (const { how, env } of [{ how: 'with native calls', env: {} }, { how: 'without native calls', env: { HACTL_NO_NATIVE: '1' } }]) {
  namespaceTest(`the addresses go, and every will reaches the peer three times on each of four links, whole and signed, ${how}`, async () => {
    const result = await run('all-links', env)
    expect(result['before']).toEqual(['192.0.2.100/32', '2001:db8::100/128'])
    expect(result).toMatchObject({ standing: [], bad: [], links: ['bcast', 'mcast', 'ucast'], bytes: [512], sequences: 4, state: 'acted' })
    expect(result['wills']).toEqual({ 'daemon-dead': 12, 'addresses-gone web': 12, 'addresses-gone a group, 100 % odd': 12, 'stopped web': 12 })
    expect(result['acts']).toEqual([expect.stringMatching(/^the daemon \(pid \d+\) died/), gone, `${toldLine} a%20group%2C%20100%20%25%20odd`])
  })
}

namespaceTest('every copy of an address goes, with whatever prefix length and on whatever interface', async () => {
  const result = await run('copies')
  expect(result['before']).toHaveLength(3)
  expect(result).toMatchObject({ standing: [], wills: told })
})

namespaceTest('a plan that is asleep does nothing', async () => {
  expect(await run('asleep')).toMatchObject({ standing: ['192.0.2.100/32'], wills: {}, acts: [], output: expect.stringContaining('nothing is to be done') as string })
})

namespaceTest('where no plan is in force the guard does nothing, and says so', async () => {
  expect(await run('no-plan')).toMatchObject({
    standing: ['192.0.2.100/32'], wills: {}, state: 'none', output: expect.stringContaining('no plan is in force') as string,
    acts: [expect.stringMatching(/^the daemon \(pid \d+\) has ended, .* floating addresses that stand here stay until their lease ends/)],
  })
})

namespaceTest('a daemon that ends in order tells its guard to go, and nothing is left of it', async () => {
  expect(await run('closed')).toMatchObject({ standing: ['192.0.2.100/32'], wills: {}, acts: [], left: false })
})

namespaceTest('a real Heartbeat gets no wills', async () => {
  expect(await run('classic')).toMatchObject({ standing: [], wills: {}, acts: [expect.anything(), gone, 'no wills: the peer cannot use any'] })
})

namespaceTest('where ip fails nothing is said to be gone, but the death is told and the scripts are stopped', async () => {
  const result = await run('ip-fails')
  expect(result).toMatchObject({ standing: ['192.0.2.100/32'], wills: { 'daemon-dead': 3 } })
  expect(result['wills']).toEqual({ 'daemon-dead': 3 })
  expect(result['acts']).toEqual(expect.arrayContaining([expect.stringMatching(/not known whether .* gone: .*Operation not permitted/), 'web: /run/scripts/service stop is stopped']))
})

namespaceTest('an address that stays keeps back the wills of its group, and of no other', async () => {
  const result = await run('one-stays')
  expect(result['standing']).toEqual(['192.0.2.101/32'])
  expect(result['wills']).toEqual(told)
  expect(result['acts']).toEqual(expect.arrayContaining([expect.stringContaining('these addresses stay on this host: 192.0.2.101'), toldLine]))
})

namespaceTest('a guard that is killed is replaced at once, and told', async () => {
  expect(await run('guard-killed')).toMatchObject({ told: true, other: true, standing: [], wills: told })
})

namespaceTest('no signal but KILL ends a guard, and none makes it act', async () => {
  expect(await run('guard-signalled')).toMatchObject({ before: ['192.0.2.100/32'], standing: [], wills: told })
})

namespaceTest('stops run in order, with the words and the environment of the daemon\'s own, and no word is evaluated', async () => {
  const result = await run('stops')
  expect(result).toMatchObject({ hacked: false, wills: told })
  // The script prints its words by `echo`, which turns the \n of the last but few into a line.
  const words = 'two words $(touch /run/hacked) `touch /run/hacked` " \' \n \\    * ЁЂ€漢 ;touch /run/hacked stop'
  expect(result['order']).toBe(`/run/scripts/order ${words} x; touch /run/hacked "$(id)" \\ 0\n/\n/run/scripts/second=2 stop\n`)
  expect(String(result['env']).split('\n')).toEqual(expect.arrayContaining([
    'HACTL_GROUP=web', 'HACTL_ACTION=stop', 'HACTL_NODE=node1', 'HACTL_PEER=node2', 'HACTL_STATE_DIR=/run/state', 'HA_CURHOST=node1', 'LC_ALL=C',
    'HA_odd=it\'s "$HOME"', 'A=x; touch /run/hacked "$(id)" \\', 'limit=9', 'PATH=/usr/bin:/bin', 'OCF_ROOT=/usr/lib/ocf',
  ]))
  expect((result['acts'] as string[]).slice(-2)).toEqual(['web: /run/scripts/second=2 stop is stopped', 'web: all of it is stopped, and the peer was told'])
})

for (const { how, env } of [{ how: 'as this host has it', env: {} }, { how: 'that is bash', env: { HACTL_BASH: 'yes' } }]) {
  namespaceTest(`no value of a script's environment stands among the words of a process while the guard stops it, with a /bin/sh ${how}`, async () => {
    const result = await run('secrets', env)
    const seen = result['seen'] as readonly string[]
    expect(seen).toEqual(expect.arrayContaining([expect.stringContaining('/run/scripts/service stop')]))
    expect(seen.filter((line) => line.includes('sesame'))).toEqual([])
    const environment = String(result['env']).split('\n')
    expect(environment).toEqual(expect.arrayContaining(['password=open sesame', 'limit=9', 'HACTL_GROUP=web', 'HA_CURHOST=node1']))
    expect(environment.filter((line) => /^(PWD|OLDPWD|SHLVL)=/.test(line))).toEqual([])
    expect((result['acts'] as readonly string[]).at(-1)).toBe('web: all of it is stopped, and the peer was told')
  })
}

namespaceTest('a stop that fails, hangs, or cannot be run sends no will and leaves its group unclean for the next daemon; other groups do not mind', async () => {
  const result = await run('stop-fails')
  expect(result['wills']).toEqual({ 'daemon-dead': 3, 'addresses-gone web': 3, 'stopped good': 3 })
  expect(result).toMatchObject({ never: false, left: false, unclean: ['gone', 'lines', 'odd', 'slow one', 'web'] })
  expect(result['acts']).toEqual(expect.arrayContaining([
    expect.stringMatching(/^web: .*failed with exit code 3: cannot: /), expect.stringMatching(/^slow%20one: .* was not done after 0\.3 s/),
    expect.stringMatching(/^lines: .* has a line end/), expect.stringMatching(/^odd: .* a shell has no variable -u/), expect.stringMatching(/^gone: there is no resource script no-such-script/),
  ]))
  expect((result['again'] as { groups: { unclean: boolean }[] }).groups.map(({ unclean }) => unclean)).toEqual([true, true, true, true, true])
})

namespaceTest('first of all, operations under way and the address program are ended', async () => {
  const result = await run('operations')
  expect(result).toMatchObject({ programs: 1, left: [], standing: [], wills: told })
  expect(result['acts']).toEqual(expect.arrayContaining([expect.stringContaining('and 1 of its operations')]))
})

namespaceTest('an operation that had no number yet when the daemon died makes its outcome unknown: no second will', async () => {
  const result = await run('unknown-operation')
  expect(result['wills']).toEqual({ 'daemon-dead': 3, 'addresses-gone web': 3 })
  expect(result['unclean']).toBe('web\n')
})

namespaceTest('after a change of the signing method the wills are signed with the new one', async () => {
  expect(await run('resigned')).toMatchObject({ methods: ['sha256'], wills: told })
})

namespaceTest('an interface that is made anew gets a guard that sends on it', async () => {
  expect(await run('relinked')).toMatchObject({ other: true, standing: [], wills: told })
})
