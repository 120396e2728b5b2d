/**
 * A group's resources, cut into stages: neighbouring floating addresses are one stage (a thousand of them are added in
 * one go), every other resource is a stage of its own. Stages start in list order and stop in reverse order.
 */
import type { FloatingAddress, GroupConfig, ResourceConfig } from './config.ts'

export type Stage =
  | { readonly kind: 'addresses'; readonly name: string; readonly addresses: readonly FloatingAddress[] }
  | { readonly kind: 'script'; readonly name: string; readonly resource: ResourceConfig }

/** A resource as people write it: `IPaddr::192.0.2.100/24/eth0`, `apache2`. */
export function resourceName({ script, args }: Pick<ResourceConfig, 'script' | 'args'>): string {
  return [script, ...args].join('::')
}

/** The floating address that it stands for, whoever serves that. */
export function floatingAddressOf({ address, scriptAddress }: Pick<ResourceConfig, 'address' | 'scriptAddress'>): FloatingAddress | undefined {
  return address ?? scriptAddress
}

export function stagesOf(group: GroupConfig): readonly Stage[] {
  const stages: Stage[] = []
  let addresses: FloatingAddress[] | undefined
  for (const resource of group.resources) {
    if (resource.address === undefined) {
      stages.push({ kind: 'script', name: resourceName(resource), resource })
      addresses = undefined
      continue
    }
    if (addresses === undefined) {
      addresses = []
      stages.push({ kind: 'addresses', name: resource.address.ip, addresses })
    }
    addresses.push(resource.address)
  }
  return stages.map((stage) =>
    stage.kind === 'addresses' && stage.addresses.length > 1
      ? { ...stage, name: `${stage.addresses[0]?.ip ?? ''} and ${stage.addresses.length - 1} more` }
      : stage,
  )
}

export function isWarm(stage: Stage): boolean {
  return stage.kind === 'script' && stage.resource.warm
}
