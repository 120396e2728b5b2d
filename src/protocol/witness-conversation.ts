/**
 * How the witness is asked: a few questions to etcd, one after the other, until there is an answer for the core. A
 * conversation is plain data; whoever drives it (daemon or simulator) sends each request, perhaps twice and to several
 * members, and gives back the first answer. No order of late, lost or doubled requests makes two holders:
 *
 * - `acquire`: read, new lease, transaction on the exact revisions of both keys. A copy that arrives after any other write
 *   fails. A transaction that did not succeed shows the keys: our own new lease there means that another copy of it did.
 * - `renew`: a lease kept alive proves only the lease. The key is read afterwards: somebody may have overwritten or deleted
 *   it; and a leader that stands still answers for leases long after its successor was elected, so both answers must come
 *   from the same term, the second one being confirmed by a majority.
 * - `give-back`: that lease only.
 */
import type { GroupName } from '../core/config.ts'
import type { WitnessAsk } from '../core/effects.ts'
import type { WitnessAnswer } from '../core/events.ts'
import type { Millis } from '../core/time.ts'
import { formatHolder, keySpace, keysOf, noRevision, parseHolder, ruleOn, type Asker, type Found, type GroupKeys } from './witness-key.ts'

/** One question to etcd; all reads are linearizable. */
export type EtcdRequest =
  /** Both keys at one revision. */
  | { readonly type: 'read'; readonly keys: GroupKeys }
  | { readonly type: 'grant-lease'; readonly seconds: number }
  /** Only if both keys are of these revisions; else it reads them. */
  | {
      readonly type: 'write'
      readonly keys: GroupKeys
      readonly revisions: GroupKeys
      readonly lease: string
      /** Under the lease. */
      readonly holder: string
      /** Under none. */
      readonly number: string
    }
  | { readonly type: 'keep-alive'; readonly lease: string }
  | { readonly type: 'revoke'; readonly lease: string }
  | { readonly type: 'count'; readonly keySpace: string }
  /** Of the member that answers; without a majority, too. */
  | { readonly type: 'status' }

export type EtcdResult =
  | { readonly type: 'read'; readonly found: Found; readonly term: string }
  | { readonly type: 'lease-granted'; readonly lease: string; readonly seconds: number }
  | { readonly type: 'written' }
  | { readonly type: 'not-written'; readonly found: Found }
  | { readonly type: 'kept-alive'; readonly seconds: number; readonly term: string }
  | { readonly type: 'revoked' }
  | { readonly type: 'no-such-lease' }
  | { readonly type: 'counted' }
  /** What the member complains of, for a person; empty when all is well. */
  | { readonly type: 'status'; readonly complaint: string }
  /** `answered`: etcd said no. Otherwise nobody knows whether it was done. */
  | { readonly type: 'failed'; readonly message: string; readonly answered: boolean }

interface Lease { readonly id: string; readonly sentMs: Millis; readonly lifeMs: Millis }
interface Acquiring { readonly keys: GroupKeys; readonly ask: Extract<WitnessAsk, { type: 'acquire' }> }

export type Conversation = { readonly asker: Asker } & (
  | ({ readonly stage: 'reading' } & Acquiring)
  | ({ readonly stage: 'leasing'; readonly found: Found; readonly number: number } & Acquiring)
  | ({ readonly stage: 'writing'; readonly lease: Lease; readonly number: number; readonly attempt: number } & Acquiring)
  /** The answer is known; the lease that it makes useless is given up first. */
  | { readonly stage: 'leaving'; readonly answer: WitnessAnswer }
  | { readonly stage: 'renewing'; readonly keys: GroupKeys; readonly leaseId: string; readonly attempt: number }
  | { readonly stage: 'checking'; readonly keys: GroupKeys; readonly lease: Lease; readonly term: string; readonly attempt: number }
  | { readonly stage: 'giving-back' }
  | { readonly stage: 'looking' }
  | { readonly stage: 'examining' }
)

