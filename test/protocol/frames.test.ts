import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { classicFrame, classicLines } from '../../src/protocol/classic-frame.ts'
import { crc32 } from '../../src/protocol/crc.ts'
import { decodeDatagram } from '../../src/protocol/datagram.ts'
import { maxFields, type Field } from '../../src/protocol/fields.ts'
import { decodeFrame } from '../../src/protocol/framing.ts'
import { signLines } from '../../src/protocol/signature.ts'
import { keyringOf, netstringFrame, sha1 } from './samples.ts'

const control = 'src=node2\n(1)srcuuid=ChssPU5fYHGCk6S1xtfo+Q==\n'
const directed = '(1)destuuid=ERERESIiQzOERFVVVVVVVQ==\n'
const stamp = 'hg=65f0c3a3\nts=65f0d000\n'
const load = 'ld=0.00 0.01 0.05 1/123 4567\n'

/** The examples of heartbeat-3.md section 11.6, each accepted by the Debian parser: type, lines, signature, length. */
const examples: [title: string, lines: string, digest: string, length: number][] = [
  ['status init', `t=status\nst=init\ndt=7d00\nprotocol=1\n${control}seq=1\n${stamp}${load}ttl=3\n`,
    '6e991fbac60325925fa6f7f04b7b55333bb9b607', 203],
  ['status up', `t=status\nst=up\ndt=7d00\nprotocol=1\n${control}seq=2\n${stamp}${load}ttl=3\n`,
    'd097b36db253bea8450f553bd644593eb1b23a05', 201],
  ['reqnodes', `t=reqnodes\ndest=node1\n${directed}${control}seq=3\n${stamp}${load}ttl=3\n`, '973a4c2627ec25721e744f1217c6cde5fccdb332',
    226],
  ['repnodes', `dest=node1\nt=repnodes\nnodelist=node1 node2 \ndelnodelist= \n${directed}${control}seq=4\n${stamp}${load}ttl=3\n`,
    '7c4509de10d618fd871e25d427752d9d824421ba', 262],
  ['status active', `t=status\nst=active\ndt=7530\nprotocol=1\n${control}seq=5\n${stamp}${load}ttl=3\n`,
    'b0c02aa7b7e618c7a16f23ad441c96349593400f', 205],
  ['starting', `t=starting\n${control}seq=6\n${stamp}${load}ttl=3\n`, 'fb0d78f374e901c10e5832c696db10c7a771e4be', 178],
  ['resource', `t=resource\nrsc_hold=none\nrtype=full\nisstable=1\n${control}seq=7\n${stamp}${load}ttl=3\n`,
    '29f629b37a4e1e857d8f6213ff01762f0060fc0c', 214],
  ['ackmsg', `t=NS_ackmsg\ndest=node1\nackseq=2a\n${directed}${control}${stamp}ttl=3\n`, 'd73e6a3e5244a9dc7d384542b573ffa219414d80', 202],
  ['rexmit', `t=NS_rexmit\ndest=node1\nfirstseq=43\nlastseq=43\n${directed}${control}${stamp}ttl=3\n`,
    '10c5639a64466873bf368efd2f29f843999612d4', 215],
  ['nak_rexmit', `t=NS_nak_rexmit\nfirstseq=2b\ndest=node1\ninfo=seqno too low\n${directed}${control}${stamp}ttl=3\n`,
    'f3222dcaa75297afedaebd6306e946cc86184cf7', 227],
  ['ask me', `t=ask_resources\nrsc_hold=local\ninfo=me\n${control}seq=8\n${stamp}${load}ttl=3\n`,
    '5a6a522b05fcafcdc0f5c38a550ad827b48b72db', 206],
  ['ask other', `t=ask_resources\nrsc_hold=foreign\ninfo=other\n${control}seq=9\n${stamp}${load}ttl=3\n`,
    'd70da6552b0321d91ac59015b2bbbd7feeff1436', 211],
  ['ask done', `t=ask_resources\nrsc_hold=foreign\ninfo=done\n${control}seq=a\n${stamp}${load}ttl=3\n`,
    '4776b76376bb1dea9f2410c4bf53acdd7b1115a0', 210],
  ['resource standby', `t=resource\nrsc_hold=none\nrtype=full\nisstable=0\ninfo=standby\n${control}seq=b\n${stamp}${load}ttl=3\n`,
    '4c675a7c7264ae8a3a0483fa70b90db2e042311a', 227],
  ['hb_takeover', `t=hb_takeover\nrsc_hold=local\n${control}seq=c\n${stamp}${load}ttl=3\n`, 'c401f1b065cbeb82970330182e0e7ac9cc463f67',
    196],
  ['resource shutdown', `t=resource\nrsc_hold=none\nrtype=full\nisstable=0\ninfo=shutdown\n${control}seq=d\n${stamp}${load}ttl=3\n`,
    '9fdb400e0908447a8997b7b44140fa8d9752693a', 228],
  ['shutdone', `t=shutdone\nst=dead\n${control}seq=e\n${stamp}${load}ttl=3\n`, 'afcaece88912f4d3cdca948c7ce0a4bf5e1c202d', 186],
  ['ip-request', `t=ip-request\nipaddr=10.0.0.1\n${control}seq=f\n${stamp}${load}ttl=3\n`, '6fc80eac77e29b60b865dc7b2ab2637f5577be60',
    196],
  ['ip-request-resp',
    `t=ip-request-resp\ndest=node1\nipaddr=10.0.0.1\nweown=yes\nok=OK\n${directed}${control}seq=10\n${stamp}${load}ttl=3\n`,
    '0ca336bc2107b786fbf773c438bd5f1beeebfbd8', 266],
]

