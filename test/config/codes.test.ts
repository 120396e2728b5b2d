/** Every code is reached, each by the smallest configuration that shows it, and at the place that is meant. */
import { expect, test } from 'vitest'
import { configCodes, type ConfigCode, type ConfigSource, judgeMachine, loadConfig, type MachineFacts,
  startErrors } from '../../src/config/index.ts'
import { classic, codesOf, goodAuthkeys, goodHaCf, goodHaresources, goodYaml, yamlSource } from './samples.ts'

interface Case {
  readonly code: ConfigCode
  readonly as: 'error' | 'warning' | 'note'
  readonly source: ConfigSource
  /** `FILE:LINE:COLUMN`, the file without its directory. */
  readonly at?: string
  readonly says?: RegExp
}

const haCf = (more: string, without = /$^/): ConfigSource => classic({ haCf: goodHaCf.replace(without, '') + more })
const watched = (deadtime: number): ConfigSource => classic({ haCf: `${goodHaCf.replace('deadtime 10', `deadtime ${deadtime}`)}watchdog /dev/watchdog\n` })
const groups = (haresources: string): ConfigSource => classic({ haresources })
const keys = (authkeys: string): ConfigSource => classic({ authkeys })
const yaml = (more: string, without = /$^/): ConfigSource => yamlSource(goodYaml.replace(without, '') + more)
const beside = (text: string): ConfigSource => classic({ yaml: text })
const good = goodHaresources
const witness = (more: string, scheme = 'https'): string => `witness: {etcd: {endpoints: ["${scheme}://192.0.2.50:2379"]}${more === '' ? '' : `, ${more}`}}\n`
/** With keepalive 200 ms, so that deadtime alone decides. */
const witnessed = (deadtime: string, more = '', scheme = 'https'): ConfigSource => yamlSource(
  goodYaml.replace('keepalive: 1s', 'keepalive: 200ms').replace('deadtime: 10s', `deadtime: ${deadtime}`) + witness(more, scheme))

