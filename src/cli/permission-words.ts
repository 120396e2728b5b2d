/** The proofs on which a group is held (design.md section 5), as they stand in a sentence: `held by ...`. */
import type { Permission } from '../core/state.ts'

export const permissionWords: Readonly<Record<Permission, string>> = {
  consent: 'consent of the peer',
  'deadtime-alone': 'deadtime alone (no witness, no fencing)',
  'peer-left': 'the goodbye of the peer',
  will: 'the last will of the peer\'s daemon',
  fenced: 'confirmed fencing of the peer',
  witness: 'a grant of the witness',
  vouched: 'an administrator\'s word that nothing of it runs on the peer',
}

export function isPermission(word: unknown): word is Permission {
  return typeof word === 'string' && word in permissionWords
}