function fieldsOf(bytes: Uint8Array): readonly Field[] {
  const frame = decodeFrame(bytes)
  if (frame.result !== 'frame') throw new Error(frame.reason)
  return frame.fields
}

for (const [title, lines, digest, length] of examples) {
  test(`the example ${title} is read and written byte for byte`, () => {
    const bytes = Buffer.from(`>>>\n${lines}auth=1 ${digest}\n<<<\n`, 'latin1')
    expect(bytes.length).toBe(length)
    expect(decodeDatagram(bytes, sha1).result).not.toBe('refused')
    const fields = fieldsOf(bytes)
    const written = classicLines(fields) ?? ''
    const signature = signLines(written, sha1, 'sha1')
    if ('cause' in signature) throw new Error(signature.reason)
    expect(Buffer.from(classicFrame(written, signature))).toEqual(bytes)
    // With the NUL that a Heartbeat appends it is the same packet, with anything else there it is none.
    expect(decodeDatagram(Buffer.concat([bytes, Buffer.of(0)]), sha1).result).not.toBe('refused')
    expect(decodeDatagram(Buffer.concat([bytes, Buffer.of(10)]), sha1).result).toBe('refused')
    const netstring = netstringFrame(fields, 'sha1', 'secret', 1)
    expect(fieldsOf(netstring)).toEqual(fields)
    expect(decodeDatagram(netstring, sha1)).toMatchObject({ framing: 'netstring', keyIndex: 1, method: 'sha1' })
  })
}

