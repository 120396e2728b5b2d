import { spawnSync } from 'node:child_process'
import { describe, expect } from 'vitest'
import { namespaceTest, runScenario } from './in-namespace.ts'

const run = (scenario: string): Promise<Record<string, unknown>> => runScenario('pings.ts', scenario)
const ping = /iputils/.test(spawnSync('ping', ['-V'], { encoding: 'utf8' }).stdout ?? '')

describe.skipIf(!ping)('ping nodes, asked by the real ping (iputils-ping)', () => {
  namespaceTest('each is told once: an answer at once, silence after deadping; no child stays behind', async () => {
    expect(await run('answers and silence')).toEqual({
      told: ['192.0.2.2 answers', '192.0.2.77 silent', '2001:db8::2 answers'], notices: [], gone: true,
    })
  })
  namespaceTest('a cable that is pulled and put back is told, each once', async () => {
    expect(await run('cable')).toEqual({ told: ['gate answers', 'gate silent', 'gate answers'], back: true })
  })
  namespaceTest('a group of addresses answers while one of them does', async () => {
    expect(await run('group')).toEqual({ oneLeft: ['routers answers'], told: ['routers answers', 'routers silent'] })
  })
  namespaceTest('a child that is killed is started again, and nobody counts as silent for it', async () => {
    expect(await run('killed child')).toEqual({
      told: ['gate answers'], notices: ['ping 192.0.2.2: it was ended by SIGKILL; it is started again'], another: true,
    })
  })
  namespaceTest('a host name that nobody knows is silent, and the reason is told once', async () => {
    const { told, notices, gone } = await run('unknown host')
    expect(told).toEqual(['no-such-host.invalid silent'])
    expect(notices).toEqual([expect.stringMatching(/^ping no-such-host.invalid: it ended with exit code 2, saying: no-such-host.invalid: .*; it is started again$/)])
    expect(gone).toBe(true)
  })
  namespaceTest('a daemon that was stopped takes its own pause for nobody\'s silence, whether the children stood still, too, or not', async () => {
    expect(await run('stopped daemon')).toEqual({ told: ['gate answers'] })
    expect(await run('stopped host')).toEqual({ told: ['gate answers'] })
  })
  namespaceTest('a node that went away meanwhile is silent after deadping of listening', async () => {
    expect(await run('stopped and lost')).toEqual({ early: ['gate answers'], told: ['gate answers', 'gate silent'], silent: true })
  })
  namespaceTest('a child that hangs is replaced', async () => {
    expect(await run('stopped child')).toEqual({ told: ['gate answers', 'gate silent', 'gate answers'], back: true })
  })
})

namespaceTest('without the program ping it says what to install', async () => {
  const { notices } = await run('no ping')
  expect(notices).toEqual(['ping 192.0.2.2: the program ping cannot be run (EACCES); install iputils-ping'])
})
