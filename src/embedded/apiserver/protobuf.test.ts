import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { decodeProtobuf } from './protobuf.ts'

/** Objects as Kubernetes' own Go library (v0.36.3) writes them, in both forms. */
const text = readFileSync(new URL('./testdata/protobuf.json', import.meta.url), 'utf8')
/** A time that is not set, which Go writes as null, is left out. */
const samples = JSON.parse(text, (name, value: unknown) => (name === 'lastProbeTime' ? undefined : value)) as readonly {
  readonly protobuf: string
  readonly json: { readonly kind: string }
}[]

for (const { protobuf, json } of samples) {
  test(`a ${json.kind} from Go reads as the JSON that Go writes`, () => {
    assert.deepEqual(decodeProtobuf(Buffer.from(protobuf, 'base64')), json)
  })
}

const refused: Record<string, string> = {
  'no magic number': Buffer.from('{}').toString('base64'),
  'nothing after the magic number': Buffer.from('k8s\0').toString('base64'),
  'a kind that is not known': Buffer.from('k8s\0\n\r\n\x02v1\x12\x07Nothing').toString('base64'),
}
for (const [name, base64] of Object.entries(refused)) {
  test(`a body with ${name} is refused`, () => {
    assert.throws(() => decodeProtobuf(Buffer.from(base64, 'base64')), isBad)
  })
}

test('a body with any of its bytes changed, lost or doubled is read or refused, never a bug', () => {
  const bodies = samples.map(({ protobuf }) => Buffer.from(protobuf, 'base64'))
  fc.assert(
    fc.property(
      fc.constantFrom(...bodies),
      fc.nat(),
      fc.nat(3),
      fc.uint8Array({ maxLength: 3 }),
      (body, at, skip, put) => {
        const i = 4 + (at % (body.length - 4))
        try {
          decodeProtobuf(Buffer.concat([body.subarray(0, i), put, body.subarray(i + skip)]))
        } catch (error) {
          assert.ok(isBad(error), String(error))
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

function isBad(error: unknown): boolean {
  return isFault(error, 'invalid') && error.code === 'BadProtobuf'
}

test('a long list is read in one go', () => {
  const field = (number: number, bytes: Uint8Array): Buffer => {
    const length: number[] = []
    for (let left = bytes.length; length.length === 0 || left > 0; left >>>= 7)
      length.push((left & 127) | (left > 127 ? 128 : 0))
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
  }
  const word = (text: string): Buffer => Buffer.from(text)
  const count = 400_000
  const finalizers = Buffer.concat(Array.from({ length: count }, () => field(14, word('a/b'))))
  const type = field(1, Buffer.concat([field(1, word('v1')), field(2, word('ConfigMap'))]))
  const body = Buffer.concat([word('k8s\0'), type, field(2, field(1, finalizers))])
  const { metadata } = decodeProtobuf(body) as { metadata: { finalizers: string[] } }
  assert.equal(metadata.finalizers.length, count)
})