describe('the netstring example of the status active', () => {
  const hex = [
    '2323230a31313a283029743d7374617475732c31323a28302973743d6163746976652c31303a2830',
    '2964743d373533302c31333a28302970726f746f636f6c3d312c31323a283029737263',
    '3d6e6f6465322c32373a283129737263757569643d0a1b2c3d4e5f60718293a4b5c6d7e8f92c383a',
    '2830297365713d352c31343a28302968673d36356630633361332c31343a2830297473',
    '3d36356630643030302c33313a2830296c643d302e303020302e303120302e303520312f31323320',
    '343536372c383a28302974746c3d332c35303a283029617574683d3120623063303261',
    '613762376536313863376131366632336164343431633936333439353933343030662c2525250a34',
    '323a312032303634363733656162393331326366366561613032316339366130346331',
    '3566383161643131372c',
  ].join('')
  const bytes = Buffer.from(hex, 'hex')
  const classic = Buffer.from(`>>>\n${examples[4]?.[1]}auth=1 ${examples[4]?.[2]}\n<<<\n`, 'latin1')

  test('has the fields of the classic one and verifies', () => {
    expect(bytes.length).toBe(310)
    expect(decodeDatagram(bytes, sha1)).toMatchObject({ result: 'packet', framing: 'netstring',
      packet: { id: { generation: 0x65f0c3a3, sequence: 5 }, deadtimeMs: 30_000 } })
    expect(fieldsOf(bytes)).toEqual(fieldsOf(classic))
  })
  test('is written as it is, with and without the inner signature', () => {
    expect(netstringFrame(fieldsOf(bytes), 'sha1', 'secret', 1)).toEqual(bytes)
    const bare = netstringFrame(fieldsOf(bytes).filter(({ name }) => name !== 'auth'), 'sha1', 'secret', 1)
    expect(bare.toString('latin1').endsWith('42:1 2d7012f98d9670ed5642d8a29f0ff7155e95afd2,')).toBe(true)
    expect(decodeDatagram(bare, sha1).result).toBe('packet')
  })
})

test('crc is that of heartbeat-3.md, in one part or in several', () => {
  const text = Buffer.from('t=status\nst=active\n')
  expect(crc32([text]).toString(16)).toBe('b7e1ed97')
  expect(crc32([text.subarray(0, 3), text.subarray(3)])).toBe(crc32([text]))
})

function signedClassic(lines: string, place: 'first' | 'last', key = 'secret'): Buffer {
  const auth = `auth=1 ${createHmac('sha1', key).update(lines, 'latin1').digest('hex')}\n`
  return Buffer.from(`>>>\n${place === 'first' ? auth + lines : lines + auth}<<<\n`, 'latin1')
}

const statusLines = examples[4]?.[1] ?? ''

test('the signature may stand anywhere among the fields of a classic frame', () => {
  expect(decodeDatagram(signedClassic(statusLines, 'first'), sha1)).toMatchObject({ result: 'packet', packet: { from: 'node2' } })
  const [head, tail] = [statusLines.slice(0, 9), statusLines.slice(9)]
  const digest = examples[4]?.[2]
  expect(decodeDatagram(Buffer.from(`>>>\n${head}auth=1 ${digest}\n${tail}<<<\n`), sha1).result).toBe('packet')
  expect(decodeDatagram(Buffer.from(`>>>\n${tail}auth=1 ${digest}\n${head}<<<\n`), sha1)).toMatchObject({ cause: 'bad-signature' })
})

test('a newline in a value travels as byte 19 and comes back', () => {
  const lines = classicLines([{ name: 't', type: 0, value: 'a\nb' }])
  expect(lines).toBe('t=a\x13b\n')
  expect(fieldsOf(signedClassic(lines ?? '', 'last'))[0]).toEqual({ name: 't', type: 0, value: 'a\nb' })
})

const unwritable: Field[] = [
  { name: '', type: 0, value: 'x' }, { name: 'a=b', type: 0, value: 'x' }, { name: '(0)a', type: 0, value: 'x' },
  { name: 'a b', type: 0, value: 'x' },
  { name: 'a', type: 0, value: 'x\x13' }, { name: 'a', type: 0, value: 'x\0' }, { name: 'a', type: 3, value: 'x\ny' },
  { name: 'a'.repeat(65), type: 0, value: 'x' },
]
test('a field that a classic line cannot hold is not written', () => {
  for (const field of unwritable) expect(classicLines([field]), JSON.stringify(field)).toBeUndefined()
})

