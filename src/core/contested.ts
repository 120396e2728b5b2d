/** Another host answers for a floating address that this node has: named with its hardware address, its reports counted, and answered by telling the neighbours again. */
import type { Event } from './events.ts'
import { peerServes } from './group-view.ts'
import type { Contested, GroupState } from './state.ts'
import { record, setGroup, type Turn } from './turn.ts'

/** More hosts than this for one group are no longer told apart. */
const mostContested = 8

export function hearContested(turn: Turn, event: Extract<Event, { type: 'address-contested' }>): void {
  const { ip, hardwareAddress } = event
  const group = turn.state.groups.find((one) => one.hold !== undefined && one.stages.some(({ what }) => what.kind === 'addresses' && what.addresses.some((address) => address.ip === ip)))
  if (group === undefined) return
  const known = group.contested.find((one) => one.ip === ip && one.hardwareAddress === hardwareAddress)
  const now: Contested = { ip, hardwareAddress, interface: event.interface, count: (known?.count ?? 0) + 1, lastMs: turn.nowMs }
  setGroup(turn, group.name, { contested: [...group.contested.filter((one) => one !== known), now].slice(-mostContested), announce: { round: 0, nextMs: turn.nowMs } })
  record(turn, 'error', 'address-contested', `${ip}${ip === group.name ? '' : ` of ${group.name}`} is answered for by another host as well: ${hardwareAddress} on ${event.interface} (${timesReported(now.count)})${advice(turn, group)}`, {
    group: group.name, figures: { ip, hardwareAddress, count: now.count },
  })
}

function timesReported(count: number): string {
  return count === 1 ? 'reported for the first time' : `reported ${count} times by now`
}

function advice(turn: Turn, group: GroupState): string {
  if (peerServes(turn.state, group.name)) return `; ${turn.state.peer} holds it at this moment`
  return `. Find it: ip neighbour, the switch's table, or on ${turn.state.peer}: ip -o address`
}

