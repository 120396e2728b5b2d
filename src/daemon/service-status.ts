/** The line that `systemctl status` shows: what this node holds, what stands against it, and whether the peer is there. */
import { isUnclean, stateOf } from '../core/group-view.ts'
import type { NodeState } from '../core/state.ts'

/** Of what the event history tells, so that it is never older than the last record. */
export function serviceStatus(state: NodeState): string {
  const { self, peer, phase, contact, pause, standby, groups } = state
  if (phase === 'looking') return `${self} looks at its resources`
  if (phase === 'left') return `${self} has left`
  const held = groups.filter((group) => stateOf(group) === 'held').map((group) => group.name)
  const unclean = groups.filter(isUnclean).map((group) => group.name)
  const parts = [
    ...(phase === 'leaving' ? [`${self} shuts down`] : []),
    ...(state.resetting !== undefined ? ['RESET BY THE WATCHDOG IS NEAR'] : []),
    ...(unclean.length > 0 ? [`UNCLEAN: ${listed(unclean)}`] : []),
    ...contestedParts(state),
    ...(state.fencing?.status === 'failed' ? [`FENCING OF ${peer} FAILED`] : []),
    held.length === 0 ? `${self} holds nothing` : `${self} holds ${listed(held)}`,
    ...(standby === undefined ? [] : ['in standby']),
    ...(pause.paused ? ['paused'] : []),
    ...outsideParts(state),
    contact.status === 'unknown' ? `${peer} has not been heard yet` : `${peer} ${contact.status === 'left' ? 'has left' : `is ${contact.status}`}`,
  ]
  return parts.join('; ')
}

function outsideParts({ config, witness, fencing, peer }: NodeState): readonly string[] {
  return [
    ...(config.witness !== undefined && witness.status === 'unreachable' ? ['witness unreachable'] : []),
    ...(fencing?.status === 'runs' || fencing?.status === 'waits' ? [`${peer} is being fenced`] : []),
  ]
}

/** Nothing tells when another host has ceased to answer for an address, so what was seen long ago is left out. */
const contestedForMs = 600_000

function contestedParts({ groups, nextKeepaliveMs }: NodeState): readonly string[] {
  const seen = groups.filter(({ hold }) => hold !== undefined).flatMap(({ contested }) => contested)
    .filter(({ lastMs }) => nextKeepaliveMs - lastMs < contestedForMs)
  return seen.length === 0 ? [] : [`CONTESTED: ${listed(seen.map(({ ip, hardwareAddress }) => `${ip} by ${hardwareAddress}`))}`]
}

/** systemd shows one line. */
const mostNames = 5

function listed(names: readonly string[]): string {
  const more = names.length - mostNames
  return `${names.slice(0, mostNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
