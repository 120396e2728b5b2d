/** One word of a haresources line: `script::argument::argument` or a bare address (heartbeat-3.md section 6.2). */
import type { FloatingAddress } from '../core/config.ts'
import { isInterfaceName, parseIpv6 } from './addresses.ts'
import { type Findings, quoted } from './findings.ts'
import { parseFloatingAddress } from './floating-address.ts'
import type { Place } from './types.ts'

export interface ResourceParts {
  readonly script: string
  readonly args: readonly string[]
  readonly address?: FloatingAddress
  /** Heartbeat's own script would make something else of these words, or nothing. */
  readonly readOtherwise?: boolean
}

/** Whether a real Heartbeat may read the same word, so that differences from it are worth a warning. */
export type Form = 'classic' | 'yaml'

const addressScripts: Readonly<Record<string, string>> = { ipaddr: 'IPaddr', ipaddr2: 'IPaddr2', ipv6addr: 'IPv6addr' }

export function resourceOfWord(word: string, form: Form, place: Place, findings: Findings): ResourceParts {
  const end = word.indexOf('::')
  const script = end < 0 ? word : word.slice(0, end)
  if (isBareIpv4(script) || isBareIpv6(word)) return bareAddress(word, form, place, findings)
  const rest = end < 0 ? '' : word.slice(end + 2)
  const args = addressScripts[script.toLowerCase()] !== undefined && startsWithIpv6(rest) ? [rest]
    : rest.split('::').filter((arg) => arg !== '')
  if (form === 'classic' && args.length === 1 && args[0] === rest && rest.includes('::')) {
    findings.warning(place, 'ipv6-classic',
      `${quoted(word)}: Heartbeat takes the :: inside the address for the end of an argument. hactl reads the address. ` +
      'While a Heartbeat is in the pair, write it without ::, as in 2001:db8:0:0:0:0:0:1 (IPaddr2).')
  }
  // Behind a :: without arguments too: Heartbeat makes one of what stands before the colon.
  if (form === 'classic' && end > 0 && script.includes(':') && !/^(systemd|ocf):/.test(script)) {
    findings.warning(place, 'script-name-odd',
      `${quoted(script)} is taken as the name of a script. Heartbeat leaves a single colon in the arguments too: rename the script.`)
  }
  return resourceOf(script, args, form, place, findings)
}

/** The same checks for a script whose arguments are already apart. */
export function resourceOf(script: string, args: readonly string[], form: Form, place: Place, findings: Findings): ResourceParts {
  const addressScript = addressScripts[script.toLowerCase()]
  if (addressScript === undefined) {
    checkScript(script, args, form, place, findings)
    return { script, args }
  }
  if (script !== addressScript) {
    findings.warning(place, 'script-case',
      `${quoted(script)} is taken as ${addressScript}, which is how the script is called. Write ${addressScript}.`)
  }
  return addressResource(addressScript, args, form, place, findings)
}

/** Heartbeat's own test is the shell pattern `[0-9]*.[0-9]*.[0-9]*.[0-9]*`, on what stands before the first `::`. */
function isBareIpv4(script: string): boolean {
  return /^\d/.test(script) && (script.match(/\.\d/g) ?? []).length >= 3
}

/** IPv6 is ours: addresses that a host can hold (2000::/3, fc00::/7, fe80::/10), so that `a::192.0.2.1` and `db::1` stay scripts. */
function isBareIpv6(word: string): boolean {
  const [first = 0, second = 0] = parseIpv6(word.split('/', 1)[0] ?? '')?.bytes ?? []
  return (first & 0xe0) === 0x20 || (first & 0xfe) === 0xfc || (first === 0xfe && (second & 0xc0) === 0x80)
}

function startsWithIpv6(text: string): boolean {
  return parseIpv6(text.split('/', 1)[0] ?? '') !== undefined
}

function bareAddress(word: string, form: Form, place: Place, findings: Findings): ResourceParts {
  if (isBareIpv6(word)) {
    if (form === 'classic') {
      findings.warning(place, 'ipv6-classic',
        `${quoted(word)}: Heartbeat knows bare IPv4 addresses only and takes this for a script. hactl reads the address.`)
    }
    return addressResource('IPaddr', [word], 'yaml', place, findings)
  }
  return addressResource('IPaddr', word.split('::').filter((arg) => arg !== ''), form, place, findings)
}

