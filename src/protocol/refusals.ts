/** Why a datagram is not used. A closed list: each cause is counted by itself and has one sentence for the person who is paged. */

export const refusalCauses = [
  'too-large', 'malformed', 'unsigned', 'unknown-key', 'method-refused', 'bad-signature', 'compressed', 'missing-field', 'bad-field',
  'bad-facts', 'unsequenced', 'own-packet', 'name-conflict', 'foreign-node', 'old-generation', 'stale',
] as const

export type RefusalCause = (typeof refusalCauses)[number]

/** `reason` names the rule that was broken; it never quotes the datagram, which anyone on the network may have written. */
export interface Refused { readonly result: 'refused'; readonly cause: RefusalCause; readonly reason: string }

export function refuse(cause: RefusalCause, reason: string): Refused {
  return { result: 'refused', cause, reason }
}

/** What each cause means and what to look at next. Completes "dropped a packet (CAUSE): ...". */
export const refusalSentences: Readonly<Record<RefusalCause, string>> = {
  'too-large': 'it is larger, or has more fields, than any packet of a pair; something else sends to this port',
  malformed: 'it is no Heartbeat frame; something else sends to this port, or a packet was damaged on the way',
  unsigned: 'it carries no signature; something that does not know authkeys sends to this port',
  'unknown-key': 'it is signed with a key index that authkeys does not have; compare authkeys on both nodes',
  'method-refused': 'its signature method is not accepted; crc needs allow_crc: true, and a peer that has changed to sha256 stays with it',
  'bad-signature':
    'its signature is wrong; compare the keys in authkeys on both nodes, or another pair with other keys uses this network and port',
  compressed: 'it is compressed; set "traditional_compression off" in ha.cf of the peer',
  'missing-field': 'a field that every packet of a pair has is missing; look at the version of the peer',
  'bad-field': 'a field has a value that cannot be; look at the version of the peer',
  'bad-facts': 'its additional fields cannot be read; look whether both nodes run the same version of hactl',
  unsequenced: 'it is of the part of the classic dialogue that has no sequence numbers, which is used with a real Heartbeat only',
  'own-packet': 'it is our own, heard again',
  'name-conflict':
    'it carries this node\'s name but was not sent by this daemon; two hosts have one name, or old packets are being replayed',
  'foreign-node':
    'it is of a node that this configuration does not name; compare the node lines, or give each pair its own udpport or keys',
  'old-generation':
    'its generation is older than one already heard; it was replayed, or the peer counts anew, as after a return to Heartbeat (then stop ' +
    'hactl here, set "peerGeneration" in its state.json to 0, and start it)',
  stale: 'a newer packet of the same daemon was used before; it was delayed or replayed',
}
