/** Delivery between this daemon and a real Heartbeat (heartbeat-3.md section 3), step by step. */
import { describe, expect, test } from 'vitest'
import { deliveryDueMs, deliveryStep, newDelivery, type DeliveryInput, type DeliveryOutput, type DeliveryState } from '../../src/classic/delivery.ts'
import type { Note } from '../../src/classic/notes.ts'
import { keptPackets, type Said } from '../../src/classic/outgoing.ts'
import type { Reading } from '../../src/classic/reading.ts'
import type { Packet } from '../../src/core/packet.ts'

const generation = 100
const theirs = 7

function statusOfOurs(sequence = 1): Said {
  const packet: Packet = { id: { generation, sequence }, from: 'node2', kind: 'status', nodeStatus: 'active', deadtimeMs: 10_000 }
  return { packet }
}
const word: Said = { word: { word: 'starting' } }

/** A daemon that has said its first status. */
function begun(): { state: DeliveryState; step(input: DeliveryInput): readonly DeliveryOutput[] } {
  const daemon = {
    state: newDelivery(generation),
    step(input: DeliveryInput) {
      const { state, outputs } = deliveryStep(daemon.state, input)
      daemon.state = state
      return outputs
    },
  }
  daemon.step({ type: 'say', said: statusOfOurs(), keep: true, nowMs: 0, wallMs: 1_000 })
  return daemon
}

const status = (sequence: number, of = theirs): Reading =>
  ({ reads: 'message', id: { generation: of, sequence }, heard: { sign: 'status', nodeStatus: 'active', deadtimeMs: 10_000 } })
const starting = (sequence: number, of = theirs): Reading => ({ reads: 'message', id: { generation: of, sequence }, heard: { word: 'starting' } })
const note = (one: Note, of = theirs): Reading => ({ reads: 'note', generation: of, note: one })
const read = (reading: Reading, nowMs = 0): DeliveryInput => ({ type: 'read', reading, nowMs })
const tick = (nowMs: number): DeliveryInput => ({ type: 'tick', nowMs })
const notes = (outputs: readonly DeliveryOutput[]): readonly Note[] => outputs.flatMap((output) => (output.type === 'note' ? [output.note] : []))
const acks = (outputs: readonly DeliveryOutput[]): readonly number[] => notes(outputs).flatMap((one) => (one.note === 'ack' ? [one.sequence] : []))
const asked = (outputs: readonly DeliveryOutput[]): readonly number[] =>
  notes(outputs).flatMap((one) => (one.note === 'ask-again' ? (expect(one.last).toBe(one.first), [one.first]) : []))
const sent = (outputs: readonly DeliveryOutput[]): readonly number[] => outputs.flatMap((output) => (output.type === 'send' ? [output.sent.id.sequence] : []))
const heard = (outputs: readonly DeliveryOutput[]): readonly number[] => outputs.flatMap((output) => (output.type === 'heard' ? [output.id.sequence] : []))
const verdicts = (outputs: readonly DeliveryOutput[]) => outputs.flatMap((output) => (output.type === 'judged' ? [output.verdict] : []))

