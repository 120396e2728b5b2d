/**
 * The placement table, row by row: a view for which the row decides, and for each part of its condition a view in which
 * that part alone does not hold, with the row that decides instead.
 */
import { expect, test } from 'vitest'
import { placementOf, placementRows, type PlacementView } from '../../src/core/placement.ts'

type Change = Partial<PlacementView>

/** Nobody holds it, both nodes are up, the peer is its preferred node. */
const idle: PlacementView = {
  self: 'a', peer: 'b', phase: 'running', paused: false, preferred: 'peer', first: 'peer', here: 'nothing', peerStatus: 'heard', there: 'nothing',
  selfStandby: false, peerStandby: false, peerLeaving: false, peerHasIt: true, selfFailed: false, peerFailed: false, adminTakes: false, adminGives: false,
  peerOffer: undefined, peerClaims: false, claims: false, pinned: false, failback: 'off', flapHeld: false, seesMore: 'neither',
}
const preferredHere: Change = { preferred: 'self', first: 'self' }
const held: Change = { here: 'serves' }
const served: Change = { there: 'serves' }

interface Case {
  readonly reason: string
  readonly node: 'self' | 'peer' | 'nobody'
  readonly offer?: string
  readonly view: Change
  /** Each change takes one part of the condition away; the second word is the row that decides then. */
  readonly without: readonly (readonly [Change, string])[]
}

