/** The wire towards a peer that may be a real Heartbeat, with a dialogue that only writes down what it hears. */
import { expect, test } from 'vitest'
import type { DialogueInput, DialogueOutput } from '../../src/classic/dialogue-types.ts'
import type { Word } from '../../src/classic/words.ts'
import { noteFields } from '../../src/classic/notes.ts'
import { wordFields } from '../../src/classic/word-fields.ts'
import type { Packet } from '../../src/core/packet.ts'
import { createClassicPeer } from '../../src/daemon/classic.ts'
import type { ClassicPeer } from '../../src/daemon/classic-types.ts'
import type { Happening } from '../../src/daemon/loop.ts'
import type { Decoded } from '../../src/protocol/datagram.ts'
import { fieldText, type Field } from '../../src/protocol/fields.ts'
import { controlFields, messageFields, readMessage } from '../../src/protocol/message.ts'

const uuid = new Uint8Array(16)
const theirs = 50

interface Rig {
  readonly peer: ClassicPeer
  nowMs: number
  /** What left: type, number and generation. */
  readonly sent: string[]
  readonly fields: (readonly Field[])[]
  readonly fed: Happening[]
  readonly inputs: DialogueInput[]
  dialogues: number
  reserved: number
  readonly drops: string[]
  readonly renewed: number[]
  answers: (input: DialogueInput) => readonly DialogueOutput[]
  onFeed: (happening: Happening) => void
  sendable: boolean
  exchanging: boolean
}

function rig(): Rig {
  const made: Omit<Rig, 'peer'> & { peer?: ClassicPeer } = {
    nowMs: 0, sent: [], fields: [], fed: [], inputs: [], dialogues: 0, reserved: 100, drops: [], renewed: [], answers: () => [], onFeed: () => undefined, sendable: true, exchanging: false,
  }
  made.peer = createClassicPeer({
    self: 'a', peer: 'b', generation: 100, uuid, keepaliveMs: () => 400,
    openDialogue: () => {
      made.dialogues += 1
      return {
        step: (input) => {
          made.inputs.push(input)
          return made.answers(input)
        },
        dueMs: () => undefined,
        isExchanging: () => made.exchanging,
        useGroups: () => undefined,
      }
    },
    report: () => undefined,
    reserveGeneration: () => Promise.resolve((made.reserved += 1)),
    transmit(fields) {
      if (typeof fields === 'string') throw new Error(fields)
      if (!made.sendable) return false
      made.fields.push(fields)
      made.sent.push(`${fieldText(fields, 't')} ${parseInt(fieldText(fields, 'seq') ?? '0', 16)} of ${parseInt(fieldText(fields, 'hg') ?? '', 16)}`)
      return true
    },
    feed(happening) {
      made.fed.push(happening)
      made.onFeed(happening)
    },
    drop: (cause, link) => made.drops.push(`${cause} on ${link}`),
    onRenewed: (generation) => made.renewed.push(generation),
    clock: () => ({ nowMs: made.nowMs, wallMs: 1_700_000_000_000 + made.nowMs }),
  })
  return made as Rig
}

const facts = {
  dialogue: 1, answerWanted: false, pause: { paused: false, number: 0, sinceWallMs: 0 }, groups: [], digests: {}, requests: [],
}
const ownStatus = (sequence: number, more: Partial<Packet> = {}): Packet =>
  ({ id: { generation: 100, sequence }, from: 'a', kind: 'status', nodeStatus: 'active', deadtimeMs: 10_000, facts, ...more })

