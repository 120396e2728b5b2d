/** How one group stands in the field `hactlgroups`: `NAME,STATE[c][OFFER][f][p][g],CLAIM[,HELD]`. */
import type { AdvertisedGroup, AdvertisedState, OfferReason } from '../core/packet.ts'
import { formatHex, formatWord, parseHex, parseWord } from './values.ts'

const stateLetters: Readonly<Record<AdvertisedState, string>> = {
  unknown: 'u', stopped: 's', starting: 'a', held: 'h', stopping: 'r', unclean: 'x',
}
const offerLetters: Readonly<Record<OfferReason, string>> = { admin: 'A', standby: 'S', failback: 'B', failed: 'F', leaving: 'L', connectivity: 'N' }
const states = new Map(Object.entries(stateLetters).map(([state, letter]) => [letter, state as AdvertisedState]))
const offers = new Map(Object.entries(offerLetters).map(([offer, letter]) => [letter, offer as OfferReason]))

const shape = /^([usahrx])(c?)([ASBFLN]?)(f?)(p?)(g?)$/

export function formatGroup(group: AdvertisedGroup): string | undefined {
  const name = formatWord(group.name)
  const claim = formatHex(group.claimNumber, Number.MAX_SAFE_INTEGER)
  if (name === undefined || claim === undefined) return undefined
  const offer = group.offer === undefined ? '' : offerLetters[group.offer]
  const marks = [
    group.claiming ? 'c' : '', offer, group.failed ? 'f' : '', group.pinned ? 'p' : '', group.granted === true ? 'g' : '',
  ].join('')
  const held = group.heldMs === undefined ? '' : formatHex(Math.round(group.heldMs), Number.MAX_SAFE_INTEGER)
  if (held === undefined) return undefined
  return `${name},${stateLetters[group.state]}${marks},${claim}${held === '' ? '' : `,${held}`}`
}

export function parseGroup(word: string): AdvertisedGroup | undefined {
  const parts = word.split(',', 5)
  const name = parseWord(parts[0] ?? '')
  const [, stateLetter, claiming, offerLetter, failed, pinned, granted] = shape.exec(parts[1] ?? '') ?? []
  const claimNumber = parseHex(parts[2] ?? '', Number.MAX_SAFE_INTEGER)
  const heldMs = parts[3] === undefined ? undefined : parseHex(parts[3], Number.MAX_SAFE_INTEGER)
  const state = states.get(stateLetter ?? '')
  if (parts.length < 3 || parts.length > 4 || (parts.length === 4 && heldMs === undefined) || name === undefined || state === undefined || claimNumber === undefined) return undefined
  const offer = offers.get(offerLetter ?? '')
  return {
    name, state, claimNumber, claiming: claiming === 'c', failed: failed === 'f', pinned: pinned === 'p',
    ...(offer === undefined ? {} : { offer }),
    ...(heldMs === undefined ? {} : { heldMs }),
    ...(granted === 'g' ? { granted: true } : {}),
  }
}
