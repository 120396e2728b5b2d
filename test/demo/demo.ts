/**
 * `npm run demo`: a pair of hosts and a client in namespaces of this machine, real daemons on the three classic files, and
 * a story: start, crash, return, standby, online, a warm service, goodbye. Nothing outside the sandbox is touched, and it
 * ends with this process.
 */
import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { openLab, repository, sleep, waitFor } from '../lab/hosts.ts'
import type { Host, Lab, Running } from '../lab/hosts.ts'
import { type Client, longestGap, startClient } from './client.ts'
import { floatingAddress, haCf, haresources, warmYaml } from './files.ts'
import { bad, columns, good, heading, quote, say, type } from './narration.ts'
import { drawPicture, type Scene } from './picture.ts'

const hactl = [process.execPath, `${repository}/dist/hactl.js`]
const webdemo = `${repository}/resources/webdemo`
const port = 80
const askEveryMs = 5
/** Long enough to read on, short enough for the whole to stay below a minute. */
const lookMs = process.stdout.isTTY ? 3000 : 1000

interface Stage {
  readonly lab: Lab
  readonly alpha: Host
  readonly beta: Host
  readonly client: Client
  readonly daemons: Map<string, Running>
  readonly scenes: Scene[]
}

async function writeFiles(alpha: Host, beta: Host): Promise<void> {
  for (const host of [alpha, beta]) {
    host.write('/etc/ha.d/ha.cf', haCf)
    host.write('/etc/ha.d/haresources', haresources)
  }
  quote(`${haCf}\n${haresources}`)
  await type(alpha, hactl, ['keys', 'new', '-o', '/etc/ha.d/authkeys'])
  beta.write('/etc/ha.d/authkeys', alpha.read('/etc/ha.d/authkeys'), 0o600)
  say('  (copied to beta, mode 0600)')
}

