import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import {
  decodeFields,
  difference,
  encodeFields,
  equalFields,
  intersection,
  isEmpty,
  isSubset,
  noFields,
  pathsOf,
  union,
} from './field-set.ts'
import type { FieldSet } from './field-set.ts'

const fieldsV1 = {
  'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
  'f:spec': {
    'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} } },
    'f:finalizers': { 'v:"a"': {} },
    'f:args': { 'i:0': {} },
  },
}

function decode(fields: unknown): FieldSet {
  const set = decodeFields(fields)
  assert.ok(set)
  return set
}

test('fields are printed as paths in the words of an API server', () => {
  assert.deepEqual(pathsOf(decode(fieldsV1)), [
    '.metadata.labels',
    '.metadata.labels.app',
    '.spec.args[0]',
    '.spec.finalizers[="a"]',
    '.spec.ports[containerPort=80,protocol="TCP"]',
    '.spec.ports[containerPort=80,protocol="TCP"].name',
  ])
})

test('fieldsV1 comes back as it was, sorted', () => {
  const text = JSON.stringify(encodeFields(decode(fieldsV1)))
  assert.deepEqual(JSON.parse(text), fieldsV1)
  assert.ok(text.indexOf('f:args') < text.indexOf('f:finalizers'))
})

test('a list-map key is the same key in any order of its members', () => {
  assert.ok(equalFields(decode({ 'k:{"b":1,"a":"x"}': {} }), decode({ 'k:{ "a": "x", "b": 1.0 }': {} })))
})

for (const malformed of [
  null,
  [],
  'x',
  { x: {} },
  { 'q:x': {} },
  { 'f:x': 1 },
  { 'k:{': {} },
  { 'k:1': {} },
  { 'v:': {} },
  { 'i:x': {} },
]) {
  test(`malformed fieldsV1 ${JSON.stringify(malformed)} is told apart`, () =>
    assert.equal(decodeFields(malformed), undefined))
}

const { fields } = fc.letrec((tie) => ({
  fields: fc.dictionary(fc.constantFrom('.', 'f:a', 'f:b', 'v:"x"', 'k:{"n":1}', 'i:0'), tie('child'), { maxKeys: 4 }),
  child: fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('fields')),
}))
const set = fields.map(decode)

test('sets obey the laws of sets', () => {
  fc.assert(
    fc.property(set, set, (a, b) => {
      assert.ok(equalFields(union(difference(a, b), intersection(a, b)), a))
      assert.ok(isEmpty(intersection(difference(a, b), b)))
      assert.ok(isSubset(a, union(a, b)) && isSubset(intersection(a, b), a))
      assert.equal(isSubset(a, b), isEmpty(difference(a, b)))
      assert.ok(equalFields(union(a, b), union(b, a)))
      assert.deepEqual(new Set(pathsOf(union(a, b))), new Set([...pathsOf(a), ...pathsOf(b)]))
      assert.ok(equalFields(union(a, noFields), a))
      const withoutSelf = difference(a, { member: true, children: new Map() })
      assert.ok(equalFields(decode(encodeFields(withoutSelf)), withoutSelf))
    }),
  )
})
