/** The frames that tell the neighbours where an address is now: gratuitous ARP and unsolicited neighbour advertisement. */

const broadcastMac = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
/** ff02::1, all nodes, and its Ethernet address. */
const allNodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
const allNodesMac = [0x33, 0x33, 0, 0, 0, 1]
const neighbourAdvertisement = 136
const overrideFlag = 0x20
const routerFlag = 0x80

/** RFC 5227 section 3: some switches and hosts heed only the request form, some only the reply; both are sent. */
export function arpFrame(operation: 'request' | 'reply', mac: Uint8Array, ip: Uint8Array): Uint8Array {
  const reply = operation === 'reply'
  const target = reply ? broadcastMac : [0, 0, 0, 0, 0, 0]
  return Uint8Array.from([
    ...broadcastMac, ...mac, 0x08, 0x06,
    0, 1, 0x08, 0, 6, 4, 0, reply ? 2 : 1, ...mac, ...ip, ...target, ...ip,
  ])
}

/** RFC 4861 section 4.4, with the override flag: neighbours replace what they had. A router that does not say so is forgotten as one. */
export function advertisementFrame(mac: Uint8Array, ip: Uint8Array, router: boolean): Uint8Array {
  const message = [neighbourAdvertisement, 0, 0, 0, overrideFlag | (router ? routerFlag : 0), 0, 0, 0, ...ip, 2, 1, ...mac]
  const pseudoHeader = [...ip, ...allNodes, 0, 0, 0, message.length, 0, 0, 0, 58]
  const sum = checksum([...pseudoHeader, ...message])
  message[2] = sum >> 8
  message[3] = sum & 255
  return Uint8Array.from([
    ...allNodesMac, ...mac, 0x86, 0xdd,
    0x60, 0, 0, 0, 0, message.length, 58, 255, ...ip, ...allNodes, ...message,
  ])
}

/** RFC 1071. The length is even here. */
function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < bytes.length; index += 2) sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}