function decodedOf(fields: readonly Field[]): Decoded {
  const message = readMessage(fields)
  if (message.result === 'refused') throw new Error(message.reason)
  return { ...message, fields, framing: 'netstring', keyIndex: 1, method: 'sha1' }
}
function theirStatus(sequence: number, generation = theirs): Decoded {
  const fields = messageFields({ id: { generation, sequence }, from: 'b', kind: 'status', nodeStatus: 'active', deadtimeMs: 10_000 }, { uuid, wallMs: 1_000 })
  if (typeof fields === 'string') throw new Error(fields)
  return decodedOf(fields)
}
function theirWord(word: Word, sequence: number, generation = theirs): Decoded {
  const control = controlFields({ from: 'b', generation, sequence }, { uuid, wallMs: 1_000 })
  if (typeof control === 'string') throw new Error(control)
  return decodedOf([...wordFields(word, 'a'), ...control])
}
function theirNote(note: Parameters<typeof noteFields>[0], generation = theirs): Decoded {
  const control = controlFields({ from: 'b', generation }, { uuid, wallMs: 1_000 })
  if (typeof control === 'string') throw new Error(control)
  return decodedOf([...noteFields(note, 'a'), ...control])
}
const ours = (sequence: number, confirms?: { generation: number; sequence: number }): Packet =>
  ({ id: { generation: 60, sequence }, from: 'b', kind: 'status', nodeStatus: 'active', deadtimeMs: 10_000, facts: confirms === undefined ? facts : { ...facts, confirms } })

test('packets of the core and words of the dialogue share one row of numbers, and a word comes behind the packet that caused it', () => {
  const one = rig()
  one.answers = (input) => (input.type === 'spoke' ? [{ type: 'say', word: { word: 'starting' } }] : [])
  one.peer.say(ownStatus(1))
  one.answers = () => []
  one.peer.say(ownStatus(2))
  expect(one.sent).toEqual(['status 1 of 100', 'starting 2 of 100', 'status 3 of 100'])
  expect(one.inputs.map((input) => (input.type === 'spoke' ? input.packet.id.sequence : 0))).toEqual([1, 2])
})

test('the newest status leaves once more, under a number of its own, where the dialogue wants it before what it says', () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.peer.say(ownStatus(2))
  one.answers = (input) => (input.type === 'heard' && 'word' in input.heard ? [{ type: 'heartbeat' }, { type: 'say', word: { word: 'repnodes', nodes: ['a', 'b'] } }] : [])
  one.peer.take('bcast eth0', theirStatus(1))
  one.peer.take('bcast eth0', theirWord({ word: 'reqnodes' }, 2))
  expect(one.sent.filter((line) => !line.startsWith('NS_'))).toEqual(['status 1 of 100', 'status 2 of 100', 'status 3 of 100', 'repnodes 4 of 100'])
})

test('what cannot be sent uses up no number', () => {
  const one = rig()
  one.sendable = false
  one.peer.say(ownStatus(1))
  one.sendable = true
  one.peer.say(ownStatus(2))
  expect(one.sent).toEqual(['status 1 of 100'])
})

test('what a Heartbeat says reaches the dialogue, what the dialogue feeds reaches the core, and each message shows that its link works', () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.answers = (input) => (input.type === 'heard' && 'sign' in input.heard ? [{ type: 'feed', packet: ours(input.id.sequence) }] : [])
  one.peer.take('bcast eth0', theirStatus(7))
  one.peer.take('bcast eth0', theirWord({ word: 'starting' }, 8))
  one.peer.take('ucast eth1', theirWord({ word: 'starting' }, 8))
  expect(one.fed.map((happening) => [happening.type, 'link' in happening ? happening.link : ''])).toEqual([
    ['packet-received', 'bcast eth0'], ['duplicate-received', 'bcast eth0'], ['duplicate-received', 'ucast eth1'],
  ])
  expect(one.sent.at(-1)).toBe('NS_ackmsg 0 of 100')
  one.answers = () => [{ type: 'command', command: { kind: 'standby-once', scope: 'local' } }]
  one.peer.take('bcast eth0', theirWord({ word: 'takeover', holds: 'foreign' }, 9))
  expect(one.fed.at(-1)).toMatchObject({ type: 'admin-requested', requestId: -1, command: { type: 'standby', scope: 'local', once: true } })
})

test('what the core says to what it is fed comes before the rest of what the dialogue wanted, and the dialogue follows it afterwards', () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.answers = (input) => {
    if (input.type === 'spoke') return [{ type: 'say', word: { word: 'ask', holds: 'all', step: 'done' } }]
    return [{ type: 'say', word: { word: 'reqnodes' } }, { type: 'feed', packet: ours(1) }, { type: 'say', word: { word: 'starting' } }]
  }
  one.onFeed = () => one.peer.say(ownStatus(2))
  one.nowMs = 300
  one.peer.take('bcast eth0', theirStatus(1))
  expect(one.sent.filter((line) => !line.startsWith('NS_'))).toEqual(['status 1 of 100', 'reqnodes 2 of 100', 'status 3 of 100', 'starting 4 of 100', 'ask_resources 5 of 100'])
})

