/** Does it run? Heartbeat's answer for its own scripts, ours for init scripts that Heartbeat called (heartbeat-3.md section 6.4). */
import { expect, test } from 'vitest'
import { judgeInit, judgeText, saying } from '../../src/runtime/script-judgement.ts'
import type { Said } from '../../src/runtime/status-text.ts'

const said = (standardOutput: string, standardError = ''): Said => ({ text: `${standardOutput}\n${standardError}`, standardOutput, captured: true })

const heartbeats: readonly (readonly [text: string, exitCode: number, result: string])[] = [
  ['running', 0, 'ok'], ['running', 3, 'ok'], ['apache is Running', 1, 'ok'], ['OK', 0, 'ok'], ['BROKEN', 1, 'ok'], ['INFO:  Running OK', 0, 'ok'],
  ['not running', 0, 'not-running'], ['Not Running', 0, 'not-running'], ['httpd is NOT running', 0, 'not-running'],
  // Heartbeat's pattern spans whatever stands between the two words.
  ['not mounted\nnfs is running', 0, 'not-running'], ['not yet\nRunning', 0, 'not-running'], ['NOT RUNNING', 1, 'not-running'],
  ['INFO:  Resource is stopped', 7, 'not-running'], ['stopped', 0, 'not-running'], ['ERROR:  Generic error', 1, 'not-running'], ['', 3, 'not-running'],
  ['', 0, 'unknown'], ['nothing to see', 0, 'unknown'], ['Usage: web {start|stop}', 1, 'unknown'],
]
for (const [text, exitCode, result] of heartbeats) {
  test(`a script of resource.d that says ${JSON.stringify(text)} with exit code ${exitCode}: ${result}`, () => {
    expect(judgeText('/etc/ha.d/resource.d/web', exitCode, said(text)).result).toBe(result)
  })
}

const systemctl = (state: string) => `● web.service - Web\n     Loaded: loaded\n     Active: ${state}\n\nNov 25 host web[1]: running, all OK\n`
const inits: readonly (readonly [text: string, exitCode: number, result: string])[] = [
  // Good ones: both agree.
  ['web is running', 0, 'ok'], ['web is not running', 3, 'not-running'], ['web dead but pid file exists', 1, 'failed'], ['', 0, 'ok'], ['', 3, 'not-running'],
  // Exit codes that lie.
  ['web is not running', 0, 'not-running'], ['web is stopped', 0, 'not-running'], ['unused', 0, 'not-running'], ['web is running', 1, 'ok'],
  // Texts that say nothing.
  ['checking web...', 0, 'ok'], ['checking web...', 3, 'not-running'], ['checking web...', 4, 'failed'],
  // Debian's redirection to systemctl, which shows what the service last logged.
  [systemctl('active (running)'), 0, 'ok'], [systemctl('inactive (dead)'), 3, 'not-running'],
  // No status at all.
  ['Usage: /etc/init.d/web {start|stop|restart}', 1, 'unknown'], ['usage: web start|stop', 0, 'unknown'], ['usage: web start|stop', 3, 'unknown'],
]
for (const [text, exitCode, result] of inits) {
  test(`an init script that says ${JSON.stringify(text.slice(0, 40))} with exit code ${exitCode}: ${result}`, () => {
    expect(judgeInit('/etc/init.d/web', exitCode, said(text)).result).toBe(result)
  })
}

test('what is said on standard error is no answer: Heartbeat looks at standard output alone', () => {
  expect(judgeText('/etc/ha.d/resource.d/web', 3, said('', '+ echo running')).result).toBe('not-running')
  expect(judgeText('/etc/ha.d/resource.d/web', 0, said('web runs', 'not running: old pid file')).result).toBe('unknown')
})

test('a script without a status: the message shows what it said and says what to do', () => {
  const outcome = judgeInit('/etc/init.d/web', 1, said('', 'Usage: /etc/init.d/web {start|stop}'))
  expect(outcome).toMatchObject({ result: 'unknown', message: expect.stringMatching(/exit code 1, saying: Usage: .*status: off for it in hactl\.yaml/) })
})

test('text that could not be kept says nothing', () => {
  for (const judge of [judgeText, judgeInit]) expect(judge('/etc/init.d/web', 0, { ...said('running'), captured: false }).result).toBe('failed')
})

test('what a script says over and over is said once', () => {
  expect(saying('no drbdadm\nno drbdadm\n\nno drbdadm\ngave up\n')).toBe(', saying: no drbdadm | gave up')
})