export type Step =
  | { readonly next: 'send'; readonly request: EtcdRequest; readonly conversation: Conversation }
  | { readonly next: 'answer'; readonly answer: WitnessAnswer }

/** A write or renewal that met a change is tried once more; whoever loses twice is told so. */
const attempts = 2

export function beginConversation(asker: Asker, group: GroupName | undefined, ask: WitnessAsk): Step {
  if (ask.type === 'look') return send({ type: 'count', keySpace: keySpace(asker.prefix) }, { asker, stage: 'looking' })
  if (ask.type === 'give-back') return send({ type: 'revoke', lease: ask.leaseId }, { asker, stage: 'giving-back' })
  if (group === undefined) return unreachable('a grant was asked for, and for no group')
  const keys = keysOf(asker.prefix, group)
  if (ask.type === 'renew') return renew(asker, keys, ask.leaseId, 1)
  return send({ type: 'read', keys }, { asker, stage: 'reading', keys, ask })
}

/** `sentMs`: when the request that was answered left; of several copies, the one that was answered. */
export function continueConversation(conversation: Conversation, result: EtcdResult, sentMs: Millis): Step {
  if (conversation.stage === 'leaving') return answer(conversation.answer)
  if (result.type === 'failed') return fail(conversation, result.message, result.answered)
  switch (conversation.stage) {
    case 'reading':
      return result.type === 'read' ? leaseIfFree(conversation, result.found) : unexpected(result)
    case 'leasing':
      return result.type === 'lease-granted' ? firstWrite(conversation, result.lease, result.seconds, sentMs) : unexpected(result)
    case 'writing':
      return settleWrite(conversation, result)
    case 'renewing':
      return result.type === 'kept-alive' ? check(conversation, result.seconds, result.term, sentMs) : unexpected(result)
    case 'checking':
      return result.type === 'read' ? settleRenewal(conversation, result.found, result.term) : unexpected(result)
    case 'giving-back':
      return result.type === 'revoked' || result.type === 'no-such-lease' ? answer({ result: 'given-back' }) : unexpected(result)
    case 'looking':
      return result.type === 'counted' ? send({ type: 'status' }, { asker: conversation.asker, stage: 'examining' }) : unexpected(result)
    case 'examining':
      if (result.type !== 'status') return unexpected(result)
      return result.complaint === '' ? answer({ result: 'seen' }) : unreachable(result.complaint)
  }
}

type At<Stage extends Conversation['stage']> = Extract<Conversation, { stage: Stage }>

function leaseIfFree(conversation: At<'reading'>, found: Found): Step {
  const { asker, keys, ask } = conversation
  const ruling = ruleOn(asker, keys, ask, found)
  switch (ruling.ruling) {
    case 'may-write':
      return send({ type: 'grant-lease', seconds: Math.ceil(asker.grantMs / 1_000) }, { asker, keys, ask, stage: 'leasing', found, number: ruling.number })
    case 'held':
      return answer({ result: 'refused', holder: ruling.holder, number: ruling.number })
    case 'unclear':
      return unreachable(ruling.message)
  }
}

function firstWrite(conversation: At<'leasing'>, id: string, seconds: number, sentMs: Millis): Step {
  const { asker, keys, ask, found, number } = conversation
  const lease = { id, sentMs, lifeMs: lifeMs(asker, seconds) }
  return write({ asker, keys, ask, stage: 'writing', lease, number, attempt: 1 }, found)
}

function write(conversation: At<'writing'>, found: Found): Step {
  const { asker, keys, lease, number } = conversation
  const revisions = { holder: found.holder?.revision ?? noRevision, number: found.number?.revision ?? noRevision }
  const holder = formatHolder({ node: asker.self, generation: asker.generation, number })
  return send({ type: 'write', keys, revisions, lease: lease.id, holder, number: String(number) }, conversation)
}