function addressResource(script: string, args: readonly string[], form: Form, place: Place, findings: Findings): ResourceParts {
  const [first, ...others] = args
  if (first === undefined) {
    findings.error(place, 'address-invalid', `${script} has no address. Write ${script}::192.0.2.100/24/eth0.`)
    return { script, args }
  }
  const parsed = parseFloatingAddress(first)
  if (!parsed.ok) {
    findings.error(place, 'address-invalid', `${quoted(first)}: ${parsed.reason}`)
    return { script, args }
  }
  for (const note of parsed.notes) findings.warning(place, 'address-read-otherwise', `${quoted(first)}: ${note}`)
  checkFamily(script, parsed.address, form, place, findings)
  const readOtherwise = parsed.notes.length > 0 || others.length > 0
  return { script, args, address: withArguments(parsed.address, others, place, findings), ...(readOtherwise ? { readOtherwise } : {}) }
}

function checkFamily(script: string, { ip, family }: FloatingAddress, form: Form, place: Place, findings: Findings): void {
  if (script === 'IPv6addr' && family === 'ipv4') {
    findings.error(place, 'address-family', `IPv6addr has the IPv4 address ${ip}. Write IPaddr2::${ip}.`)
  }
  if (script === 'IPaddr' && family === 'ipv6' && form === 'classic') {
    findings.warning(place, 'ipv6-classic',
      `IPaddr has the IPv6 address ${ip}, which Heartbeat's IPaddr cannot serve. hactl can; IPaddr2 serves both.`)
  }
}

/** `192.0.2.100::eth0` means the interface, though Heartbeat drops the address then. */
function withArguments(address: FloatingAddress, others: readonly string[], place: Place, findings: Findings): FloatingAddress {
  const [second, ...more] = others
  if (second === undefined) return address
  if (more.length === 0 && address.interface === undefined && isInterfaceName(second)) {
    findings.warning(place, 'address-read-otherwise',
      `the argument ${quoted(second)} behind ${address.ip} is taken as its interface. Write ${address.ip}/MASK/${second}.`)
    return { ...address, interface: second }
  }
  findings.warning(place, 'address-arguments',
    `the arguments behind ${address.ip} (${others.map(quoted).join(', ')}) are not used: an address is one argument, ` +
    `IP/MASK/INTERFACE/BROADCAST.`)
  return address
}

function checkScript(script: string, args: readonly string[], form: Form, place: Place, findings: Findings): void {
  if (script === '') {
    findings.error(place, 'script-empty', `a resource starts with ::, so that its script has no name. Write SCRIPT::${args.join('::')}.`)
    return
  }
  const kind = /^(systemd|ocf):/.exec(script)?.[1]
  if (kind !== undefined) checkKind(kind, script, args, place, findings)
  else if (/^[\d.]+$/.test(script)) {
    findings.warning(place, 'script-name-odd', `${quoted(script)} is taken as the name of a script. An IPv4 address has four numbers.`)
  } else if (!/^[\p{L}\p{N}_./][\p{L}\p{N}\p{M}_./:+@~,-]*$/u.test(script)) {
    findings.warning(place, 'script-name-odd',
      `${quoted(script)} is taken as the name of a script. Words are not quoted or escaped here, and blanks always end a word.`)
  }
  if (form === 'classic' && args.some((arg) => /[*?[]/.test(arg))) {
    findings.warning(place, 'glob-not-expanded',
      `${quoted([script, ...args].join('::'))}: Heartbeat replaces *, ? and [...] by names of files it finds; hactl passes the ` +
      `argument as it is. Write the names.`)
  }
  // The escapes of dash's echo, through which Heartbeat sends each word.
  if (form === 'classic' && args.some((arg) => /\\[abcfnrtv0\\]/.test(arg))) {
    findings.warning(place, 'backslash-kept',
      `${quoted([script, ...args].join('::'))}: the shell of Heartbeat may read the backslash as the start of an escape (\\t is a tab); ` +
      `hactl passes the argument as it is. Do without the backslash.`)
  }
}

function checkKind(kind: string, script: string, args: readonly string[], place: Place, findings: Findings): void {
  const rule = kind === 'systemd' ? 'systemd:UNIT (systemd:nginx)' : 'ocf:PROVIDER:AGENT (ocf:heartbeat:Filesystem)'
  const whole = kind === 'systemd' ? /^systemd:[A-Za-z0-9:_.\\@-]+$/ : /^ocf:[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+$/
  if (!whole.test(script)) findings.error(place, 'script-kind', `${quoted(script)} is not complete: write ${rule}.`)
  else if (args.length > 0) {
    findings.error(place, 'script-kind',
      kind === 'systemd'
        ? `${script} has the argument ${quoted(args[0] ?? '')}; a systemd unit takes none.`
        : `${script} has the argument ${quoted(args[0] ?? '')}; an OCF agent takes named parameters: write them in hactl.yaml under ` +
          `parameters.`)
  }
}
