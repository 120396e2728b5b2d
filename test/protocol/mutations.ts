/** Damaged and invented datagrams, the same ones for the same seed. */
import { maxDatagramBytes } from '../../src/protocol/fields.ts'

type Random = (below: number) => number

const pieces = [
  '>>>\n', '<<<\n', '###\n', '%%%\n', 'auth=1 ', 'auth=', '\n', '=', ',', ':', '\0', '\x13', '(1)', '(0)', '99999:', '0:', '-1', 'seq=',
  't=status\n',
  'hactlgroups=', '%', ' ', ',h,', 'ffffffffffffffff', '\n>>>\n', 'src=node-a\n', '(9)x=y\n',
].map((piece) => Buffer.from(piece, 'latin1'))

/** One change, or up to four, to a copy of a real packet. It may come out as a real packet again: the caller looks. */
export function mutated(originals: readonly Uint8Array[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(originals[random(originals.length)] ?? [])
  for (let changes = random(2) === 0 ? 1 : 1 + random(4); changes > 0; changes -= 1) bytes = change(bytes, originals, random)
  return bytes
}

function change(bytes: Buffer, originals: readonly Uint8Array[], random: Random): Buffer {
  const at = random(bytes.length + 1)
  const to = at + random(Math.min(40, bytes.length - at) + 1)
  switch (random(12)) {
    // Most changes keep the shape, so that most of what comes out must be found by its signature.
    case 0:
    case 1:
    case 2:
    case 3:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
      return bytes
    case 4:
    case 5:
      if (at < bytes.length) bytes[at] = random(256)
      return bytes
    case 6: return bytes.subarray(0, at)
    case 7: return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    case 8: return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    case 9: return Buffer.concat([bytes.subarray(0, at), pieces[random(pieces.length)] ?? Buffer.alloc(0), bytes.subarray(at)])
    default: {
      const other = originals[random(originals.length)] ?? bytes
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length + 1))])
    }
  }
}

/** Bytes that nothing stands behind: noise, noise behind a header, or pieces of frames in any order. */
export function invented(random: Random): Buffer {
  const kind = random(4)
  if (kind === 0) return Buffer.concat(Array.from({ length: 1 + random(30) }, () => pieces[random(pieces.length)] ?? Buffer.alloc(0)))
  const bytes = Buffer.alloc(random(100) === 0 ? 1 + maxDatagramBytes - random(3) * 500 : random(600))
  for (let n = 0; n < Math.min(bytes.length, 200); n += 1) bytes[n] = random(256)
  if (kind === 1) bytes.write('>>>\n', 'latin1')
  if (kind === 2) bytes.write('###\n', 'latin1')
  return bytes
}
