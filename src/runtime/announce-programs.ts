/** Announcements without native calls: `arping`, or the kernel's own when an interface is given the hardware address that it has. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { errorText } from './errors.ts'

export interface ProgramAnnouncer {
  /** Never waits; failures are told. */
  announce(interfaceName: string, ipv4: readonly string[], ipv6: readonly string[]): void
}

/** `arping` stays for a second after its one packet, so that only so many are worth having. */
const mostArpings = 32
const programMs = 5_000

export function openProgramAnnouncer(onFailed: (message: string) => void): ProgramAnnouncer {
  let running = 0
  const announcing = new Map<string, Promise<void>>()
  /** One at a time for each interface: the switches are put back afterwards. */
  const byKernel = (name: string, why: string): void => {
    const work = (announcing.get(name) ?? Promise.resolve()).then(() => announceByKernel(name))
      .catch((error: unknown) => {
        const kernel = `the kernel cannot be made to announce the addresses of ${name}: ${errorText(error)}`
        onFailed(`${why}, and ${kernel}; install koffi (npm install koffi)`)
      })
    announcing.set(name, work)
    void work.then(() => {
      if (announcing.get(name) === work) announcing.delete(name)
    })
  }
  return {
    announce(name, ipv4, ipv6) {
      if (ipv6.length > 0) byKernel(name, 'IPv6 announcements need native calls')
      // The kernel announces all addresses of the interface, the IPv4 ones too.
      if (ipv4.length === 0 || ipv6.length > 0) return
      if (running + ipv4.length * 2 > mostArpings) return byKernel(name, `${ipv4.length} addresses are too many for arping`)
      let failed = false
      for (const ip of ipv4) {
        for (const form of ['-U', '-A']) {
          running += 1
          execFile('arping', [form, '-c', '1', '-I', name, ip], { timeout: programMs }, (error) => {
            running -= 1
            // Exit code 1 means only that nobody answered, which nobody should.
            if (error === null || error.code === 1 || failed) return
            failed = true
            byKernel(name, error.code === 'ENOENT' ? 'arping was not found; install iputils-arping' : `arping failed (${errorText(error)})`)
          })
        }
      }
    },
  }
}

/**
 * On a change of the hardware address, even to the same one, the kernel announces every IPv4 address (arp_notify) and every IPv6 address
 * (ndisc_notify) of the interface (field notes 2.A). Seen on veth; a driver that cannot change it while running answers EBUSY.
 */
async function announceByKernel(name: string): Promise<void> {
  const switches = [`/proc/sys/net/ipv4/conf/${name}/arp_notify`, `/proc/sys/net/ipv6/conf/${name}/ndisc_notify`]
  const link = await run('ip', ['-o', 'link', 'show', 'dev', name])
  const mac = /link\/ether ([0-9a-f:]{17})/.exec(link)?.[1]
  if (mac === undefined) throw new Error(`${name} has no Ethernet address`)
  const before = await Promise.all(switches.map((file) => readFile(file, 'latin1').catch(() => undefined)))
  for (const [index, file] of switches.entries()) if (before[index] !== undefined) await writeFile(file, '1')
  try {
    await run('ip', ['link', 'set', 'dev', name, 'address', mac])
  } finally {
    for (const [index, file] of switches.entries()) {
      const value = before[index]
      if (value !== undefined) await writeFile(file, value).catch(() => undefined)
    }
  }
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: programMs }, (error, output, errors) => {
      if (error === null) resolve(output)
      else reject(new Error(errors.trim() || error.message))
    })
  })
}