function settleWrite(conversation: At<'writing'>, result: EtcdResult): Step {
  const { asker, keys, ask, lease, attempt } = conversation
  if (result.type === 'written') return granted(lease, conversation.number)
  if (result.type === 'no-such-lease') return unreachable('the new lease ran out before the key was written: etcd is too slow')
  if (result.type !== 'not-written') return unexpected(result)
  const { found } = result
  if (found.holder?.lease === lease.id) {
    const written = parseHolder(found.holder.value)
    return written === undefined ? leave(conversation, unreachableAnswer(`the key ${keys.holder} was changed by somebody else`)) : granted(lease, written.number)
  }
  const ruling = ruleOn(asker, keys, ask, found)
  switch (ruling.ruling) {
    case 'may-write':
      return attempt < attempts ? write({ ...conversation, number: ruling.number, attempt: attempt + 1 }, found) : leave(conversation, unreachableAnswer('its keys changed each time they were to be written'))
    case 'held':
      return leave(conversation, { result: 'refused', holder: ruling.holder, number: ruling.number })
    case 'unclear':
      return leave(conversation, unreachableAnswer(ruling.message))
  }
}

function granted(lease: Lease, number: number): Step {
  return answer({ result: 'granted', leaseId: lease.id, sentMs: lease.sentMs, lifeMs: lease.lifeMs, number })
}

function renew(asker: Asker, keys: GroupKeys, leaseId: string, attempt: number): Step {
  return send({ type: 'keep-alive', lease: leaseId }, { asker, stage: 'renewing', keys, leaseId, attempt })
}

function check(conversation: At<'renewing'>, seconds: number, term: string, sentMs: Millis): Step {
  const { asker, keys, leaseId, attempt } = conversation
  if (seconds <= 0) return answer({ result: 'lost' })
  const lease = { id: leaseId, sentMs, lifeMs: lifeMs(asker, seconds) }
  return send({ type: 'read', keys }, { asker, stage: 'checking', keys, lease, term, attempt })
}

function settleRenewal(conversation: At<'checking'>, found: Found, term: string): Step {
  const { asker, keys, lease, attempt } = conversation
  if (found.holder?.lease !== lease.id) return answer({ result: 'lost' })
  if (term === conversation.term) return answer({ result: 'renewed', sentMs: lease.sentMs, lifeMs: lease.lifeMs })
  return attempt < attempts ? renew(asker, keys, lease.id, attempt + 1) : unreachable('etcd changed its leader while the lease was renewed')
}

/** The smaller of what was asked and answered: etcd raises what is below its own minimum. */
function lifeMs(asker: Asker, seconds: number): Millis {
  return Math.min(asker.grantMs, seconds * 1_000)
}

function fail(conversation: Conversation, message: string, answered: boolean): Step {
  // An unanswered write may have been done, and an unreachable etcd revokes nothing: such a lease ends by itself.
  if (conversation.stage === 'writing' && answered) return leave(conversation, unreachableAnswer(message))
  // Not every member tells its status (roles, older versions); the count before it was answered by a majority.
  if (conversation.stage === 'examining' && answered) return answer({ result: 'seen' })
  return unreachable(message)
}

function leave({ asker, lease }: At<'writing'>, known: WitnessAnswer): Step {
  return send({ type: 'revoke', lease: lease.id }, { asker, stage: 'leaving', answer: known })
}

function send(request: EtcdRequest, conversation: Conversation): Step {
  return { next: 'send', request, conversation }
}

function answer(known: WitnessAnswer): Step {
  return { next: 'answer', answer: known }
}

function unreachableAnswer(message: string): WitnessAnswer {
  return { result: 'unreachable', message }
}

function unreachable(message: string): Step {
  return answer(unreachableAnswer(message))
}

function unexpected(result: EtcdResult): Step {
  return unreachable(`etcd answered another question than was asked (${result.type})`)
}