describe('what this daemon says', () => {
  test('has one row of numbers for packets and words, without a gap, and begins with a status', () => {
    const daemon = begun()
    expect(deliveryStep(newDelivery(generation), { type: 'say', said: word, keep: true, nowMs: 0, wallMs: 0 }).outputs).toEqual([])
    const said = [word, statusOfOurs(2), word, word, statusOfOurs(3)]
    expect(said.flatMap((one) => sent(daemon.step({ type: 'say', said: one, keep: true, nowMs: 0, wallMs: 0 })))).toEqual([2, 3, 4, 5, 6])
  })

  test('is sent again as it was when it is asked for, not twice within 240 ms, and refused by number when it is gone', () => {
    const daemon = begun()
    daemon.step({ type: 'say', said: word, keep: true, nowMs: 0, wallMs: 61_000 })
    daemon.step(read(status(1)))
    const request = note({ note: 'ask-again', first: 2, last: 2 })
    expect(daemon.step(read(request, 500))).toEqual([{ type: 'send', sent: { id: { generation, sequence: 2 }, said: word, wallMs: 61_000 } }])
    expect(daemon.step(read(request, 739))).toEqual([])
    expect(sent(daemon.step(read(request, 740)))).toEqual([2])
    daemon.step(read(note({ note: 'ack', sequence: 1 })))
    expect(daemon.step(read(note({ note: 'ask-again', first: 1, last: 1 }), 2_000)))
      .toEqual([{ type: 'note', note: { note: 'never-again', sequence: 1, reason: 'seqno too low' } }])
    expect(daemon.step(read(note({ note: 'ask-again', first: 3, last: 9 }), 3_000))).toEqual([])
  })

  test('is kept for the last 512 until it is acknowledged, and no acknowledgement of something else takes it away', () => {
    const daemon = begun()
    daemon.step(read(status(1)))
    for (let count = 2; count <= 600; count += 1) daemon.step({ type: 'say', said: statusOfOurs(count), keep: true, nowMs: 0, wallMs: 0 })
    const kept = () => daemon.state.outgoing.history.map(({ id }) => id.sequence)
    expect([kept().length, kept()[0], kept().at(-1)]).toEqual([keptPackets, 89, 600])
    daemon.step(read(note({ note: 'ack', sequence: 601 })))
    daemon.step(read(note({ note: 'ack', sequence: 500 }, theirs - 1)))
    daemon.step(read(note({ note: 'ack', sequence: 88 })))
    expect(kept().length).toBe(keptPackets)
    daemon.step(read(note({ note: 'ack', sequence: 590 })))
    daemon.step(read(note({ note: 'ack', sequence: 300 })))
    expect(kept()).toEqual([591, 592, 593, 594, 595, 596, 597, 598, 599, 600])
    daemon.step(read(note({ note: 'ack', sequence: 600 })))
    expect(kept()).toEqual([])
  })

  test('requests that are replayed as fast as one likes cost at most 50 packets in 240 ms', () => {
    const daemon = begun()
    daemon.step(read(status(1)))
    for (let count = 2; count <= 400; count += 1) daemon.step({ type: 'say', said: word, keep: true, nowMs: 0, wallMs: 0 })
    let packets = 0
    for (let nowMs = 1_000; nowMs < 2_000; nowMs += 1) packets += daemon.step(read(note({ note: 'ask-again', first: 1, last: 400 }), nowMs)).length
    expect(packets).toBeLessThanOrEqual(250)
    expect(packets).toBeGreaterThan(150)
  })

  test('to a peer of our own kind is counted and not kept', () => {
    const daemon = begun()
    const outputs = daemon.step({ type: 'say', said: statusOfOurs(2), keep: false, nowMs: 0, wallMs: 0 })
    expect([sent(outputs), daemon.state.outgoing.history]).toEqual([[2], []])
  })

  test('begins at 1 again with a new generation, and with a status; an older generation is not taken up', () => {
    const daemon = begun()
    daemon.step(read(status(1)))
    daemon.step({ type: 'renew', generation: 99, nowMs: 0 })
    expect(daemon.state.outgoing).toMatchObject({ generation, sequence: 1 })
    daemon.step({ type: 'renew', generation: 101, nowMs: 0 })
    expect(daemon.step({ type: 'say', said: word, keep: true, nowMs: 0, wallMs: 0 })).toEqual([])
    expect(daemon.step({ type: 'say', said: statusOfOurs(9), keep: true, nowMs: 0, wallMs: 0 })).toMatchObject([{ sent: { id: { generation: 101, sequence: 1 } } }])
    // The peer has forgotten our acknowledgements with the generation.
    expect(acks(daemon.step(read(status(2))))).toEqual([2])
  })
})

