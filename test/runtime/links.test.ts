import { describe, expect } from 'vitest'
import { bothWays, inNamespaceAsRoot, namespaceTest, runScenario } from './in-namespace.ts'

const run = (scenario: string, env: Readonly<Record<string, string>>): Promise<Record<string, unknown>> => runScenario('links.ts', scenario, env)

const names = ['bcast eth0', 'mcast eth0 239.0.0.42', 'ucast eth0 192.0.2.2', 'ucast eth0 2001:db8::2']
const conversation = names.flatMap((link) => names.map((other) => `${link}: answer to one of ${other.replace(/\.2\.2$/, '.2.1').replace(/::2$/, '::1')}`)).sort()

const [ours6, theirs6] = ['2', '1'].map((node) => [`ucast eth0 fd00::${node}`, `ucast eth0 fe80::${node}`, 'mcast eth0 ff12::694', 'mcast eth0 ff05::694'])
const ipv6Conversation = (ours6 ?? []).flatMap((link) => (theirs6 ?? []).map((other) => `${link}: answer to one of ${other}`)).sort()

for (const { how, env } of bothWays) {
  const boundBy = env['HACTL_NO_NATIVE'] === '1' ? 'subnet' : 'interface'
  describe(`links ${how}`, () => {
    namespaceTest('bcast, mcast, ucast and IPv6 ucast share an interface and a port, each with its own packets; a line that names this host is skipped', async () => {
      const result = await run('conversation', env)
      expect(result).toMatchObject({ heard: true, boundBy, changes: [] })
      // Four packets came to the peer, which answers each on all four links, naming the link that brought it.
      expect(result['answers']).toEqual(conversation)
      expect(result['names']).toEqual(names)
    })
    namespaceTest('over IPv6 alone: unicast to a unique local and to a link-local address, multicast of the link and of the site', async () => {
      const result = await run('ipv6', env)
      expect(result).toMatchObject({ heard: true, changes: [] })
      expect(result['names']).toEqual(['ucast eth0 fd00::2', 'ucast eth0 fe80::2', 'mcast eth0 ff12::694', 'mcast eth0 ff05::694'])
      expect(result['answers']).toEqual(ipv6Conversation)
    })
    namespaceTest('an interface that goes down and comes back: each link says so once, and works again', async () => {
      const result = await run('interface-down-up', env)
      expect(result).toMatchObject({ failed: true, reopened: true, heard: true })
      expect(result['changes']).toHaveLength(6)
    })
    namespaceTest('an interface that is removed and made again gets new sockets', async () => {
      expect(await run('interface-remade', env)).toMatchObject({ failed: true, reopened: true, heard: true })
    })
    namespaceTest('a new address of the interface moves the broadcast address', async () => {
      expect(await run('address-changed', env)).toMatchObject({ listening: true, heard: true })
    })
    namespaceTest('floating addresses that come and go leave the sockets alone', async () => {
      expect(await run('floating-addresses', env)).toEqual({ same: true, changes: [] })
    })
    namespaceTest('a port that is taken is named, even by a program that would share it', async () => {
      const result = await run('port-taken', env)
      expect(result['ucast']).toBe("link ucast eth0 192.0.2.2: UDP port 694 is taken; see: ss -ulpn 'sport = :694'")
      expect(result['bcast']).toContain('link bcast eth0: UDP port 694 is taken')
      expect(result['mcast']).toContain('link mcast eth0 239.0.0.42: UDP port 694 is taken')
    })
    namespaceTest('an interface that is not there yet is told, and its link opens when it comes', async () => {
      const result = await run('no-interface-yet', env)
      expect(result['atStart']).toEqual(['bcast eth7 failed: interface eth7 does not exist'])
      expect(result).toMatchObject({ opens: true })
    })
    namespaceTest('send errors never throw: three in a row make the link failed, the next packet that leaves makes it open', async () => {
      const result = await run('send-errors', env)
      expect(result['failed']).toEqual(['ucast eth0 192.0.2.2 failed: packets to 192.0.2.2 cannot be sent: EMSGSIZE'])
      expect(result).toMatchObject({ recovered: true })
    })
    namespaceTest('two interfaces with the same group and port: each packet belongs to the interface it came by', async () => {
      const result = await run('two-interfaces', env)
      expect(result['packets']).toEqual(['bcast eth0: from eth0', 'bcast eth1: from eth1', 'mcast eth0 239.0.0.42: from eth0', 'mcast eth1 239.0.0.42: from eth1'])
    })
    inNamespaceAsRoot('no permission for the port is named', async () => {
      expect((await run('not-permitted', env))['message']).toMatch(/link bcast eth0: UDP port 694 is not permitted; run the daemon as root/)
    })
  })
}

namespaceTest('a configuration whose only link names this host is refused', async () => {
  expect((await run('only-self', {}))['message']).toMatch(/every ucast line names this host/)
})
