/**
 * Runs a driver (a TypeScript file that exercises an adapter) as a program of its own in fresh network, mount and process namespaces:
 * the adapter meets the real `ip` and the real kernel, and whatever it leaves behind vanishes with the namespace.
 */
import { build } from 'esbuild'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'

// Inside the project, so that the bundle finds koffi as an installed hactl does, and `resources/` beside it.
const bundles = fileURLToPath(new URL(`../../node_modules/.cache/hactl-drivers/${process.pid}`, import.meta.url))
const resources = fileURLToPath(new URL('../../resources', import.meta.url))
const unshare = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child']
const userNamespace = ['--user', '--map-root-user']

/** The options of `unshare` that work here, or undefined where no namespace can be made. */
function workingUnshare(): readonly string[] | undefined {
  const candidates = process.getuid?.() === 0 ? [unshare] : [[...userNamespace, ...unshare]]
  return candidates.find((options) => spawnSync('unshare', [...options, 'true'], { stdio: 'ignore' }).status === 0)
}

const options = workingUnshare()
const built = new Map<string, Promise<string>>()

function bundle(driver: string): Promise<string> {
  const known = built.get(driver)
  if (known !== undefined) return known
  mkdirSync(join(bundles, 'dist'), { recursive: true })
  if (!existsSync(join(bundles, 'resources'))) symlinkSync(resources, join(bundles, 'resources'))
  const outfile = join(bundles, 'dist', `${basename(driver, '.ts')}.mjs`)
  const entry = fileURLToPath(new URL(`drivers/${driver}`, import.meta.url))
  const made = build({
    entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', external: ['koffi'], logLevel: 'silent',
    banner: { js: "import { createRequire as driverRequire } from 'node:module'; const require = driverRequire(import.meta.url);" },
  }).then(() => outfile)
  built.set(driver, made)
  return made
}

/** `hosts` makes eth0 here (192.0.2.1/24, 2001:db8::1/64) and, at the other end of the cable, eth0 of the namespace `beta` (.2). */
const prepare = [
  'mount -t tmpfs tmpfs /run', 'mkdir -p /run/netns', 'ip link set lo up',
  'ip netns add beta', 'ip link add eth0 type veth peer name eth0 netns beta',
  'ip addr add 192.0.2.1/24 brd + dev eth0', 'ip addr add 2001:db8::1/64 dev eth0 nodad', 'ip link set eth0 up',
  'ip -n beta link set lo up', 'ip -n beta addr add 192.0.2.2/24 brd + dev eth0',
  'ip -n beta addr add 2001:db8::2/64 dev eth0 nodad', 'ip -n beta link set eth0 up',
].join(' && ')

/** Runs one scenario of a driver; its result is what the driver printed last, as JSON. Rejects with everything it printed. */
export async function runScenario(driver: string, scenario: string, env: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> {
  const file = await bundle(driver)
  const command = `${prepare} && exec "$0" "$1" "$2"`
  const args = [...(options ?? []), '/bin/sh', '-c', command, process.execPath, file, scenario]
  return new Promise((resolve, reject) => {
    execFile('unshare', args, { env: { ...process.env, ...env }, timeout: 25_000, maxBuffer: 16 << 20 }, (error, output, errors) => {
      const last = output.trimEnd().split('\n').at(-1) ?? ''
      if (error !== null) return reject(new Error(`${driver} ${scenario}: ${error.message}\n${output}\n${errors}`))
      try {
        resolve(JSON.parse(last) as Record<string, unknown>)
      } catch {
        reject(new Error(`${driver} ${scenario} printed no result:\n${output}\n${errors}`))
      }
    })
  })
}

/** A test that needs namespaces: skipped by name where the kernel refuses them, with the native calls and without. */
export function namespaceTest(title: string, run: () => Promise<void>): void {
  test.skipIf(options === undefined)(title, run)
}

/** Needs a second user, which a namespace of an ordinary user does not have. */
export function inNamespaceAsRoot(title: string, run: () => Promise<void>): void {
  test.skipIf(options === undefined || process.getuid?.() !== 0)(title, run)
}

export const bothWays: readonly { readonly how: string; readonly env: Readonly<Record<string, string>> }[] = [
  { how: 'with native calls', env: { HACTL_NO_NATIVE: '0' } },
  { how: 'without native calls', env: { HACTL_NO_NATIVE: '1' } },
]
