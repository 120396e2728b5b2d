/** The lines of `ip -o address` and `ip -o link`, which `ip -o monitor` prints in the same form. */

/** One address as it stands in the kernel. */
export interface MachineAddress {
  readonly index: number
  readonly interface: string
  readonly family: 'ipv4' | 'ipv6'
  readonly ip: string
  readonly prefixLength: number
  /** `eth0:1`; IPv4 only, equal to the interface's name when none was given. */
  readonly label?: string
  /** Another host uses it (duplicate address detection): the kernel does not answer for it. */
  readonly duplicate: boolean
}

export interface InterfaceLine {
  readonly index: number
  readonly name: string
  /** Switched on and its cable is in. */
  readonly up: boolean
}

const addressForm = /^(\d+): (\S+)\s+(inet6?) ([0-9a-fA-F.:]+)(?: peer [0-9a-fA-F.:]+)?(?:\/(\d+))?([^\\]*)/
const interfaceForm = /^(\d+): ([^\s:@]+)(?:@[^\s:]*)?: <([^>]*)>/

export function parseAddressLine(line: string): MachineAddress | undefined {
  const match = addressForm.exec(line)
  if (match === null) return undefined
  const [, index = '', name = '', kind, ip = '', prefix, rest = ''] = match
  const family = kind === 'inet' ? 'ipv4' : 'ipv6'
  const words = rest.trim().split(/\s+/)
  const last = words.at(-1)
  return {
    index: Number(index),
    interface: name,
    family,
    ip,
    prefixLength: prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix),
    ...(family === 'ipv4' && last !== undefined && last !== '' ? { label: last } : {}),
    duplicate: words.includes('dadfailed'),
  }
}

export function parseInterfaceLine(line: string): InterfaceLine | undefined {
  const match = interfaceForm.exec(line)
  if (match === null) return undefined
  const [, index = '', name = '', flags = ''] = match
  const words = flags.split(',')
  return { index: Number(index), name, up: words.includes('UP') && words.includes('LOWER_UP') }
}
