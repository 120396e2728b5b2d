/** The name that a Heartbeat has for a group: the first resource of its line, as it is written there (heartbeat-3.md section 6.2). */
import type { GroupConfig } from '../core/config.ts'
import { resourceName } from '../core/stage.ts'
import type { DialogueSetting, SettingGroup } from './dialogue-types.ts'

export function settingGroups(groups: readonly GroupConfig[]): readonly SettingGroup[] {
  return groups.map(({ name, preferredNode, key, resources: [first] }) =>
    ({ name, preferredNode, key: key ?? (first === undefined ? name : resourceName(first)) }))
}

export function keyOf({ key, name }: SettingGroup): string {
  return key ?? name
}

/**
 * What the other node may ask for. Its file may write the same address in another way (`192.0.2.1`, `IPaddr2::192.0.2.1/24/eth0`), and
 * whoever asks for an address that this node has must not get it while it is here.
 */
export function groupCalled({ groups }: DialogueSetting, key: string): SettingGroup | undefined {
  const ip = addressIn(key)
  return groups.find((group) => keyOf(group) === key) ?? (ip === undefined ? undefined : groups.find((group) => addressIn(keyOf(group)) === ip))
}

function addressIn(key: string): string | undefined {
  const [address = ''] = key.replace(/^(IPaddr2?|IPv6addr)::/, '').split('/')
  const ipv4 = /^\d+(\.\d+){3}(?=::|$)/.exec(address)?.[0]
  return ipv4 ?? (/^[0-9A-Fa-f]*:[0-9A-Fa-f:.]+$/.test(address) ? address.toLowerCase() : undefined)
}
