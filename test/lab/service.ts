/** A service for the lab: a resource script whose next answers a test chooses, and which writes down how it was called. */
import type { Host } from './hosts.ts'

export interface CallOfService { readonly action: string; readonly atMs: number }

/**
 * How the script acts from now on, for one action: `fail` exits 1, `hang` sleeps past any timeout (and ignores TERM),
 * `flood` prints 8 MB first, `slow` takes 3 s.
 */
export type Behaviour = 'fail' | 'hang' | 'flood' | 'slow'

const script = `#!/bin/bash
# A service that is a file in /run. What it does next stands in /var/lab/NAME.ACTION.
name=$(basename "$0") action=\${@: -1}
mkdir -p /run/lab /var/lab
printf '%s %s\\n' "$action" "$(date +%s%3N)" >> "/var/lab/$name.calls"
case "$(cat "/var/lab/$name.$action" 2>/dev/null)" in
  fail) echo "$name: told to fail this $action" >&2; exit 1 ;;
  hang) trap '' TERM; sleep 300 ;;
  flood) yes "$name says a lot" | head -c 8000000 ;;
  slow) sleep 3 ;;
esac
case "$action" in
  start) : > "/run/lab/$name" ;;
  stop) rm -f "/run/lab/$name" ;;
  status) if [ -e "/run/lab/$name" ]; then echo running; else echo stopped; exit 3; fi ;;
  *) echo "usage: $name start|stop|status" >&2; exit 2 ;;
esac
`

export function installService(hosts: readonly Host[], name = 'notes'): void {
  for (const host of hosts) host.write(`/etc/ha.d/resource.d/${name}`, script, 0o755)
}

export async function behave(host: Host, action: 'start' | 'stop' | 'status', behaviour: Behaviour | 'well', name = 'notes'): Promise<void> {
  await host.must(behaviour === 'well' ? `rm -f /var/lab/${name}.${action}` : `mkdir -p /var/lab && echo ${behaviour} > /var/lab/${name}.${action}`)
}

export async function serviceRuns(host: Host, name = 'notes'): Promise<boolean> {
  return (await host.exec(`test -e /run/lab/${name}`)).code === 0
}

/** The service dies: its next status will say so. */
export async function killService(host: Host, name = 'notes'): Promise<void> {
  await host.must(`rm /run/lab/${name}`)
}

export async function callsOf(host: Host, action: string, name = 'notes'): Promise<readonly CallOfService[]> {
  const out = await host.exec(`cat /var/lab/${name}.calls`)
  return out.stdout.split('\n').flatMap((line) => {
    const [what = '', at = ''] = line.split(' ')
    return what === action ? [{ action: what, atMs: Number(at) }] : []
  })
}

/** Short timeouts for the service, so that a hung script does not cost a test a minute. The `hactl.yaml` beside the classic files. */
export function quickServices(...names: readonly string[]): string {
  return `resources:\n${names.map((name) => `  ${name}: { start_timeout: 3s, stop_timeout: 3s, status: { interval: 1s, timeout: 2s } }`).join('\n')}\n`
}

export function warmServices(...names: readonly string[]): string {
  return `resources:\n${names.map((name) => `  ${name}: { warm: true }`).join('\n')}\n`
}
