// What the contract does not cover of the two web servers: real requests, orphans, second instances, broken files.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { has, noSandbox, openSandbox, type Sandbox } from './sandbox.ts'
import { prepare } from './servers.ts'

let machine: Sandbox
const absent = noSandbox()
const fetchPage = `node -e 'fetch(process.argv[1]).then(async (r) => console.log(r.headers.get("x-hactl-node"), (await r.text()).trim()), () => console.log("no answer"))'`
const page = (url: string) => machine.sh(`${fetchPage} ${url}`)

describe.skipIf(absent)(`webdemo${absent ? ` (${absent})` : ''}`, () => {
  beforeEach(async () => void (machine = await openSandbox('host-name')))
  afterEach(() => machine.close())

  test('answers with the name of the node, on IPv4 and IPv6, on port 80 unless told otherwise', async () => {
    await machine.script('webdemo', 'start', { env: { HACTL_NODE: 'node-a' } })
    expect(await page('http://127.0.0.1/any/path')).toBe('node-a node-a')
    expect(await page('http://[::1]/')).toBe('node-a node-a')
    await machine.script('webdemo 8080', 'start')
    expect(await page('http://127.0.0.1:8080/')).toBe('host-name host-name')
  })

  test('two instances are stopped each on its own', async () => {
    for (const instance of ['webdemo 8080', 'webdemo 8081']) await machine.script(instance, 'start')
    expect(await machine.script('webdemo 8080', 'stop')).toMatchObject({ code: 0 })
    expect(await machine.script('webdemo 8080', 'status')).toMatchObject({ code: 3 })
    expect(await machine.script('webdemo 8081', 'status')).toMatchObject({ code: 0 })
  })

  test('a taken port is named', async () => {
    const socat = `node -e 'require("node:net").createServer().listen(8080, "0.0.0.0", () => console.log("up"))'`
    await machine.sh(`${socat} >/run/listener 2>&1 & until grep -q up /run/listener; do sleep 0.05; done`)
    const start = await machine.script('webdemo 8080', 'start')
    expect(start).toMatchObject({ code: 1, stderr: expect.stringContaining('port 8080: another program listens there') as string })
    expect(await machine.script('webdemo 8080', 'status')).toMatchObject({ code: 3 })
  })

  test('a server that ignores SIGTERM because it is frozen is ended all the same', async () => {
    await machine.script('webdemo 8080', 'start')
    const { stdout } = await machine.script('webdemo 8080', 'status')
    await machine.sh(`kill -STOP ${/process (\d+)/.exec(stdout)?.[1]}`)
    expect(await machine.script('webdemo 8080', 'stop')).toMatchObject({ code: 0, stderr: expect.stringContaining('SIGKILL') as string })
  })

  test('the server of another network namespace, as of a container, is neither seen nor ended', async () => {
    await machine.script('webdemo 8080', 'start')
    const other = await machine.run(['unshare', '--net', '/bin/sh', '-c', 'ip link set lo up; "$@" status; "$@" stop; "$@" start; "$@" stop', 'sh', ...webdemo8080])
    expect(other.stdout).toMatch(/^webdemo: not running\nwebdemo: not running\nwebdemo: running on port 8080\nwebdemo: not running any more\n$/)
    expect(await machine.script('webdemo 8080', 'status')).toMatchObject({ code: 0 })
  })
})
const webdemo8080 = [`${import.meta.dirname}/../../resources/webdemo`, '8080']