const cases: readonly Case[] = [
  { code: 'path-missing', as: 'error', source: { files: [] } },
  { code: 'file-missing', as: 'error', source: classic({ haCf: undefined }), at: 'ha.cf:1:1' },
  { code: 'file-missing', as: 'error', source: classic({ haresources: undefined }), at: 'haresources:1:1' },
  { code: 'file-missing', as: 'error', source: classic({ authkeys: undefined }), says: /hactl keys new -o \/etc\/ha\.d\/authkeys/ },
  { code: 'file-missing', as: 'error', source: { files: yamlSource(goodYaml).files.slice(0, 1) }, at: 'hactl.yaml:8:14' },
  { code: 'file-too-large', as: 'error', source: haCf('#'.repeat(5 * 1024 * 1024)) },
  { code: 'line-too-long', as: 'warning', source: haCf(`keepalive 1${' '.repeat(5200)}
`), at: 'ha.cf:9:1' },
  { code: 'line-too-long', as: 'error', source: groups(`node1 192.0.2.1 ${'web '.repeat(1300)}
`) },
  { code: 'line-too-long', as: 'error', source: groups(`#${'web'.repeat(2000)}
`) },
  { code: 'line-ends', as: 'warning', source: groups(good.replace('\n', '\r\n')), at: 'haresources:1:1' },
  { code: 'line-ends', as: 'error', source: classic({ haCf: goodHaCf.replaceAll('\n', '\r') }) },
  { code: 'line-ends', as: 'warning', source: haCf('deadtime 12\rjunk\n'), at: 'ha.cf:9:12' },
  { code: 'byte-order-mark', as: 'error', source: groups(`\ufeff${good}`), says: /sed -i/ },
  { code: 'nul-byte', as: 'warning', source: haCf('deadtime 12\0junk\n'), at: 'ha.cf:9:12' },
  { code: 'slash-comment', as: 'warning', source: haCf('node node2 //peer\n'), at: 'ha.cf:9:12' },
  { code: 'slash-comment', as: 'error', source: haCf('bcast eth1 //peer\n'), at: 'ha.cf:9:12' },
  { code: 'slash-comment', as: 'warning', source: groups('node1 192.0.2.1 // web\n'), at: 'haresources:1:17' },
  { code: 'directive-unknown', as: 'error', source: haCf('undport 694\n'), at: 'ha.cf:9:1', says: /Did you mean udpport\?/ },
  { code: 'directive-unknown', as: 'error', source: haCf('\u3000deadtime 12\n'), says: /U\+3000/ },
  { code: 'directive-empty', as: 'warning', source: haCf('keepalive\n') },
  { code: 'directive-without-effect', as: 'warning', source: haCf('logfacility local0\n'), says: /journalctl/ },
  { code: 'directive-unsupported', as: 'warning',
    source: haCf('respawn hacluster /usr/lib/heartbeat/dopd\n'), at: 'ha.cf:9:19', says: /DRBD/ },
  { code: 'directive-twice', as: 'error', source: haCf('watchdog /dev/watchdog\nwatchdog /dev/watchdog\n'), at: 'ha.cf:10:10' },
  { code: 'words-ignored', as: 'warning', source: haCf('ucast eth0 192.0.2.2 192.0.2.3\n'), at: 'ha.cf:9:22' },
  { code: 'value-invalid', as: 'error', source: haCf('auto_failback none\n'), at: 'ha.cf:9:15' },
  { code: 'value-invalid', as: 'error', source: haCf('compression lzo\n'), says: /zlib, bz2/ },
  { code: 'value-invalid', as: 'error', source: haCf('hopfudge 256\n') },
  { code: 'value-invalid', as: 'error', source: haCf('coredumps maybe\n') },
  { code: 'value-invalid', as: 'error', source: haCf('apiauth x uid=root uid=daemon\n'), says: /one of each/ },
  { code: 'value-invalid', as: 'error', source: haCf('stonith_host * external/ipmi\n') },
  { code: 'value-invalid', as: 'error', source: haCf('stonith null /etc/a b\n'), at: 'ha.cf:9:21' },
  { code: 'value-replaced', as: 'warning', source: haCf('deadtime 10,5\n'), at: 'ha.cf:9:13', says: /decimal number has a point/ },
  { code: 'value-replaced', as: 'warning', source: haCf('deadtime 12\n'), at: 'ha.cf:9:10', says: /"10" in line 3/ },
  { code: 'value-ignored', as: 'warning', source: haCf('udpport 694x\n') },
  { code: 'value-ignored', as: 'warning', source: haCf('keepalive 1.0.5\n'), says: /read as 1000 ms/ },
  { code: 'value-ignored', as: 'warning', source: haCf('env HOME\n'), says: /left out/ },
  { code: 'value-ignored', as: 'warning', source: haCf('mcast eth0 225.0.0.1 694 1 on\n'), at: 'ha.cf:9:28', says: /the loop "on" is read as 0/ },
  { code: 'time-invalid', as: 'error', source: haCf('deadtime 10s\n'), at: 'ha.cf:9:10', says: /Write 10 for 10s/ },
  { code: 'time-invalid', as: 'error', source: yaml('warntime: 5\n'), says: /Write 5s for seconds/ },
  { code: 'port-order', as: 'warning', source: haCf('udpport 700\n'), says: /bcast: 694/ },
  { code: 'port-invalid', as: 'error', source: haCf('udpport abc\n') },
  { code: 'port-order', as: 'warning', source: haCf('serial /dev/ttyS0\nbaud 9600\n'), at: 'ha.cf:10:6', says: /ttyS0, which stays at 19200 baud/ },
  { code: 'port-invalid', as: 'error', source: haCf('mcast6 eth0 ff12::1 0 1 0\n'), at: 'ha.cf:9:21' },
  { code: 'link-invalid', as: 'error', source: haCf('serial ttyS0\n'), at: 'ha.cf:9:8', says: /full path/ },
  { code: 'link-invalid', as: 'error', source: haCf('mcast6 eth0 ff12::1 694 1\n'), says: /five words/ },
  { code: 'link-invalid', as: 'error', source: haCf('ucast6 eth0\n') },
  { code: 'link-address', as: 'error', source: haCf('mcast6 eth0 2001:db8::1 694 1 0\n'), at: 'ha.cf:9:13', says: /starts with ff/ },
  { code: 'link-address', as: 'error', source: haCf('ucast6 eth0 ff12::1\n'), at: 'ha.cf:9:13' },
  { code: 'link-address', as: 'error', source: haCf('ucast6 eth0 192.0.2.2\n'), at: 'ha.cf:9:13' },
  { code: 'link-ttl', as: 'warning', source: haCf('mcast6 eth0 ff12::1 694 0 0\n'), at: 'ha.cf:9:25' },
  { code: 'link-twice', as: 'warning', source: haCf('serial /dev/ttyS0 /dev/ttyS0\n'), at: 'ha.cf:9:19' },
  { code: 'serial-slow', as: 'warning', source: haCf('keepalive 200ms\nserial /dev/ttyS0\n'), at: 'ha.cf:10:8', says: /Write baud 38400 on both nodes/ },
  { code: 'value-invalid', as: 'error', source: haCf('baud 1200\n'), at: 'ha.cf:9:6' },
  { code: 'directive-twice', as: 'error', source: haCf('baud 9600\nbaud 9600\n'), at: 'ha.cf:10:6' },
  { code: 'failback-missing', as: 'warning', source: haCf('', /auto_failback on\n/) },
  { code: 'failback-legacy', as: 'warning', source: haCf('auto_failback legacy\n') },
  { code: 'crm-on', as: 'warning', source: haCf('crm respawn\n') },
  { code: 'autojoin', as: 'error', source: haCf('autojoin any\n') },
  { code: 'autojoin', as: 'warning', source: haCf('autojoin any\ncrm on\n') },
  { code: 'keepalive-invalid', as: 'error', source: haCf('keepalive 0\n'), at: 'ha.cf:9:11' },
  { code: 'deadtime-small', as: 'error', source: haCf('keepalive 5\n'), at: 'ha.cf:3:10' },
  { code: 'deadtime-small', as: 'error', source: haCf('deadping 2\n'), at: 'ha.cf:9:10' },
  { code: 'initdead-small', as: 'error', source: haCf('initdead 9\n'), at: 'ha.cf:9:10' },
  { code: 'initdead-short', as: 'warning', source: haCf('deadtime 5\ninitdead 5\nkeepalive 500ms\n') },
  { code: 'warntime-order', as: 'warning', source: haCf('warntime 10\n') },
  { code: 'warntime-order', as: 'warning', source: haCf('warntime 500ms\n') },
  { code: 'deadtime-tight', as: 'warning', source: haCf('keepalive 2\n') },
  { code: 'nodes-missing', as: 'error', source: haCf('', /node node\d\nnode node\d\n/) },
  { code: 'nodes-not-two', as: 'error', source: haCf('node node3\n'), at: 'ha.cf:7:6' },
  { code: 'nodes-not-two', as: 'error', source: haCf('', /node node2\n/), says: /Name the peer/ },
  { code: 'node-twice', as: 'warning', source: haCf('node NODE2\n'), at: 'ha.cf:9:6' },
  { code: 'node-unknown', as: 'error', source: groups('nod1 192.0.2.1\n'), says: /Did you mean node1\?/ },
  { code: 'node-unknown', as: 'error', source: groups('node1.example.com 192.0.2.1\n'), says: /write node1\./ },
  { code: 'node-unknown', as: 'error', source: groups('192.0.2.1 apache2\n'), says: /preferred node before it/ },
  { code: 'node-unknown', as: 'error', source: groups('; a comment\n'), says: /comment starts with #/ },
  { code: 'node-unknown', as: 'error', source: groups('lisa 192.0.2.1\n'), says: /Write node1 or node2/ },
  { code: 'node-unknown', as: 'error', source: groups('node1 192.0.2.1\n apache2 mysql\n'), says: /meant to go on here/ },
  { code: 'node-name-invalid', as: 'error', source: haCf(`node ${'n'.repeat(120)}\n`) },
  { code: 'links-missing', as: 'error', source: haCf('ping 192.0.2.254\n', /bcast eth0\n/), says: /both would hold every address/ },
  { code: 'link-twice', as: 'warning', source: haCf('bcast eth0\n'), at: 'ha.cf:9:7' },
  { code: 'link-invalid', as: 'error', source: haCf('mcast eth0 225.0.0.1 694 1\n'), says: /no loop/ },
  { code: 'link-invalid', as: 'error', source: haCf('mcast eth0 10.0.0.1 694 1 0\n'), at: 'ha.cf:9:12' },
  { code: 'interface-invalid', as: 'error', source: haCf('bcast eth0:0\n'), says: /write eth0\./ },
  { code: 'link-address', as: 'error', source: haCf('ucast eth0 {{peer}}\n'), at: 'ha.cf:9:12' },
  { code: 'link-address', as: 'error', source: haCf('ucast eth0 2001:db8::2\n') },
  { code: 'link-host-name', as: 'warning', source: haCf('ucast eth0 node2\n') },
  { code: 'link-ttl', as: 'warning', source: haCf('mcast eth0 225.0.0.1 694 0 0\n') },
  { code: 'link-invalid', as: 'error', source: haCf('mcast6 eth0 ff05::1 694 5 0\n'), says: /hops/ },
  { code: 'value-ignored', as: 'warning', source: haCf('mcast6 eth0 ff05::1 694 1x 0\n'), at: 'ha.cf:9:25', says: /number of hops "1x" is read as 1/ },
  { code: 'link-address', as: 'error', source: haCf('ucast6 eth0 node2\n'), says: /no IPv6 address/ },
  { code: 'ping-address', as: 'error', source: haCf('ping 192.0.2\n'), at: 'ha.cf:9:6' },
  { code: 'ping-address', as: 'error', source: haCf('ping6 node2\n'), says: /IPv6 address of a host\./ },
  { code: 'ping-address', as: 'warning', source: haCf('ping_group g 192.0.2.253,192.0.2.254\n'), says: /read as 2 hosts/ },
  { code: 'ping-address', as: 'warning', source: haCf('ping_group g 192.0.2.254 192.0.2\n'), says: /left out/ },
  { code: 'slash-comment', as: 'warning', source: haCf('ping_group g 192.0.2.254 //router\n'), at: 'ha.cf:9:26' },
  { code: 'watchdog-invalid', as: 'error', source: haCf('watchdog yes\n') },
  { code: 'ping-twice', as: 'warning', source: haCf('ping 192.0.2.254 192.0.2.254\n'), at: 'ha.cf:9:18' },
  { code: 'ping-of-pair', as: 'warning', source: haCf('ping_group g 192.0.2.254 node2\n'), says: /"node2" belongs to the pair/ },
  { code: 'ping-of-pair', as: 'warning', source: yaml('ping: [192.0.2.100]\n'), at: 'hactl.yaml:9:8' },
  { code: 'deadping-long', as: 'warning', source: haCf('ping 192.0.2.254\ndeadping 10\n'), at: 'ha.cf:10:10', says: /Write deadping 5000ms/ },
  { code: 'option-without-effect', as: 'warning', source: haCf('respawn hacluster /usr/lib/heartbeat/ipfail\n'), at: 'ha.cf:9:19',
    says: /there is no ping node/ },
  { code: 'option-without-effect', as: 'warning', source: beside('watchdog: {timeout: 5s}\n'), says: /no device is named/ },
  { code: 'fence-replaced', as: 'warning', source: haCf('stonith_host * external/ipmi a\nstonith_host node1 external/drac5 b\n'), at: 'ha.cf:9:1',
    says: /line 10 says again how node2 is fenced/ },
  { code: 'fence-one-sided', as: 'warning', source: haCf('stonith_host node1 external/ipmi node2\n'), says: /nothing fences node1/ },
  { code: 'fence-unsafe', as: 'warning', source: haCf('stonith_host * null node2\n'), says: /without doing anything/ },
  { code: 'secret-readable', as: 'warning', source: haCf('stonith_host * external/ipmi node2 192.0.2.66 admin hunter2 lan\n'),
    says: /ha\.cf has mode 0644.*chmod 600 \/etc\/ha\.d\/ha\.cf/ },
  { code: 'node-unknown', as: 'warning', source: haCf('stonith_host node3 external/ipmi node2\n'), says: /stonith_host names "node3"/ },
  { code: 'node-unknown', as: 'error', source: yaml('fence: {node3: [{agent: fence_ipmilan}]}\n'), at: 'hactl.yaml:9:9' },
  { code: 'comment-glued', as: 'error', source: groups('node1#x 192.0.2.1\n'), at: 'haresources:1:6' },
  { code: 'comment-continued', as: 'warning', source: groups('node1 192.0.2.1 \\\n apache2 # web\n'), at: 'haresources:2:10' },
  { code: 'continuation-odd', as: 'warning', source: groups('node1 192.0.2.1 \\\n'), says: /last line/ },
  { code: 'continuation-odd', as: 'warning', source: groups('node1 192.0.2.1 \\\nnode2 a\n'), says: /becomes one of its resources/ },
  { code: 'continuation-odd', as: 'error', source: groups('\\\nnode1 192.0.2.1\n'), says: /nothing stands before/ },
  { code: 'continuation-odd', as: 'error', source: groups('node1\\\n 192.0.2.1\n'), says: /touches the node/ },
  { code: 'blank-odd', as: 'warning', source: groups('node1 192.0.2.1\u00a0web\n'), at: 'haresources:1:16', says: /U\+00A0/ },
  { code: 'blank-odd', as: 'warning', source: groups('node1\f192.0.2.1\n'), at: 'haresources:1:6', says: /U\+000C/ },
  { code: 'node-unknown', as: 'error', source: groups('node1\u3000192.0.2.1 web\n'), says: /U\+3000/ },
  { code: 'backslash-kept', as: 'warning', source: groups('node1 192.0.2.1 mount::DOMAIN\\nancy\n'), at: 'haresources:1:17' },
  { code: 'script-name-odd', as: 'warning', source: groups('node1 192.0.2.1 a:b::c\n'), says: /single colon/ },
  { code: 'script-name-odd', as: 'warning', source: groups('node1 192.0.2.1 a:b::\n'), says: /single colon/ },
  { code: 'group-empty', as: 'warning', source: groups('node1\n') },
  { code: 'groups-missing', as: 'warning', source: groups('') },
  { code: 'group-name-twice', as: 'error', source: groups('node1 apache2\nnode2 apache2\n'), at: 'haresources:2:1' },
  { code: 'group-name-invalid', as: 'error', source: yamlSource(goodYaml.replace('{preferred_node', '{name: "a b", preferred_node')) },
  { code: 'group-unknown', as: 'error', source: beside('group_options: {192.0.2.10: {auto_failback: off}}\n'),
    says: /Did you mean 192\.0\.2\.100\?/ },
  { code: 'group-key', as: 'warning', source: groups('node1 MailTo::a+b@example.com 192.0.2.1\n') },
  { code: 'group-key', as: 'warning', source: groups('node1 httpd 192.0.2.1\nnode2 192.0.2.2 httpd\n') },
  { code: 'resource-twice', as: 'warning', source: groups('node1 192.0.2.1 a a\n') },
  { code: 'resource-unknown', as: 'error', source: beside('resources: {apach2: {warm: true}}\n'), at: 'hactl.yaml:1:13',
    says: /Did you mean apache2\?/ },
  { code: 'script-empty', as: 'error', source: groups('node1 ::a\n') },
  { code: 'script-name-odd', as: 'warning', source: groups('node1 192.0.2.1 "a b"\n'), at: 'haresources:1:17' },
  { code: 'script-kind', as: 'error', source: groups('node1 192.0.2.1 ocf:heartbeat\n') },
  { code: 'script-kind', as: 'error', source: groups('node1 192.0.2.1 systemd:nginx::x\n') },
  { code: 'script-case', as: 'warning', source: groups('node1 IPAddr::192.0.2.1/24/eth0\n') },
  { code: 'glob-not-expanded', as: 'warning', source: groups('node1 192.0.2.1 fs::/etc/pass*\n') },
  { code: 'address-invalid', as: 'error', source: groups('node1 192.0.2.300/24/eth0\n') },
  { code: 'address-invalid', as: 'error', source: groups('node1 192.0.2.1>\n'), says: /write 192\.0\.2\.1 and remove/ },
  { code: 'address-read-otherwise', as: 'warning', source: groups('node1 IPaddr::192.0.2.1/eth0\n') },
  { code: 'address-arguments', as: 'warning', source: groups('node1 IPaddr2::192.0.2.1/24/eth0::sourceip\n') },
  { code: 'address-family', as: 'error', source: groups('node1 IPv6addr::192.0.2.1\n') },
  { code: 'address-twice', as: 'error', source: groups('node1 192.0.2.1\nnode2 192.0.2.1\n'), at: 'haresources:2:7' },
  { code: 'address-twice', as: 'error',
    source: groups('node1 2001:db8::1 IPaddr2::2001:db8:0:0:0:0:0:1/64\n'), says: /in this group already/ },
  { code: 'address-of-link', as: 'error', source: classic({ haCf: `${goodHaCf}ucast eth0 192.0.2.1\n`,
    haresources: 'node1 192.0.2.1\n' }) },
  { code: 'ipv6-classic', as: 'warning', source: groups('node1 IPaddr2::2001:db8::1/64/eth0\n') },
  { code: 'warm-address', as: 'error', source: beside('resources: {IPaddr: {warm: true}}\n'), at: 'haresources:1:7' },
  { code: 'auth-mode', as: 'error', source: classic({ mode: 0o644 }), says: /chmod 600 \/etc\/ha\.d\/authkeys/ },
  { code: 'auth-mode', as: 'error', source: classic({ mode: 0o620 }), says: /write/ },
  { code: 'auth-owner', as: 'warning', source: classic({ uid: 1234 }) },
  { code: 'auth-line', as: 'error', source: keys(`AUTH 1\n${goodAuthkeys}`), at: 'authkeys:1:1' },
  { code: 'auth-index', as: 'error', source: keys('auth 16\n16 sha1 a\n') },
  { code: 'auth-method', as: 'error', source: keys('auth 1\n1 SHA1 abc\n'), at: 'authkeys:2:3', says: /Did you mean sha1\?/ },
  { code: 'auth-key', as: 'error', source: keys('auth 1\n1 md5\n') },
  { code: 'auth-key', as: 'error', source: keys('auth 1\n1 crc # none\n'), says: /comment/ },
  { code: 'auth-order', as: 'error', source: keys('1 sha1 a\nauth 1\n'), at: 'authkeys:2:1', says: /above the key/ },
  { code: 'auth-missing', as: 'error', source: keys('1 sha1 a\n') },
  { code: 'auth-missing', as: 'warning', source: keys('auth 1\n1 sha1 a\nauth 3\n') },
  { code: 'auth-twice', as: 'warning', source: keys('auth 1\n1 sha1 a\n1 md5 b\n') },
  { code: 'auth-words', as: 'warning', source: keys('auth 1\n1 sha1 two words\n') },
  { code: 'auth-inline', as: 'error', source: yamlSource(goodYaml.replace('{file: authkeys}', '{file: authkeys, keys: [hunter2]}')) },
  { code: 'crc-no-key', as: 'warning', source: keys('auth 1\n1 crc\n'), says: /allow_crc/ },
  { code: 'yaml-syntax', as: 'error', source: yaml('keepalive: [1\n'), at: 'hactl.yaml:10:1' },
  { code: 'yaml-syntax', as: 'error', source: yamlSource('a: &a [b]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c ' +
    '[*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n') },
  { code: 'yaml-shape', as: 'error', source: yaml('notify: loud\n') },
  { code: 'key-unknown', as: 'error', source: yaml('auto_failbak: off\n'), at: 'hactl.yaml:9:1', says: /Did you mean auto_failback\?/ },
  { code: 'key-missing', as: 'error', source: yamlSource(goodYaml.replace(/links.*\n/, '')), says: /links: \[\{bcast: eth0\}\]/ },
  { code: 'overlay-key', as: 'error', source: beside('nodes: [a, b]\n'), says: /in ha\.cf/ },
  { code: 'overlay-key', as: 'error', source: beside('groups: []\n'), says: /in haresources/ },
  { code: 'overlay-key', as: 'error', source: beside('ping: [192.0.2.254]\n'), says: /in ha\.cf \(ping, ping_group\)/ },
  { code: 'overlay-key', as: 'error', source: beside('ping: {deadping: 3s}\n'), at: 'hactl.yaml:1:8', says: /in ha\.cf \(deadping\)/ },
  { code: 'overlay-key', as: 'error', source: beside('watchdog: /dev/watchdog\n'), says: /in ha\.cf/ },
  { code: 'overlay-key', as: 'error', source: classic({ haCf: `${goodHaCf}stonith_host node1 external/ipmi node2\n`,
    yaml: 'fence: {node2: [{agent: fence_ipmilan}]}\n' }), says: /how node2 is fenced stands in line 9 of .*ha\.cf/ },
  { code: 'lease-fixed', as: 'warning', source: witnessed('2s'), at: 'hactl.yaml:3:11', says: /up to 1\.69 s.*deadtime to at least 3\.2 s/ },
  { code: 'lease-flaps', as: 'warning', source: witnessed('2500ms'), says: /2\.77 s of 0\.98 x deadtime \(2\.45 s\).*at least 3\.2 s/ },
  { code: 'lease-before-witness', as: 'warning', source: witnessed('3s'), says: /0\.06 s before.*at least 3\.2 s/ },
  { code: 'removal-late', as: 'warning', source: witnessed('800ms'), says: /0\.006 s/ },
  { code: 'witness-slow', as: 'warning', source: witnessed('10s', 'timeout: 4s'), at: 'hactl.yaml:9:1', says: /Write timeout: 1000ms/ },
  { code: 'witness-in-health', as: 'warning', source: yamlSource(goodYaml.replace('keepalive: 1s', 'keepalive: 2500ms') + witness('')),
    at: 'hactl.yaml:2:12', says: /5\.1 s.*not less than 0\.5 x deadtime \(5 s\).*at least 10\.3 s/ },
  { code: 'witness-grant-short', as: 'warning', source: witnessed('10s', 'grant: 2s'), says: /Write grant: 3s/ },
  { code: 'witness-renewal-rare', as: 'warning', source: witnessed('10s', 'renew: 3s'), says: /Write renew: 2500ms/ },
  { code: 'lease-outlives', as: 'warning', source: beside('lease: 20s\n'), at: 'hactl.yaml:1:8',
    says: /up to 12\.25 s.*lease: auto, which is 7 s here, or a deadtime of at least 22\.5 s/ },
  { code: 'lease-off', as: 'warning', source: beside('lease: off\n'), says: /P4.*P3/ },
  { code: 'agents-original', as: 'warning', source: beside('resource_agents: original\n'), at: 'hactl.yaml:1:18',
    says: /serve the floating address\..*P4.*P3.*P5/ },
  { code: 'agents-original', as: 'warning', source: yamlSource(`${goodYaml}${witness('')}resource_agents: original\n`),
    says: /0\.18 x deadtime \(1\.8 s\), leaves it on both nodes \(P1\)/ },
  { code: 'note-holders', as: 'note', source: yamlSource(`${goodYaml}${witness('')}resource_agents: original\n`),
    says: /P1: the witness.*But resource_agents is original/ },
  { code: 'note-scripts', as: 'note', source: yamlSource(`${goodYaml}${witness('')}resource_agents: original\n`),
    says: /takes the group away, nothing ends IPaddr, apache2/ },
  { code: 'option-without-effect', as: 'warning', source: classic({ haresources: 'node1 apache2\n', yaml: 'resource_agents: original\n' }),
    says: /no group has IPaddr/ },
  { code: 'value-invalid', as: 'error', source: beside('resource_agents: ours\n'), at: 'hactl.yaml:1:18', says: /hactl .* or original/ },
  { code: 'address-family', as: 'error', source: classic({ haresources: 'node1 2001:db8::5/64/eth0\n', yaml: 'resource_agents: original\n' }),
    says: /Write IPv6addr::2001:db8::5\/64\/eth0/ },
  { code: 'address-read-otherwise', as: 'error', source: classic({ haresources: 'node1 IPaddr::192.0.2.1/eth0\n', yaml: 'resource_agents: original\n' }),
    says: /reads this by itself/ },
  { code: 'warm-address', as: 'error', source: beside('resource_agents: original\nresources: {IPaddr: {warm: true}}\n'), at: 'haresources:1:7' },
  { code: 'watchdog-late', as: 'warning', source: classic({ haCf: `${goodHaCf}watchdog /dev/watchdog\n`, yaml: 'watchdog: {timeout: 12s}\n' }),
    at: 'hactl.yaml:1:21', says: /2\.2 s beside those of the peer.*timeout: 9s/ },
  { code: 'watchdog-late', as: 'warning', source: watched(3), says: /0\.06 s beside those of the peer.*at least 3\.1 s/ },
  { code: 'watchdog-late', as: 'warning', source: watched(5), says: /up to 0\.1 s after the peer.*apache2.*at least 5\.6 s/ },
  { code: 'watchdog-short', as: 'warning', source: classic({ haCf: `${goodHaCf}watchdog /dev/watchdog\n`, yaml: 'watchdog: {timeout: 2s}\n' }),
    at: 'hactl.yaml:1:21', says: /Write timeout: 3s or more/ },
  { code: 'note-holders', as: 'note', source: classic(), says: /P2, without witness.*for 10 s while both hosts run.*one link/ },
  { code: 'note-holders', as: 'note', source: yamlSource(`${goodYaml}${witness('')}lease: off\n`),
    says: /P1: the witness.*But lease is off: .*keeps its addresses beside its peer until a daemon runs there again/ },
  { code: 'note-hung', as: 'note', source: classic(), says: /at most 8 s after the last renewal \(lease 7 s, renewed every 2\.33 s\)/ },
  { code: 'note-scripts', as: 'note', source: witnessed('10s'), says: /P6: group 192\.0\.2\.100.*apache2.*1\.8 s/ },
  { code: 'note-ping', as: 'note', source: haCf('ping 192.0.2.254\n'), says: /does not take over\..*nothing moves.*There is one/ },
  { code: 'note-ping', as: 'note', source: yamlSource(`${goodYaml}${witness('')}ping: [192.0.2.254]\n`), says: /is decided without them, by the witness/ },
  { code: 'note-ping', as: 'note', source: yamlSource(`${goodYaml}${witness('')}ping: {nodes: [192.0.2.254], release: yes}\n`),
    says: /while its peer is silent lets go and takes nothing over, whatever the witness would allow/ },
  { code: 'note-witness-plain', as: 'note', source: witnessed('10s', '', 'http'), says: /https/ },
]

const reached = new Set<string>()

for (const [index, { code, as, source, at, says }] of cases.entries()) {
  test(`${code} (${as}, ${index})`, () => {
    const result = loadConfig(source, { ownUid: 0 })
    const found = ({ error: result.errors, warning: result.warnings, note: result.notes }[as]).filter((message) => message.code === code)
    expect(found.length, JSON.stringify([result.errors, result.warnings])).toBeGreaterThan(0)
    expect(result.ok).toBe(result.errors.length === 0)
    if (as !== 'error') expect(codesOf(result).errors).toEqual([])
    if (at !== undefined) expect(found.map(({ file, line, column }) => `${file.split('/').at(-1)}:${line}:${column}`)).toContain(at)
    if (says !== undefined) expect(found.map(({ message }) => message).join('\n')).toMatch(says)
    reached.add(code)
  })
}

const facts: MachineFacts = {
  nodeName: 'node1', interfaces: ['lo', 'eth0'], scriptFaults: new Map(), programs: new Map([['ip', true], ['arping', true]]), fileFaults: new Map(),
    hosts: new Map(),
}

interface MachineCase {
  readonly code: ConfigCode
  readonly source?: ConfigSource
  readonly facts: Partial<MachineFacts>
  readonly stops: boolean
  readonly says: RegExp
}

const machineCases: readonly MachineCase[] = [
  { code: 'own-name', facts: { nodeName: 'vm' }, stops: true, says: /vm \(uname -n.*hostnamectl/ },
  { code: 'own-name', facts: { nodeName: 'node1.example.com' }, stops: true, says: /write node1\.example\.com for node1/ },
  { code: 'interface-missing', facts: { interfaces: ['lo', 'eth1'] }, stops: true, says: /no interface eth0.*eth1/ },
  { code: 'interface-missing', source: haCf('bcast eth1\n'), facts: {}, stops: false, says: /stays down/ },
  { code: 'interface-missing', source: groups('node1 192.0.2.1/24/eth5\n'), facts: {}, stops: false, says: /cannot start here/ },
  { code: 'serial-missing', source: haCf('serial /dev/ttyS9\n'), facts: { fileFaults: new Map([['/dev/ttyS9', 'it is not there']]) }, stops: false,
    says: /serial \/dev\/ttyS9: it is not there.*ls \/dev\/ttyS\*/ },
  { code: 'serial-missing', source: haCf('serial /dev/ttyS0\n', /bcast eth0\n/), facts: { programs: new Map([['stty', false]]) }, stops: true, says: /coreutils/ },
  { code: 'host-unresolved', source: haCf('ucast eth0 node2\n', /bcast eth0\n/), facts: { hosts: new Map([['node2', []]]) }, stops: true,
    says: /\/etc\/hosts/ },
  { code: 'script-missing', facts: { scriptFaults: new Map([['apache2', 'there is no resource script apache2']]) }, stops: true,
    says: /192\.0\.2\.100 cannot start here: there is no/ },
  { code: 'program-missing', facts: { programs: new Map([['ip', false]]) }, stops: true, says: /iproute2/ },
  { code: 'program-missing', source: groups('node1 192.0.2.1 systemd:nginx\n'), facts: { programs: new Map([['systemctl', false]]) },
    stops: false, says: /systemd:/ },
  { code: 'program-missing', source: haCf('ping 192.0.2.254\n'), facts: { programs: new Map([['ping', false]]) }, stops: true,
    says: /never takes over.*iputils-ping/ },
  { code: 'program-missing', source: haCf('stonith_host node1 external/ipmi node2\n'), facts: { programs: new Map([['stonith', false]]) },
    stops: true, says: /node2 cannot be fenced from here.*cluster-glue/ },
  { code: 'program-missing', source: beside('fence: {node2: [{agent: fence_ipmilan}, {agent: fence_ipmilan}]}\n'),
    facts: { programs: new Map([['fence_ipmilan', false]]) }, stops: true, says: /fence-agents$/ },
  { code: 'host-unresolved', source: haCf('ping gateway\n'), facts: { hosts: new Map([['gateway', []]]) }, stops: false, says: /counts as silent/ },
  { code: 'device-missing', source: haCf('watchdog /dev/watchdog\n'), facts: { fileFaults: new Map([['/dev/watchdog', 'it is not there']]) },
    stops: true, says: /modprobe softdog/ },
  { code: 'device-missing', source: yaml('witness: {etcd: {endpoints: "https://a:2379", ca: /ca.pem}}\n'),
    facts: { fileFaults: new Map([['/ca.pem', 'it is not there']]) }, stops: true, says: /witness\.etcd\.ca \/ca\.pem: it is not there/ },
  { code: 'device-missing', source: haCf('stonith external/ipmi /etc/ipmi.conf\n'),
    facts: { fileFaults: new Map([['/etc/ipmi.conf', 'it cannot be read']]) }, stops: true, says: /for node2: it cannot be read/ },
  { code: 'native-calls-missing', facts: { nativeCallsFault: 'koffi cannot be loaded', programs: new Map([['arping', false]]) },
    stops: false, says: /iputils-arping/ },
]

for (const [index, { code, source, facts: more, stops, says }] of machineCases.entries()) {
  test(`${code} of the machine (${index})`, () => {
    const result = loadConfig(source ?? classic())
    const found = judgeMachine(result, { ...facts, ...more }).filter((message) => message.code === code)
    expect(found.map(({ message }) => message).join('\n')).toMatch(says)
    expect(startErrors(result, { ...facts, ...more }).map((message) => message.code)).toEqual(stops ? [code] : [])
    reached.add(code)
  })
}

test('crc keeps the daemon from starting unless it is allowed', () => {
  const refused = loadConfig(keys('auth 1\n1 crc\n'))
  expect(startErrors(refused, facts).map(({ code, line }) => `${code}:${line}`)).toEqual(['crc-refused:2'])
  expect(judgeMachine(refused, facts)).toEqual([])
  expect(startErrors(loadConfig(classic({ authkeys: 'auth 1\n1 crc\n', yaml: 'allow_crc: true\n' })), facts)).toEqual([])
  reached.add('crc-refused')
})

test('a machine that has everything: nothing to say', () => {
  expect(judgeMachine(loadConfig(classic()), facts)).toEqual([])
  expect(startErrors(loadConfig(classic()), facts)).toEqual([])
})

test('every code is reached by a test above, and its sentence is one', () => {
  expect([...reached].sort()).toEqual(Object.keys(configCodes).sort())
  for (const sentence of Object.values(configCodes)) expect(sentence).toMatch(/^[`A-Za-z].*\.$/)
})