const many = 'a=\n'.repeat(maxFields - 1)
const verdicts: [title: string, bytes: Buffer, cause: string | undefined][] = [
  ['an empty datagram', Buffer.alloc(0), 'malformed'],
  ['three bytes', Buffer.from('>>>'), 'malformed'],
  ['a header alone', Buffer.from('>>>\n'), 'malformed'],
  ['a netstring header alone', Buffer.from('###\n'), 'malformed'],
  ['a frame without fields', Buffer.from('>>>\n<<<\n'), 'unsigned'],
  ['a netstring frame without fields', Buffer.from('###\n%%%\n'), 'unsigned'],
  ['a classic frame without a signature', Buffer.from(`>>>\n${statusLines}<<<\n`), 'unsigned'],
  ['a blank line', signedClassic(`\n${statusLines}`, 'last'), 'malformed'],
  ['a line without =', signedClassic(`hello\n${statusLines}`, 'last'), 'malformed'],
  ['a type that is none', signedClassic(`(7)a=b\n${statusLines}`, 'last'), 'malformed'],
  ['a string with its type written', signedClassic(`(0)a=b\n${statusLines}`, 'last'), 'malformed'],
  ['base64 in another spelling', signedClassic(`(1)a=QQ\n${statusLines}`, 'last'), 'malformed'],
  ['a NUL in a value', signedClassic(`a=b\0c\n${statusLines}`, 'last'), 'malformed'],
  ['two signatures', Buffer.from(`>>>\n${statusLines}auth=1 ab\nauth=1 ab\n<<<\n`), 'malformed'],
  ['a key index of 16', Buffer.from(`>>>\n${statusLines}auth=16 ab\n<<<\n`), 'malformed'],
  ['a key index with a zero before it', Buffer.from(`>>>\n${statusLines}auth=01 ab\n<<<\n`), 'malformed'],
  ['a key index that is not there', Buffer.from(`>>>\n${statusLines}auth=15 ab\n<<<\n`), 'unknown-key'],
  ['a digest in capitals', Buffer.from(`>>>\n${statusLines}auth=1 ${examples[4]?.[2].toUpperCase()}\n<<<\n`), 'bad-signature'],
  ['as many fields as there may be', signedClassic(many, 'last'), 'missing-field'],
  ['one field more', signedClassic(`${many}a=\n`, 'last'), 'too-large'],
  ['a datagram of 65,508 bytes', Buffer.alloc(65_508, '>>>\n'), 'too-large'],
  ['a netstring longer than its datagram', Buffer.from('###\n99999999:(0)t=x,%%%\n'), 'malformed'],
  ['a netstring with a zero before its length', Buffer.from('###\n07:(0)t=ab,%%%\n4:1 ab,'), 'malformed'],
  ['a signature with a zero before its length',
    Buffer.from(netstringFrame([], 'sha1', 'secret', 1).toString('latin1').replace('42:', '042:')), 'malformed'],
  ['a netstring without a type', Buffer.from('###\n4:t=ab,%%%\n4:1 ab,'), 'malformed'],
  ['a netstring without =', Buffer.from('###\n5:(0)ta,%%%\n4:1 ab,'), 'malformed'],
  ['a netstring frame with a byte after it', Buffer.concat([netstringFrame([], 'sha1', 'secret', 1), Buffer.of(0)]), 'malformed'],
  ['a netstring string with a NUL', netstringFrame([{ name: 'a', type: 0, value: 'b\0' }], 'sha1', 'secret', 1), 'malformed'],
]

describe('what is no packet is refused for what it is', () => {
  for (const [title, bytes, cause] of verdicts) {
    test(title, () => expect(decodeDatagram(bytes, sha1)).toMatchObject({ result: 'refused', cause }))
  }
})

