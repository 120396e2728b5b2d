/** After a silence this node begins anew towards the Heartbeat: what that has taken meanwhile it keeps. */
import { expect, test } from 'vitest'
import { createDialogue, dialogueStep } from '../../src/classic/dialogue.ts'
import type { DialogueInput, DialogueOutput } from '../../src/classic/dialogue-types.ts'
import type { Holding } from '../../src/classic/words.ts'
import type { AdvertisedState, Packet } from '../../src/core/packet.ts'

const groups = [{ name: 'alphas', preferredNode: 'alpha' }, { name: 'betas', preferredNode: 'beta' }]

function spoken(alphas: AdvertisedState, betas: AdvertisedState, sequence = 1): Packet {
  const group = (name: string, state: AdvertisedState) => ({ name, state, claimNumber: 3, claiming: false, failed: false, pinned: false })
  return {
    id: { generation: 9, sequence }, from: 'beta', kind: 'status', nodeStatus: 'active', deadtimeMs: 1_500,
    facts: { dialogue: 1, answerWanted: false, pause: { paused: false, number: 0, sinceWallMs: 0 }, groups: [group('alphas', alphas), group('betas', betas)], digests: {}, requests: [] },
  }
}

function daemon() {
  const one = {
    state: createDialogue({ self: 'beta', peer: 'alpha', groups }),
    nowMs: 0,
    sequence: 0,
    step(input: DialogueInput): readonly DialogueOutput[] {
      const { state, outputs } = dialogueStep(one.state, input)
      one.state = state
      return outputs
    },
    status: () => one.step({ type: 'heard', nowMs: one.nowMs, id: { generation: 5, sequence: (one.sequence += 1) }, heard: { sign: 'status', nodeStatus: 'active', deadtimeMs: 1_500 } }),
    holds: (holds: Holding) => one.step({ type: 'heard', nowMs: one.nowMs, id: { generation: 5, sequence: (one.sequence += 1) }, heard: { word: 'resource', holds, full: true, stable: true } }),
    spoke: (packet: Packet) => one.step({ type: 'spoke', nowMs: one.nowMs, packet }),
  }
  return one
}

const words = (outputs: readonly DialogueOutput[]) => outputs.flatMap((output) => (output.type === 'say' ? [output.word] : []))
/** Under which numbers the core hears that the Heartbeat has the groups. */
const numbers = (outputs: readonly DialogueOutput[]) =>
  outputs.flatMap((output) => (output.type === 'feed' ? (output.packet.facts?.groups ?? []).map(({ state, claimNumber }) => `${state} ${claimNumber}`) : []))

test('it asks what the Heartbeat holds before it tells what it holds itself, and whatever is on both is the Heartbeat\'s', () => {
  const one = daemon()
  one.spoke(spoken('held', 'held'))
  one.step({ type: 'renewed', nowMs: 1_500 })
  one.nowMs = 9_000
  one.spoke(spoken('held', 'held', 2))
  expect(words(one.status())).toEqual([{ word: 'starting' }])
  const answered = one.holds('all')
  expect([words(answered), numbers(answered)]).toEqual([[{ word: 'resource', holds: 'all', full: true, stable: true }], ['held 4', 'held 4']])
})

test('what only one of them has stays where it is, and later both are judged as always', () => {
  const one = daemon()
  one.spoke(spoken('held', 'stopped'))
  one.step({ type: 'renewed', nowMs: 1_500 })
  one.spoke(spoken('stopped', 'held', 2))
  one.status()
  expect(numbers(one.holds('local'))).toEqual(['held 0', 'stopped 0'])
  // Both again, for another reason: it gets the time in which a Heartbeat tells that it shuts down.
  expect(numbers(one.holds('all'))).toEqual(['held 0', 'held 0'])
  for (one.nowMs = 1_000; one.nowMs < 4_000; one.nowMs += 1_000) expect(numbers(one.status())).toEqual(['held 0', 'held 0'])
  expect(numbers(one.status())).toEqual(['held 0', 'held 4'])
})