const cases: readonly Case[] = [
  { reason: 'leaving', node: 'peer', offer: 'leaving', view: { ...held, phase: 'leaving' }, without: [
    [{ here: 'stopping' }, 'leaving-alone'], [{ phase: 'running' }, 'holds'], [{ peerStatus: 'dead' }, 'leaving-alone'], [{ peerStatus: 'left' }, 'leaving-alone'],
    [{ peerLeaving: true }, 'leaving-alone'], [{ peerStandby: true }, 'leaving-alone'], [{ peerFailed: true }, 'leaving-alone'], [{ peerHasIt: false }, 'leaving-alone'],
    [{ there: 'unclean' }, 'leaving-alone'], [{ there: 'unknown' }, 'leaving-alone'],
  ] },
  { reason: 'leaving-alone', node: 'nobody', view: { phase: 'leaving' }, without: [[{ phase: 'running' }, 'peer-preferred']] },
  { reason: 'admin-gives', node: 'peer', offer: 'admin', view: { ...held, adminGives: true }, without: [
    [{ here: 'nothing' }, 'peer-preferred'], [{ adminGives: false }, 'holds'], [{ peerStandby: true }, 'holds'],
  ] },
  { reason: 'standby', node: 'peer', offer: 'standby', view: { ...held, selfStandby: true }, without: [
    [{ here: 'nothing' }, 'peer-preferred'], [{ selfStandby: false }, 'holds'], [{ pinned: true }, 'pinned'], [{ peerFailed: true }, 'holds'],
  ] },
  { reason: 'flap-guard', node: 'self', view: { ...held, flapHeld: true, selfFailed: true }, without: [[{ here: 'nothing', selfFailed: false }, 'peer-preferred'], [{ flapHeld: false }, 'failed-here']] },
  { reason: 'failed-here', node: 'peer', offer: 'failed', view: { ...held, selfFailed: true }, without: [
    [{ here: 'nothing' }, 'peer-preferred'], [{ selfFailed: false }, 'holds'], [{ peerFailed: true }, 'holds'], [{ paused: true }, 'paused-holder'],
  ] },
  { reason: 'paused-holder', node: 'self', view: { ...held, paused: true }, without: [[{ here: 'nothing' }, 'paused'], [{ paused: false }, 'holds']] },
  { reason: 'sees-less', node: 'peer', offer: 'connectivity', view: { ...held, seesMore: 'peer' }, without: [
    [{ here: 'nothing' }, 'peer-sees-more'], [{ seesMore: 'neither' }, 'holds'], [{ peerStandby: true }, 'holds'], [{ there: 'stopping' }, 'holds'], [{ flapHeld: true }, 'flap-guard'],
  ] },
  { reason: 'stays-connected', node: 'self', view: { ...held, seesMore: 'self', failback: 'due' }, without: [
    [{ here: 'nothing' }, 'sees-more'], [{ seesMore: 'neither' }, 'failback'], [{ preferred: 'self' }, 'holds'],
  ] },
  { reason: 'failback', node: 'peer', offer: 'failback', view: { ...held, failback: 'due' }, without: [
    [{ here: 'nothing' }, 'peer-preferred'], [{ preferred: 'self' }, 'holds'], [{ failback: 'waits' }, 'failback-waits'], [{ failback: 'off' }, 'holds'],
    [{ pinned: true }, 'pinned'], [{ peerStandby: true }, 'holds'], [{ there: 'stopping' }, 'holds'],
  ] },
  { reason: 'failback-waits', node: 'self', view: { ...held, failback: 'waits' }, without: [
    [{ here: 'nothing' }, 'peer-preferred'], [{ preferred: 'self' }, 'holds'], [{ failback: 'off' }, 'holds'], [{ pinned: true }, 'pinned'], [{ peerStatus: 'dead' }, 'holds'],
  ] },
  { reason: 'pinned', node: 'self', view: { ...held, pinned: true }, without: [
    [{ here: 'nothing' }, 'peer-preferred'], [{ pinned: false }, 'holds'], [{ preferred: 'self' }, 'holds'],
  ] },
  { reason: 'holds', node: 'self', view: held, without: [[{ here: 'nothing' }, 'peer-preferred'], [{ here: 'stopping' }, 'peer-preferred']] },
  { reason: 'unclean-here', node: 'nobody', view: { here: 'unclean' }, without: [[{ here: 'nothing' }, 'peer-preferred']] },
  { reason: 'unclean-there', node: 'nobody', view: { there: 'unclean' }, without: [[{ there: 'nothing' }, 'peer-preferred']] },
  { reason: 'admin-takes', node: 'self', view: { ...served, adminTakes: true }, without: [[{ adminTakes: false }, 'peer-holds'], [{ peerStatus: 'unknown' }, 'peer-unheard']] },
  { reason: 'offered', node: 'self', view: { ...served, peerOffer: 'standby' }, without: [
    [{ peerStatus: 'dead' }, 'peer-dead'], [{ there: 'nothing' }, 'peer-preferred'], [{ peerOffer: undefined }, 'peer-holds'],
    [{ phase: 'leaving' }, 'leaving-alone'], [{ selfStandby: true }, 'peer-holds'], [{ selfFailed: true }, 'peer-holds'], [{ peerOffer: 'failback' }, 'peer-holds'],
  ] },
  { reason: 'offered', node: 'self', view: { ...served, ...preferredHere, peerOffer: 'failback' }, without: [[{ preferred: 'peer' }, 'peer-holds']] },
  { reason: 'peer-holds', node: 'peer', view: served, without: [[{ peerStatus: 'dead' }, 'peer-dead'], [{ there: 'stopping' }, 'peer-preferred']] },
  { reason: 'claim-stands', node: 'self', view: { claims: true }, without: [
    [{ claims: false }, 'peer-preferred'], [{ peerStatus: 'dead' }, 'peer-dead'], [{ selfStandby: true }, 'peer-preferred'],
  ] },
  { reason: 'peer-claims', node: 'peer', view: { ...preferredHere, peerClaims: true }, without: [[{ peerClaims: false }, 'preferred-node'], [{ peerStatus: 'dead' }, 'peer-dead']] },
  { reason: 'peer-unknown', node: 'nobody', view: { ...preferredHere, there: 'unknown' }, without: [
    [{ peerStatus: 'dead' }, 'peer-dead'], [{ there: 'nothing' }, 'preferred-node'], [{ here: 'found' }, 'adopt'],
  ] },
  { reason: 'paused', node: 'nobody', view: { paused: true }, without: [[{ paused: false }, 'peer-preferred'], [{ here: 'found' }, 'adopt']] },
  { reason: 'peer-dead', node: 'self', view: { peerStatus: 'dead' }, without: [[{ peerStatus: 'heard' }, 'peer-preferred'], [{ selfStandby: true }, 'alone-standby'], [{ selfFailed: true }, 'alone-failed']] },
  { reason: 'peer-left', node: 'self', view: { peerStatus: 'left' }, without: [[{ peerStatus: 'heard' }, 'peer-preferred'], [{ selfStandby: true }, 'alone-standby'], [{ selfFailed: true }, 'alone-failed']] },
  { reason: 'adopt', node: 'self', view: { here: 'found' }, without: [[{ here: 'nothing' }, 'peer-preferred'], [{ selfStandby: true }, 'peer-preferred']] },
  { reason: 'peer-unheard', node: 'nobody', view: { peerStatus: 'unknown' }, without: [[{ peerStatus: 'heard' }, 'peer-preferred'], [{ here: 'found' }, 'adopt']] },
  { reason: 'alone-standby', node: 'nobody', view: { peerStatus: 'dead', selfStandby: true }, without: [[{ peerStatus: 'heard' }, 'peer-preferred'], [{ selfStandby: false }, 'peer-dead']] },
  { reason: 'alone-failed', node: 'nobody', view: { peerStatus: 'left', selfFailed: true }, without: [[{ peerStatus: 'heard' }, 'peer-preferred'], [{ selfFailed: false }, 'peer-left']] },
  { reason: 'sees-more', node: 'self', view: { seesMore: 'self' }, without: [[{ seesMore: 'neither' }, 'peer-preferred'], [{ selfStandby: true }, 'peer-preferred']] },
  { reason: 'peer-sees-more', node: 'peer', view: { ...preferredHere, seesMore: 'peer' }, without: [[{ seesMore: 'neither' }, 'preferred-node'], [{ peerStandby: true }, 'preferred-node']] },
  { reason: 'preferred-node', node: 'self', view: preferredHere, without: [[{ first: 'peer' }, 'peer-preferred'], [{ selfStandby: true }, 'self-cannot'], [{ selfFailed: true }, 'self-cannot']] },
  { reason: 'peer-preferred', node: 'peer', view: {}, without: [
    [{ first: 'self' }, 'preferred-node'], [{ peerStandby: true }, 'peer-cannot'], [{ peerFailed: true }, 'peer-cannot'], [{ peerLeaving: true }, 'peer-cannot'], [{ peerHasIt: false }, 'peer-cannot'],
  ] },
  { reason: 'peer-cannot', node: 'self', view: { peerStandby: true }, without: [[{ peerStandby: false }, 'peer-preferred'], [{ selfStandby: true }, 'nobody-can'], [{ selfFailed: true }, 'nobody-can']] },
  { reason: 'self-cannot', node: 'peer', view: { ...preferredHere, selfStandby: true }, without: [[{ selfStandby: false }, 'preferred-node'], [{ peerStandby: true }, 'nobody-can'], [{ peerFailed: true }, 'nobody-can']] },
  { reason: 'nobody-can', node: 'nobody', view: { selfStandby: true, peerStandby: true }, without: [[{ selfStandby: false }, 'peer-cannot'], [{ peerStandby: false }, 'peer-preferred']] },
]

test.each(cases)('$reason: to $node', ({ reason, node, offer, view, without }) => {
  const placement = placementOf({ ...idle, ...view })
  expect([placement.reason, placement.node, placement.offer]).toEqual([reason, node, offer])
  expect(placement.explanation).not.toBe('')
  expect(without.map(([change]) => placementOf({ ...idle, ...view, ...change }).reason)).toEqual(without.map(([, instead]) => instead))
})

test('every row has a case, and the cases stand in the order of the rows', () => {
  const order = placementRows.map((row) => row.reason)
  expect([...new Set(cases.map((one) => one.reason))]).toEqual(order)
})

test('a node that is in standby, failed or leaving is never given what it does not have, but by an administrator', () => {
  const blockers: readonly Change[] = [{ selfStandby: true }, { selfFailed: true }, { phase: 'leaving' }]
  for (const { view } of cases) {
    for (const blocker of blockers) {
      const asked = { ...idle, ...view, ...blocker }
      if (asked.here === 'serves' || asked.adminTakes) continue
      expect(placementOf(asked).node).not.toBe('self')
    }
  }
})