async function startDaemon({ daemons }: Stage, host: Host): Promise<void> {
  // The sandbox looks for programs in the usual places only; Node may be elsewhere, and webdemo needs it.
  const env = { PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` }
  daemons.set(host.name, await host.start('daemon', [...hactl, 'daemon', '--config', '/etc/ha.d', '--foreground'], env))
}

/** What happens, told beforehand; then the first answer of the node that should answer, and the gap that the client saw. */
async function scene(stage: Stage, title: string, holder: string, happen: () => Promise<unknown>): Promise<Scene> {
  const atMs = Date.now()
  await happen()
  const answer = await stage.client.firstAnswer(atMs, holder)
  // What follows the first answer counts as well: a move that flaps is no move.
  await sleep(500)
  const { ms } = longestGap(stage.client.answers(), atMs, Date.now() - 100)
  const told = { atMs, title, gapMs: ms }
  good(`  ${holder} answers, ${answer.atMs - atMs} ms after it began; the client had no answer for ${ms} ms.`)
  stage.scenes.push(told)
  return told
}

async function play(stage: Stage): Promise<void> {
  const { lab, alpha, beta, client, daemons } = stage
  heading('Both daemons start')
  const startedMs = Date.now()
  await Promise.all([startDaemon(stage, alpha), startDaemon(stage, beta)])
  const first = await client.firstAnswer(startedMs)
  stage.scenes.push({ atMs: startedMs, title: 'both daemons start', gapMs: first.atMs - startedMs, remark: 'to the first answer' })
  good(`  ${first.host} answers on ${floatingAddress}, ${first.atMs - startedMs} ms after the start of both.`)
  await sleep(300)
  await type(alpha, hactl, ['status'])
  await sleep(lookMs)

  heading('alpha loses its power: cable first, then every process')
  await scene(stage, 'alpha loses power (deadtime 1 s)', 'beta', () => alpha.powerOff())
  await type(beta, hactl, ['status'])
  await type(beta, hactl, ['why'])
  await sleep(lookMs)

  heading('alpha is back: auto_failback is on, so the address returns')
  await alpha.powerOn()
  await scene(stage, 'alpha returns, failback', 'alpha', () => startDaemon(stage, alpha))
  await sleep(lookMs)

  heading('Maintenance: alpha gives its groups away')
  await scene(stage, 'hactl standby on alpha', 'beta', () => type(alpha, hactl, ['standby']))
  await sleep(lookMs)

  heading('Maintenance is over')
  await scene(stage, 'hactl online on alpha, failback', 'alpha', () => type(alpha, hactl, ['online']))
  await sleep(lookMs)

  heading('One line more: webdemo may run on both hosts')
  for (const host of [alpha, beta]) host.write('/etc/ha.d/hactl.yaml', warmYaml)
  quote(warmYaml)
  await type(alpha, hactl, ['reload'])
  await type(beta, hactl, ['reload'])
  await waitFor('webdemo on both hosts', async () => ((await beta.exec([webdemo, 'status'])).code === 0 ? true : undefined))
  await scene(stage, 'hactl takeover on beta, webdemo is warm', 'beta', () => type(beta, hactl, ['takeover']))
  await sleep(lookMs)

  heading('Goodbye: the daemon of beta is stopped in good order')
  await scene(stage, 'the daemon of beta is stopped', 'alpha', async () => daemons.get('beta')?.kill('SIGTERM'))
  await type(alpha, hactl, ['status'])
  const holders = await lab.holders(floatingAddress)
  say(`  The kernels of both hosts were asked: ${floatingAddress} is on ${holders.join(' and on ') || 'none'}.`)
}

function showPicture({ lab, client, scenes }: Stage): void {
  const answers = client.answers()
  const fromMs = scenes[0]?.atMs ?? Date.now()
  const toMs = answers.at(-1)?.atMs ?? Date.now()
  heading(`Which host answered the client, asked every ${askEveryMs} ms`)
  say(drawPicture({ hosts: ['alpha', 'beta'], answers, scenes, fromMs, toMs, columns }))
  const overlapMs = lab.overlapMs(floatingAddress)
  say('  The number is the longest time without an answer.')
  say(`  Two holders at once, as the kernels told: ${overlapMs === 0 ? 'never' : `${overlapMs.toFixed(1)} ms`}.`)
  say('  In 3 to 5 webdemo was stopped on one host and started on the other, as Heartbeat')
  say('  does it; in 6 and 7 it ran on both, and only the address moved.')
}

function needPrograms(): void {
  for (const [program, debianPackage] of [['ip', 'iproute2'], ['unshare', 'util-linux'], ['nsenter', 'util-linux']] as const) {
    try {
      execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`], { stdio: 'ignore' })
    } catch {
      throw new Error(`the program ${program} is missing: type  sudo apt-get install ${debianPackage}  and run the demo again`)
    }
  }
}

async function demo(): Promise<void> {
  needPrograms()
  heading('Two hosts, alpha and beta, and a client, in a sandbox that vanishes with this demo')
  const lab = await openLab({ answering: false })
  try {
    const [alpha, beta] = [lab.host('alpha'), lab.host('beta')]
    heading('Three files, as in any Heartbeat tutorial')
    await writeFiles(alpha, beta)
    const client = await startClient(lab.client, ['alpha', 'beta'], floatingAddress, port, askEveryMs)
    const stage: Stage = { lab, alpha, beta, client, daemons: new Map(), scenes: [] }
    try {
      await play(stage)
      await waitFor('the last answers', () => (client.answers().at(-1)?.atMs ?? 0) > (stage.scenes.at(-1)?.atMs ?? 0) || undefined)
      showPicture(stage)
    } catch (error) {
      for (const [name, running] of stage.daemons) quote(`the log of ${name}:\n${running.log()}`)
      throw error
    }
  } finally {
    await lab.close()
  }
}

try {
  await demo()
  process.exit(0)
} catch (error) {
  bad(`The demo stops here: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}
