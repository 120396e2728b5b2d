/**
 * Many groups lose contact at the same instant, and all of them ask. So many questions are put to etcd at once; the others
 * wait their turn, renewals first: a grant that is there is worth more than one that is not.
 */
import type { GroupName } from '../core/config.ts'
import type { WitnessAsk } from '../core/effects.ts'
import type { WitnessAnswer } from '../core/events.ts'
import type { Millis } from '../core/time.ts'

export interface Question { readonly group: GroupName | undefined; readonly ask: WitnessAsk }

export interface WitnessQueue {
  add(question: Question): Promise<WitnessAnswer>
  /** What waits is answered at once. */
  close(): void
}

/** Twice the connections to a member (etcd-connection.ts): more would only wait for them, each in its own time, and be too late together. */
const maxQuestions = 32
/** The core takes silence for an answer 1 s after the witness timeout (core/witness.ts), and then asks anew. */
const maxWaitMs: Millis = 900

interface Waiting { readonly question: Question; readonly timer: NodeJS.Timeout; answer(said: WitnessAnswer | Promise<WitnessAnswer>): void }

export function createWitnessQueue(converse: (question: Question) => Promise<WitnessAnswer>): WitnessQueue {
  const renewals = new Map<string, Waiting>()
  const others = new Map<string, Waiting>()
  let underWay = 0

  async function run(question: Question): Promise<WitnessAnswer> {
    underWay += 1
    try {
      return await converse(question)
    } finally {
      underWay -= 1
      next()
    }
  }

  function next(): void {
    for (const line of [renewals, others]) {
      for (const [key, { question, answer }] of line) {
        if (underWay >= maxQuestions) return
        take(line, key)
        answer(run(question))
      }
    }
  }

  function take(line: Map<string, Waiting>, key: string): Waiting | undefined {
    const waiting = line.get(key)
    line.delete(key)
    clearTimeout(waiting?.timer)
    return waiting
  }

  function refuse(line: Map<string, Waiting>, key: string, message: string): void {
    take(line, key)?.answer({ result: 'unreachable', message })
  }

  return {
    add(question) {
      // Whether the witness is there must be known just when it is busy.
      if (underWay < maxQuestions || question.ask.type === 'look') return run(question)
      const line = question.ask.type === 'renew' ? renewals : others
      const key = keyOf(question)
      // The core has given that one up; so there are never more of them than groups.
      refuse(line, key, 'asked again')
      return new Promise((resolve) => {
        const timer = setTimeout(() => refuse(line, key, `etcd is too slow: ${maxQuestions} questions of other groups went before this one for ${maxWaitMs} ms`), maxWaitMs)
        line.set(key, { question, timer, answer: resolve })
      })
    },
    close() {
      for (const line of [renewals, others]) for (const key of [...line.keys()]) refuse(line, key, 'given up: the daemon ends')
    },
  }
}

/** A group has one question of its own; of leases each is given back. */
function keyOf({ group = '', ask }: Question): string {
  return ask.type === 'give-back' ? `lease ${ask.leaseId}` : `group ${group}`
}