describe('what the Heartbeat says', () => {
  test('is heard from its first status on, each message once', () => {
    const daemon = begun()
    expect(verdicts(daemon.step(read(starting(40))))).toEqual(['unopened'])
    expect(heard(daemon.step(read(status(41))))).toEqual([41])
    expect(heard(daemon.step(read(starting(42))))).toEqual([42])
    expect([...verdicts(daemon.step(read(starting(42)))), ...verdicts(daemon.step(read(status(41))))]).toEqual(['duplicate', 'duplicate'])
    expect(verdicts(daemon.step(read(status(40))))).toEqual(['duplicate'])
    expect(verdicts(daemon.step(read(status(5))))).toEqual(['stale'])
  })

  test('is acknowledged: the first message at once, then every fifth in a row, never more than was received', () => {
    const daemon = begun()
    const told: number[] = []
    for (let sequence = 41; sequence <= 60; sequence += 1) {
      const now = acks(daemon.step(read(sequence % 2 === 0 ? starting(sequence) : status(sequence))))
      for (const one of now) expect(one).toBe(sequence)
      told.push(...now)
    }
    expect(told).toEqual([41, 46, 51, 56])
  })

  test('is not acknowledged before this daemon itself was heard', () => {
    const first = deliveryStep(newDelivery(generation), read(status(1)))
    expect(acks(first.outputs)).toEqual([])
  })

  test('is asked for when a number is missing: after 50 ms, then every 250 ms, one number a request, until it comes late', () => {
    const daemon = begun()
    daemon.step(read(status(1)))
    expect(heard(daemon.step(read(starting(4), 1_000)))).toEqual([4])
    expect(deliveryDueMs(daemon.state)).toBe(1_050)
    expect(daemon.step(tick(1_049))).toEqual([])
    expect(asked(daemon.step(tick(1_050)))).toEqual([2, 3])
    expect(asked(daemon.step(tick(1_299)))).toEqual([])
    expect(asked(daemon.step(tick(1_300)))).toEqual([2, 3])
    expect([heard(daemon.step(read(starting(3), 1_310))), acks(daemon.step(read(status(5), 1_320)))]).toEqual([[3], []])
    expect(asked(daemon.step(tick(1_560)))).toEqual([2])
    const closed = daemon.step(read(starting(2), 1_570))
    expect([heard(closed), acks(closed)]).toEqual([[2], [5]])
    expect(deliveryDueMs(daemon.state)).toBeUndefined()
  })

  test('that overtook each other are asked for by nobody', () => {
    const daemon = begun()
    daemon.step(read(status(1)))
    daemon.step(read(starting(3), 100))
    daemon.step(read(starting(2), 110))
    expect([deliveryDueMs(daemon.state), daemon.step(tick(1_000))]).toEqual([undefined, []])
  })

  test('a refusal, a death, a new generation and too many at once end the asking', () => {
    const holes = (): ReturnType<typeof begun> => {
      const daemon = begun()
      daemon.step(read(status(1)))
      daemon.step(read(status(4), 100))
      return daemon
    }
    const refused = holes()
    refused.step(read(note({ note: 'never-again', sequence: 9, reason: '' }), 200))
    refused.step(read(note({ note: 'never-again', sequence: 2, reason: '' }, theirs - 1), 200))
    expect(asked(refused.step(tick(200)))).toEqual([2, 3])
    refused.step(read(note({ note: 'never-again', sequence: 2, reason: '' }), 200))
    expect(acks(refused.step(read(note({ note: 'never-again', sequence: 3, reason: '' }), 200)))).toEqual([4])
    expect(verdicts(refused.step(read(starting(2), 300)))).toEqual(['duplicate'])
    const dead = holes()
    expect(asked(dead.step(tick(10_099)))).toEqual([2, 3])
    expect([dead.step(tick(10_100)), deliveryDueMs(dead.state)]).toEqual([[], undefined])
    const restarted = holes()
    expect(acks(restarted.step(read(status(1, theirs + 1), 200)))).toEqual([1])
    expect([deliveryDueMs(restarted.state), verdicts(restarted.step(read(starting(2), 300)))]).toEqual([undefined, ['old-generation']])
    const flooded = holes()
    expect(acks(flooded.step(read(status(400), 200)))).toEqual([400])
    expect(deliveryDueMs(flooded.state)).toBeUndefined()
  })

  test('many holes are asked for 50 at a time', () => {
    const daemon = begun()
    daemon.step(read(status(1)))
    daemon.step(read(status(122)))
    const rounds = [50, 100, 150].map((nowMs) => asked(daemon.step(tick(nowMs))).length)
    expect(rounds).toEqual([50, 50, 20])
  })

  test('what is for others, or unknown, has a number all the same; what cannot be read is counted', () => {
    const daemon = begun()
    daemon.step(read(status(1)))
    expect(daemon.step(read({ reads: 'message', id: { generation: theirs, sequence: 2 } }))).toEqual([{ type: 'judged', id: { generation: theirs, sequence: 2 }, verdict: 'new' }])
    const bad: Reading = { reads: 'message', id: { generation: theirs, sequence: 3 }, trouble: 'bad-field' }
    expect(daemon.step(read(bad)).at(-1)).toEqual({ type: 'trouble', cause: 'bad-field' })
    expect(daemon.step(read(bad)).map((output) => output.type)).toEqual(['judged'])
    daemon.step(read(status(4)))
    expect(deliveryDueMs(daemon.state)).toBeUndefined()
  })
})