test('a Heartbeat that missed something gets the very fields again', () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.nowMs = 400
  one.peer.say(ownStatus(2))
  one.peer.take('bcast eth0', theirStatus(1))
  one.nowMs = 5_000
  one.peer.take('bcast eth0', theirNote({ note: 'ask-again', first: 2, last: 2 }))
  expect(one.fields.at(-1)).toEqual(one.fields[1])
})

test('a Heartbeat gets one heartbeat after the other, and not every change of our own facts; the dialogue hears of all', () => {
  const one = rig()
  one.peer.say(ownStatus(1, { nodeStatus: 'up' }))
  one.peer.say(ownStatus(2, { nodeStatus: 'up' }))
  one.peer.take('bcast eth0', theirStatus(1))
  one.peer.say(ownStatus(3, { nodeStatus: 'up' }))
  one.peer.say(ownStatus(4))
  one.nowMs = 199
  one.peer.say(ownStatus(5))
  one.nowMs = 200
  one.peer.say(ownStatus(6))
  one.peer.say(ownStatus(7, { kind: 'goodbye', nodeStatus: 'dead' }))
  expect(one.sent.filter((line) => !line.startsWith('NS_'))).toEqual(['status 1 of 100', 'status 2 of 100', 'status 3 of 100', 'status 4 of 100', 'shutdone 5 of 100'])
  expect(one.inputs.flatMap((input) => (input.type === 'spoke' ? [input.packet.id.sequence] : []))).toEqual([1, 2, 3, 4, 5, 6, 7])
  // What a peer of ours confirms later: the core's number of what was sent.
  expect([3, 4].map((sequence) => one.peer.takeOurs(ours(1, { generation: 100, sequence })).facts?.confirms?.sequence)).toEqual([4, 6])
})

test('a goodbye that the core repeats is the same message again for a Heartbeat', () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.peer.take('bcast eth0', theirStatus(1))
  for (const sequence of [2, 3, 4]) one.peer.say(ownStatus(sequence, { kind: 'goodbye', nodeStatus: 'dead' }))
  expect(one.sent.filter((line) => line.startsWith('shutdone'))).toEqual(['shutdone 2 of 100', 'shutdone 2 of 100', 'shutdone 2 of 100'])
  expect(one.inputs.filter((input) => input.type === 'spoke' && input.packet.kind === 'goodbye')).toHaveLength(1)
})

test('a peer of our own kind costs nothing: no dialogue, nothing kept, nothing acknowledged, no timer; and what it confirms is the core\'s number', () => {
  const one = rig()
  one.answers = (input) => (input.type === 'spoke' && input.packet.id.sequence === 1 ? [{ type: 'say', word: { word: 'starting' } }] : [])
  one.peer.say(ownStatus(1))
  one.peer.say(ownStatus(2))
  expect(one.peer.takeOurs(ours(1)).facts?.confirms).toBeUndefined()
  expect(one.peer.isOurs()).toBe(true)
  one.peer.say(ownStatus(3))
  expect([one.sent.at(-1), one.inputs.length, one.peer.dueMs()]).toEqual(['status 4 of 100', 2, undefined])
  const confirmed = [1, 2, 3, 4].map((sequence) => one.peer.takeOurs(ours(sequence, { generation: 100, sequence })).facts?.confirms?.sequence)
  expect(confirmed).toEqual([1, 1, 2, 3])
  one.peer.take('bcast eth0', theirNote({ note: 'ask-again', first: 1, last: 4 }))
  one.peer.take('bcast eth0', theirWord({ word: 'starting' }, 9, 60))
  expect([one.sent.length, one.drops]).toEqual([4, ['unsequenced on bcast eth0']])
})

