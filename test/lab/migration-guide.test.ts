/**
 * docs/migration.md, followed from its own text in namespaces, with the real Heartbeat on both hosts and a client that asks every millisecond. There is no
 * systemd here: a few lines of shell stand for what the page asks of it. `npm run soak migration` has a real one.
 */
import { expect, test } from 'vitest'
import { heartbeatMissing } from './heartbeat/heartbeat.ts'
import { heartbeatProgram, prepareHeartbeat } from './heartbeat.ts'
import { followGuide, guideBlocks, guideFile } from './guide.ts'
import { repository, waitFor, type Host } from './hosts.ts'
import { lacks } from './needs.ts'
import { ip, openPair, program } from './pair.ts'

/** Words as `systemctl` has them, for these two units. No real time (-l): Heartbeat must not starve the tests. */
const systemctl = `#!/bin/bash
wants=/etc/systemd/system/multi-user.target.wants
state() { [ -e "$wants/$1.service" ] && echo enabled || echo disabled; }
start() {
  if [ "$1" = heartbeat ]; then ulimit -c 0; ulimit -l unlimited; ${heartbeatProgram ?? ''} -l </dev/null >>/var/log/ha-start 2>&1
  else setsid /usr/bin/hactl daemon --foreground </dev/null >>/var/log/hactl-start 2>&1 & fi
}
stop() {
  if [ "$1" = heartbeat ]; then ${heartbeatProgram ?? ''} -k >>/var/log/ha-start 2>&1; return; fi
  pid=$(cat /var/lib/hactl/pid) && kill "$pid" && while [ -e "/proc/$pid" ]; do sleep 0.1; done
}
case "$*" in
  daemon-reload) ;;
  'is-enabled '*) state "$2" ;;
  'enable --now '*) mkdir -p "$wants"; touch "$wants/$3.service"; start "$3" ;;
  'disable --now '*) rm -f "$wants/$3.service"; stop "$3" ;;
  'disable '*) rm -f "$wants/$2.service" ;;
  'stop '*) stop "$2" ;;
  *) echo "not understood: systemctl $*" >&2; exit 64 ;;
esac
`

/** Programs of a host go into a layer over /usr/bin, which vanishes with it. */
async function prepare(host: Host): Promise<void> {
  await host.must('mkdir -p /tmp/bin/upper /tmp/bin/work && mount -t overlay -o lowerdir=/usr/bin,upperdir=/tmp/bin/upper,workdir=/tmp/bin/work lab /usr/bin')
  host.write('/usr/bin/systemctl', systemctl, 0o755)
  host.write('/usr/bin/hactl', `#!/bin/sh\nexec ${program.join(' ')} "$@"\n`, 0o755)
  host.write('/etc/systemd/system/hactl.service', '')
  for (const name of ['ha.cf', 'haresources']) host.write(`/etc/ha.d/${name}`, guideFile(name))
  host.write('/etc/ha.d/authkeys', 'auth 1\n1 sha1 secret\n', 0o600)
  await host.must('mkdir -p /var/log/apache2; rm -f /var/lib/heartbeat/hb_*; echo "ServerName $(uname -n)" > /etc/apache2/conf-enabled/lab.conf')
  await prepareHeartbeat(host)
  await host.must('systemctl enable --now heartbeat')
}

const missing = [...(heartbeatMissing() === undefined ? [] : ['heartbeat, or root']), ...lacks('apache2', 'ifconfig')]

test.skipIf(missing.length > 0)(`the migration guide, from its own text, there and back: what it shows is so, and no address is on both hosts${
  missing.length > 0 ? ` (without ${missing.join(', ')})` : ''}`, async () => {
  const pair = await openPair()
  const { alpha, beta, lab } = pair
  await Promise.all([alpha, beta].map(prepare))
  await waitFor('alpha serves', async () => (await lab.holders(ip)).join() === 'alpha' || undefined, 40_000, 100)
  const probe = await lab.probe(ip, 1)
  const blocks = guideBlocks().filter(({ when }) => ['', 'auto_failback on', 'back from both hosts'].includes(when))
  const typed = await followGuide(blocks, {
    hosts: [alpha, beta], renamed: [['/usr/lib/node_modules/hactl/resources', `${repository}/resources`]],
  })
  const moves = typed.filter(({ step }) => /(?:enable|disable|stop)\b.* (?:heartbeat|hactl)$/.test(step.command) && /--now|stop/.test(step.command))
  const rows = await Promise.all(moves.map(async ({ step, fromMs }, index) => ({
    typed: `${step.host}# ${step.command}`, 'client waits, ms': Math.round((await probe.longestGap(fromMs, moves[index + 1]?.fromMs ?? Date.now())).ms),
  })))
  console.table(rows)
  expect(lab.overlapMs(ip)).toBe(0)
  // Stopped and started on either host, twice each.
  expect(moves).toHaveLength(8)
}, 180_000)