const noApache = absent ?? (has('apache2ctl') ? undefined : 'apache2 is not installed')
describe.skipIf(noApache)(`apache2${noApache ? ` (${noApache})` : ''}`, () => {
  beforeEach(async () => {
    machine = await openSandbox('node-a')
    await prepare('apache2', machine)
  })
  afterEach(() => machine.close())
  const killMain = () => machine.sh('kill -9 $(cat /run/apache2/apache2.pid); while kill -0 $(cat /run/apache2/apache2.pid) 2>/dev/null; do sleep 0.05; done')

  test('orphans of a killed main process are seen by status, and ended before a new start', async () => {
    await machine.script('apache2', 'start')
    await killMain()
    expect(await machine.script('apache2', 'status')).toMatchObject({ code: 1, stdout: expect.stringContaining('hold the port') as string })
    expect(await machine.script('apache2', 'start')).toMatchObject({ code: 0, stderr: expect.stringContaining('ending them') as string })
    expect(await machine.script('apache2', 'status')).toMatchObject({ code: 0 })
    expect(await page('http://127.0.0.1/')).not.toBe('no answer')
  })

  test('stop ends the orphans too, and the stale pid file', async () => {
    await machine.script('apache2', 'start')
    await killMain()
    expect(await machine.script('apache2', 'stop')).toMatchObject({ code: 0 })
    expect(await machine.script('apache2', 'status')).toMatchObject({ code: 3 })
    expect(await machine.sh('pgrep -c apache2 || true')).toBe('0')
  })

  test('a broken configuration: 6, with the file, the line and the complaint of apache', async () => {
    await machine.sh('echo "Bogus on" >/etc/apache2/conf-enabled/broken.conf')
    const { code, stderr } = await machine.script('apache2', 'start')
    expect(code).toBe(6)
    expect(stderr).toMatch(/line 1 of .*broken\.conf/)
    expect(stderr).toContain("Invalid command 'Bogus'")
    expect(await machine.script('apache2', 'stop')).toMatchObject({ code: 0 })
  })

  test('a missing configuration directory: 6, and stop succeeds', async () => {
    expect(await machine.script('apache2 /etc/apache2-three', 'start')).toMatchObject({ code: 6 })
    expect(await machine.script('apache2 /etc/apache2-three', 'stop')).toMatchObject({ code: 0 })
  })

  test('a port that another program holds: start fails, says so, and stop leaves nothing', async () => {
    await machine.script('webdemo 80', 'start')
    const { code, stderr } = await machine.script('apache2', 'start')
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('Address already in use') as string })
    expect(await machine.script('apache2', 'stop')).toMatchObject({ code: 0 })
    expect(await machine.script('webdemo 80', 'status')).toMatchObject({ code: 0 })
  })

  test('a second instance has its own life', async () => {
    await machine.sh(`cp -a /etc/apache2 /etc/apache2-two; mkdir /var/log/apache2-two
sed -i 's/^Listen 80$/Listen 8081/' /etc/apache2-two/ports.conf; sed -i 's/:80>/:8081>/' /etc/apache2-two/sites-enabled/*`)
    for (const instance of ['apache2', 'apache2 /etc/apache2-two']) expect(await machine.script(instance, 'start')).toMatchObject({ code: 0 })
    for (const port of [80, 8081]) expect(await page(`http://127.0.0.1:${port}/`)).not.toBe('no answer')
    expect(await machine.script('apache2 /etc/apache2-two', 'stop')).toMatchObject({ code: 0 })
    expect(await page('http://127.0.0.1:80/')).not.toBe('no answer')
    expect(await page('http://127.0.0.1:8081/')).toBe('no answer')
  })

  const noFetcher = has('curl') || has('wget') ? '' : ' (neither curl nor wget is installed)'
  test.skipIf(noFetcher !== '')(`APACHE2_STATUS_URL: status asks for the page, so that a frozen server is not called well${noFetcher}`, async () => {
    const env = { APACHE2_STATUS_URL: 'http://127.0.0.1/' }
    await machine.script('apache2', 'start')
    expect(await machine.script('apache2', 'status', { env })).toMatchObject({ code: 0 })
    expect(await machine.script('apache2', 'status', { env: { HA_APACHE2_STATUS_URL: 'http://127.0.0.1/missing' } })).toMatchObject({ code: 1 })
    await machine.sh('pkill -STOP apache2')
    expect(await machine.script('apache2', 'status')).toMatchObject({ code: 0 })
    expect(await machine.script('apache2', 'status', { env })).toMatchObject({ code: 1, stderr: expect.stringContaining('no answer within 5 s') as string })
    expect(await machine.script('apache2', 'stop', { env: { APACHE2_STOP_WAIT: '1' } })).toMatchObject({ code: 0 })
    expect(await machine.sh('pgrep -c apache2 || true')).toBe('0')
  })
})