describe('a signed message that cannot be is refused', () => {
  const cases: [from: string, to: string, cause: string][] = [
    ['ts=65f0d000', 'ts=0', 'bad-field'], ['ts=65f0d000', 'at=1', 'missing-field'], ['seq=5', 'seq=5g', 'bad-field'],
    ['seq=5', 'seq=100000000', 'bad-field'],
    ['seq=5', 'sec=5', 'missing-field'], ['hg=65f0c3a3', 'hg=-1', 'bad-field'], ['src=node2', 'src=', 'bad-field'],
    ['src=node2', 'src=a b', 'bad-field'],
    ['st=active', 'st=dead', 'bad-field'], ['st=active', 'st=', 'bad-field'], ['dt=7530', 'dt=1ffffffff', 'bad-field'],
    ['dt=7530\n', '', 'missing-field'],
    ['t=status', 't=', 'bad-field'], ['t=status', `t=${'s'.repeat(32)}`, 'bad-field'],
    ['t=status', '(1)_compressed_payload=QQ==\nt=status', 'compressed'],
    ['protocol=1', 'hactl=1', 'bad-facts'], ['t=status', 't=NS_status', 'none'],
  ]
  for (const [from, to, cause] of cases) {
    test(`${from.trim()} as ${JSON.stringify(to.slice(0, 20))}: ${cause}`, () => {
      const decoded = decodeDatagram(signedClassic(statusLines.replace(from, to), 'last'), sha1)
      expect(decoded.result === 'refused' ? decoded.cause : 'none').toBe(cause)
    })
  }
})

describe('signatures', () => {
  const two = { active: 2, allowCrc: false,
    keys: [{ index: 1, method: 'sha1', key: 'secret' }, { index: 2, method: 'md5', key: 'next' }] } as const
  test('two keys are accepted at once, the active one signs', () => {
    const signature = signLines(statusLines, two, 'md5')
    if ('cause' in signature) throw new Error(signature.reason)
    expect(signature.index).toBe(2)
    expect(decodeDatagram(classicFrame(statusLines, signature), two)).toMatchObject({ result: 'packet', keyIndex: 2, method: 'md5' })
    expect(decodeDatagram(signedClassic(statusLines, 'last'), two)).toMatchObject({ result: 'packet', keyIndex: 1, method: 'sha1' })
  })
  test('sha256 is accepted for the text of any key but crc, and only sha256 for a key of sha256', () => {
    const signature = signLines(statusLines, sha1, 'sha256')
    if ('cause' in signature) throw new Error(signature.reason)
    expect(signature.digest).toBe(createHmac('sha256', 'secret').update(statusLines).digest('hex'))
    const bytes = classicFrame(statusLines, signature)
    for (const method of ['sha1', 'md5', 'sha256'] as const) {
      expect(decodeDatagram(bytes, keyringOf(method, 'secret'))).toMatchObject({ result: 'packet', method: 'sha256' })
    }
    expect(decodeDatagram(bytes, keyringOf('crc'))).toMatchObject({ cause: 'bad-signature' })
    expect(decodeDatagram(signedClassic(statusLines, 'last'), keyringOf('sha256', 'secret'))).toMatchObject({ cause: 'bad-signature' })
  })
  test('crc neither signs nor is accepted unless allowed', () => {
    const allowed = keyringOf('crc')
    const signature = signLines(statusLines, allowed, 'crc')
    if ('cause' in signature) throw new Error(signature.reason)
    const bytes = classicFrame(statusLines, signature)
    expect(decodeDatagram(bytes, allowed)).toMatchObject({ result: 'packet', method: 'crc' })
    expect(decodeDatagram(bytes, { ...allowed, allowCrc: false })).toMatchObject({ cause: 'method-refused' })
    expect(signLines(statusLines, { ...allowed, allowCrc: false }, 'crc')).toMatchObject({ cause: 'method-refused' })
    expect(signLines(statusLines, allowed, 'sha256')).toMatchObject({ cause: 'method-refused' })
    expect(signLines(statusLines, sha1, 'md5')).toMatchObject({ cause: 'method-refused' })
    expect(signLines(statusLines, { ...sha1, active: 3 }, 'sha1')).toMatchObject({ cause: 'unknown-key' })
  })
})