test('a pair of ours whose peer goes back to Heartbeat begins a dialogue with what is true now', () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.peer.takeOurs(ours(1))
  one.peer.say(ownStatus(2))
  one.inputs.length = 0
  one.peer.take('bcast eth0', theirStatus(1, 61))
  expect(one.dialogues).toBe(2)
  expect(one.inputs.map((input) => input.type)).toEqual(['spoke', 'heard'])
  expect(one.sent.at(-1)).toBe('NS_ackmsg 0 of 100')
})

async function meet(one: Rig): Promise<void> {
  one.peer.say(ownStatus(1))
  one.peer.take('bcast eth0', theirStatus(1))
  await new Promise((resolve) => setImmediate(resolve))
}

test('after a silence of the Heartbeat this node goes on with another generation, once, and the dialogue knows', async () => {
  const one = rig()
  await meet(one)
  expect(one.peer.dueMs()).toBe(9_000)
  one.nowMs = 8_999
  one.peer.tick()
  expect(one.renewed).toEqual([])
  one.nowMs = 9_000
  one.peer.tick()
  expect([one.renewed, one.inputs.at(-1)?.type, one.peer.dueMs(), one.peer.generation()]).toEqual([[101], 'renewed', undefined, 101])
  one.peer.say(ownStatus(2))
  expect(one.sent.at(-1)).toBe('status 1 of 101')
  await new Promise((resolve) => setImmediate(resolve))
  one.nowMs = 12_000
  one.peer.take('bcast eth0', theirStatus(2))
  expect(one.peer.dueMs()).toBe(21_000)
  // What a peer of ours confirms after that is of the new generation, and means the core's.
  expect(one.peer.takeOurs(ours(1, { generation: 101, sequence: 1 })).facts?.confirms).toEqual({ generation: 100, sequence: 2 })
  expect(one.peer.takeOurs(ours(1, { generation: 100, sequence: 1 })).facts?.confirms).toBeUndefined()
})

test('after a silence of its own as well, before it says anything else', async () => {
  const one = rig()
  await meet(one)
  one.nowMs = 9_500
  one.peer.say(ownStatus(2))
  expect([one.renewed, one.sent.at(-1)]).toEqual([[101], 'status 1 of 101'])
})

test('a disk that does not answer keeps no generation back: the next number serves, and what the disk gives later is above it', async () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.peer.take('bcast eth0', theirStatus(1))
  // Nothing has been given yet: no turn of the loop has passed.
  one.nowMs = 9_500
  one.peer.say(ownStatus(2))
  expect([one.renewed, one.sent.at(-1)]).toEqual([[101], 'status 1 of 101'])
  await new Promise((resolve) => setImmediate(resolve))
  one.nowMs = 20_000
  one.peer.say(ownStatus(3))
  expect([one.renewed, one.sent.at(-1)]).toEqual([[101, 102], 'status 1 of 102'])
})

test('a shutdown waits for the end of an exchange, and not for ever', () => {
  const one = rig()
  let shutdowns = 0
  const shutDown = (): void => void (shutdowns += 1)
  one.peer.say(ownStatus(1))
  one.peer.whenAtRest(shutDown)
  expect([shutdowns, one.peer.dueMs()]).toEqual([1, undefined])
  one.exchanging = true
  one.peer.whenAtRest(shutDown)
  one.nowMs = 200
  one.peer.tick()
  expect([shutdowns, one.peer.dueMs()]).toEqual([1, 400])
  one.exchanging = false
  one.nowMs = 400
  one.peer.tick()
  expect([shutdowns, one.peer.dueMs()]).toEqual([2, undefined])
  one.exchanging = true
  one.peer.whenAtRest(shutDown)
  one.nowMs = 30_400
  one.peer.tick()
  expect(shutdowns).toBe(3)
})

test('a number that is missing is asked for by the timer', () => {
  const one = rig()
  one.peer.say(ownStatus(1))
  one.peer.take('bcast eth0', theirStatus(1))
  one.peer.take('bcast eth0', theirStatus(3))
  expect(one.peer.dueMs()).toBe(50)
  one.nowMs = 50
  one.peer.tick()
  expect(one.sent.at(-1)).toBe('NS_rexmit 0 of 100')
  expect(fieldText(one.fields.at(-1) ?? [], 'firstseq')).toBe('2')
})
