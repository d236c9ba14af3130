import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { canonicalJson, equalJson, isObject, revisionHash } from './json.ts'

const objects: Record<string, { value: unknown; want: boolean }> = {
  'an object is one': { value: {}, want: true },
  'a map without prototype is one': { value: Object.create(null), want: true },
  'null is none': { value: null, want: false },
  'a list is none': { value: [], want: false },
  'text is none': { value: 'text', want: false },
}
for (const [name, { value, want }] of Object.entries(objects)) test(name, () => assert.equal(isObject(value), want))

const proto = JSON.parse('{"__proto__":{}}') as object
const equalities: Record<string, { a: unknown; b: unknown; want: boolean }> = {
  'the order of members does not count': { a: { x: 1, y: [2] }, b: { y: [2], x: 1 }, want: true },
  'the order of items counts': { a: [1, 2], b: [2, 1], want: false },
  'an undefined member is absent': { a: { x: 1, y: undefined }, b: { x: 1, z: undefined }, want: true },
  'null is not absent': { a: { x: null }, b: {}, want: false },
  'a member more makes a difference': { a: { x: 1 }, b: { x: 1, y: 1 }, want: false },
  'another member in the place of one makes a difference': { a: { x: 1 }, b: { y: 1 }, want: false },
  'a list is not an object': { a: [], b: {}, want: false },
  'a list is no prefix of a longer one': { a: [1], b: [1, undefined], want: false },
  'a number is not its text': { a: 1, b: '1', want: false },
  'zero is not false': { a: 0, b: false, want: false },
  'null is no empty object': { a: null, b: {}, want: false },
  'a member called __proto__ is not what every object inherits': { a: proto, b: { x: 1 }, want: false },
  'a member called __proto__ equals its like': { a: proto, b: JSON.parse('{"__proto__":{}}'), want: true },
  'a member called constructor is not what every object inherits': { a: { constructor: {} }, b: { x: 1 }, want: false },
}
for (const [name, { a, b, want }] of Object.entries(equalities)) {
  test(name, () => assert.deepEqual([equalJson(a, b), equalJson(b, a)], [want, want]))
}

/** Small enough that two of them are often alike; the names are those that trip one up. */
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, 1, '', 'x'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', '1', '__proto__', 'constructor'), tie('value')), { maxLength: 2 })
      .map((members): unknown => Object.fromEntries(members)),
  ),
})).value

test('equal JSON is what Node calls deeply equal', () => {
  fc.assert(fc.property(json, json, (a, b) => equalJson(a, b) === isDeepStrictEqual(a, b)))
  fc.assert(fc.property(json, (a) => equalJson(a, JSON.parse(JSON.stringify(a)))))
})

const texts: Record<string, { value: unknown; want: string }> = {
  'members are sorted at every depth': { value: { b: [{ d: 1, c: 2 }], a: 0 }, want: '{"a":0,"b":[{"c":2,"d":1}]}' },
  'what says nothing is left out': { value: { a: undefined, b: null, c: {}, d: { e: null }, f: 1 }, want: '{"f":1}' },
  'an empty list says something, as do zero, false and the empty text': {
    value: { a: [], b: 0, c: false, d: '' },
    want: '{"a":[],"b":0,"c":false,"d":""}',
  },
  'items keep their places': { value: [1, null, {}, undefined, 2], want: '[1,null,null,null,2]' },
  'nothing is null': { value: {}, want: 'null' },
  '__proto__ is a name like others': { value: JSON.parse('{"__proto__":1}'), want: '{"__proto__":1}' },
}
for (const [name, { value, want }] of Object.entries(texts)) {
  test(name, () => assert.equal(canonicalJson(value), want))
}

test('canonical JSON depends on meaning alone, and is a fixed point', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (!isObject(value)) return value
    const members = Object.entries(value).map(([name, member]) => [name, shuffled(member)] as const)
    return { nothing: null, ...Object.fromEntries(members.reverse()), empty: {} }
  }
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value)
      assert.equal(canonicalJson(JSON.parse(text)), text)
      if (isObject(value)) assert.equal(canonicalJson(shuffled(value)), text)
    }),
  )
})

test('a revision is ten harmless characters, the same for the same meaning, for ever', () => {
  assert.equal(revisionHash({ b: 1, a: [true] }), revisionHash({ a: [true], b: 1, c: null }))
  assert.notEqual(revisionHash({ a: 1 }), revisionHash({ a: 2 }))
  // Stored in labels of pods that run: a change here restarts every one of them.
  assert.equal(revisionHash({ image: 'vllm/vllm-openai:v0.11.0', replicas: 2 }), '5xmt8jzhxd')
  fc.assert(fc.property(json, (value) => /^[b-df-hj-np-tv-xz2-9]{10}$/.test(revisionHash(value))))
})
