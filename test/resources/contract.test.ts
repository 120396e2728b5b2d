// Every shipped script keeps the contract of resources/README.md, against the real servers.
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { has, noSandbox, openSandbox, type Sandbox } from './sandbox.ts'
import { prepare } from './servers.ts'

interface Case {
  /** With arguments, as the script is called. */
  readonly script: string
  /** Packages' programs without which the test cannot run. */
  readonly programs: readonly string[]
  /** The program whose absence the script must report, and the word of the message that names the cure. */
  readonly hidden: string
  readonly cure: string
  readonly badArguments?: string
  /** MailTo does something at start and stop, but there is nothing that could be running. */
  readonly neverRuns?: boolean
}

const cases: readonly Case[] = [
  { script: 'webdemo 8080', programs: [], hidden: 'node', cure: 'NODE', badArguments: 'webdemo eighty' },
  { script: 'apache2', programs: ['apache2ctl'], hidden: 'apache2ctl', cure: 'apt-get install apache2', badArguments: 'apache2 apache2-two' },
  { script: 'mysql', programs: ['mariadbd'], hidden: 'mariadb', cure: 'apt-get install', badArguments: 'mysql later' },
  { script: 'hapostgres', programs: ['pg_ctlcluster'], hidden: 'pg_lsclusters', cure: 'apt-get install', badArguments: 'hapostgres main later' },
  { script: 'MailTo root@example.com Failover', programs: [], hidden: 'sendmail', cure: 'apt-get install', badArguments: 'MailTo -oQ/tmp', neverRuns: true },
]

const shipped = path.resolve(import.meta.dirname, '../../resources')

test('every shipped script is in the table of this test, executable, and a plain file', () => {
  const scripts = readdirSync(shipped).filter((name) => statSync(path.join(shipped, name)).isFile() && !name.endsWith('.md'))
  expect(scripts.sort()).toEqual(cases.map(({ script }) => script.split(' ')[0]).sort())
  for (const name of scripts) expect(statSync(path.join(shipped, name)).mode & 0o111, name).toBe(0o111)
})

for (const entry of cases) {
  const { script, hidden, cure } = entry
  const [name = ''] = script.split(' ')
  const absent = noSandbox() ?? entry.programs.filter((program) => !has(program)).map((program) => `${program} is not installed`)[0]

  describe.skipIf(absent)(`${name}${absent ? ` (${absent})` : ''}`, () => {
    let machine: Sandbox
    const act = (action: string) => machine.script(script, action)
    beforeAll(async () => {
      machine = await openSandbox('node-a')
      await prepare(name, machine)
    })
    afterAll(() => machine?.close())

    test('status says "not running", with 3, before the first start', async () => {
      const { code, stdout } = await act('status')
      expect({ code, stdout }).toEqual({ code: 3, stdout: expect.stringContaining('not running') as string })
    })

    test('stop of what never ran succeeds, twice', async () => {
      expect(await act('stop')).toMatchObject({ code: 0 })
      expect(await act('stop')).toMatchObject({ code: 0 })
    })

    test('start, start again, status, stop, stop again, status', async () => {
      const codes = [] as (readonly [string, number])[]
      for (const action of ['start', 'start', 'status', 'stop', 'stop', 'status']) codes.push([action, (await act(action)).code])
      const running = entry.neverRuns ? 3 : 0
      expect(codes).toEqual([['start', 0], ['start', 0], ['status', running], ['stop', 0], ['stop', 0], ['status', 3]])
    })

    test('the text of status is what Heartbeat looks for', async () => {
      await act('start')
      const { stdout } = await act('status')
      if (!entry.neverRuns) expect(stdout).toMatch(/running|OK/)
      if (!entry.neverRuns) expect(stdout).not.toContain('not running')
      await act('stop')
      expect((await act('status')).stdout).toContain('not running')
    })

    test('an unknown action gives 3, no action 2, both name the actions there are', async () => {
      for (const [action, code] of [['reticulate', 3], ['', 2]] as const) {
        const result = await machine.script(action === '' ? name : script, action)
        expect(result).toMatchObject({ code, stdout: '' })
        expect(result.stderr).toMatch(new RegExp(`^${name}: .*start.*stop.*status`))
      }
    })

    test('arguments that make no sense: start fails with 2 and says so, nothing runs, stop succeeds', async () => {
      const start = await machine.script(entry.badArguments ?? name, 'start')
      expect(start.code).toBe(2)
      expect(start.stderr).toMatch(new RegExp(`^${name}: `))
      expect(await machine.script(entry.badArguments ?? name, 'status')).toMatchObject({ code: 3 })
      expect(await machine.script(entry.badArguments ?? name, 'stop')).toMatchObject({ code: 0 })
    })

    test('its program missing: start gives 5 and the cure, nothing runs, stop succeeds', async () => {
      const bare = await openSandbox('bare')
      try {
        await prepare(name, bare)
        await bare.hide(hidden)
        const start = await bare.script(script, 'start')
        expect(start).toMatchObject({ code: 5, stderr: expect.stringContaining(cure) as string })
        expect(await bare.script(script, 'status')).toMatchObject({ code: 3 })
        expect(await bare.script(script, 'stop')).toMatchObject({ code: 0 })
      } finally {
        await bare.close()
      }
    })

    test('a copy without its library says to link instead', async () => {
      await machine.sh(`mkdir -p /run/copy; cp ${shipped}/${name} /run/copy/`)
      expect(await machine.run([`/run/copy/${name}`, 'status'])).toMatchObject({ code: 5, stderr: expect.stringContaining('link') as string })
    })
  })
}