test('two that lose a third of their packets both ways hear every message of each other, once, and acknowledge it', () => {
  let seed = 12345
  const lost = (): boolean => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % 3 === 0
  type Side = { state: DeliveryState; heard: number[]; inbox: { atMs: number; reading: Reading }[] }
  const sides: [Side, Side] = [{ state: newDelivery(5), heard: [], inbox: [] }, { state: newDelivery(5), heard: [], inbox: [] }]
  const perform = (from: Side, to: Side, outputs: readonly DeliveryOutput[], nowMs: number): void => {
    for (const output of outputs) {
      if (output.type === 'heard') from.heard.push(output.id.sequence)
      const reading = output.type === 'note' ? note(output.note, 5) : output.type !== 'send' ? undefined
        : 'word' in output.sent.said ? starting(output.sent.id.sequence, 5) : status(output.sent.id.sequence, 5)
      // The first status opens the generation and cannot be had again; behind the last message nothing tells that it is missing.
      const sure = reading?.reads === 'message' && (reading.id.sequence === 1 || reading.id.sequence > 245)
      if (reading !== undefined && (!lost() || sure)) to.inbox.push({ atMs: nowMs + 1 + (seed % 20), reading })
    }
  }
  for (let nowMs = 0; nowMs < 60_000; nowMs += 10) {
    sides.forEach((side, index) => {
      const other = sides[index === 0 ? 1 : 0]
      const due = side.inbox.filter(({ atMs }) => atMs <= nowMs)
      side.inbox = side.inbox.filter(({ atMs }) => atMs > nowMs)
      const inputs: DeliveryInput[] = [...due.map(({ reading }) => read(reading, nowMs)), tick(nowMs)]
      if (nowMs % 200 === 0 && nowMs < 50_000) inputs.push({ type: 'say', said: nowMs % 400 === 0 ? statusOfOurs() : word, keep: true, nowMs, wallMs: 0 })
      for (const input of inputs) {
        const step = deliveryStep(side.state, input)
        side.state = step.state
        perform(side, other, step.outputs, nowMs)
      }
    })
  }
  for (const side of sides) {
    expect([...side.heard].sort((a, b) => a - b)).toEqual(Array.from({ length: 250 }, (_, index) => index + 1))
    expect(side.state.incoming?.holes).toEqual([])
    expect(side.state.outgoing.history.length).toBeLessThan(30)
  }
})
