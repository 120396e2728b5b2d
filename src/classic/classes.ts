/**
 * Heartbeat knows two classes of groups and moves each as a whole: a node's `local` ones, whose preferred node it is, and the
 * `foreign` ones, all others (heartbeat-3.md 5.1). Here alone classes become groups and groups become classes. What is local
 * to one node is foreign to the other, so every Holding belongs to the node that says it.
 */
import type { GroupName, NodeName } from '../core/config.ts'
import type { DialogueSetting, SettingGroup } from './dialogue-types.ts'
import type { Holding } from './words.ts'

export type GroupClass = 'local' | 'foreign'

export const groupClasses: readonly GroupClass[] = ['local', 'foreign']

export function covers(holding: Holding, one: GroupClass): boolean {
  return holding === 'all' || holding === one
}

export function holdingOf(includes: (one: GroupClass) => boolean): Holding {
  const [local, foreign] = [includes('local'), includes('foreign')]
  if (local && foreign) return 'all'
  return local ? 'local' : foreign ? 'foreign' : 'none'
}

export function plus(left: Holding, right: Holding): Holding {
  return holdingOf((one) => covers(left, one) || covers(right, one))
}

export function minus(left: Holding, right: Holding): Holding {
  return holdingOf((one) => covers(left, one) && !covers(right, one))
}

export function common(left: Holding, right: Holding): Holding {
  return holdingOf((one) => covers(left, one) && covers(right, one))
}

export function otherClass(one: GroupClass): GroupClass {
  return one === 'local' ? 'foreign' : 'local'
}

/** The same groups as the other node calls them. */
export function mirrored(holding: Holding): Holding {
  return holdingOf((one) => covers(holding, otherClass(one)))
}

export function classOf(node: NodeName, group: SettingGroup): GroupClass {
  return group.preferredNode === node ? 'local' : 'foreign'
}

export function groupsIn(setting: DialogueSetting, node: NodeName, holding: Holding): ReadonlySet<GroupName> {
  return new Set(setting.groups.filter((group) => covers(holding, classOf(node, group))).map(({ name }) => name))
}
