import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { applyMergePatch, createMergePatch } from './merge-patch.ts'

/** Those of RFC 7386, appendix A, whose patch is an object. */
const cases: readonly (readonly [document: unknown, patch: unknown, want: unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]
for (const [document, patch, want] of cases) {
  test(`merge patch ${JSON.stringify(patch)} makes ${JSON.stringify(document)} ${JSON.stringify(want)}`, () => {
    const before = structuredClone([document, patch])
    assert.deepEqual(applyMergePatch(document, patch), want)
    assert.deepEqual([document, patch], before)
  })
}

test('a merge patch that is no object is refused', () => {
  for (const patch of [null, 1, 'x', [], undefined]) {
    assert.throws(
      () => applyMergePatch({}, patch),
      (error) => isFault(error, 'invalid'),
    )
  }
})

test('a created merge patch names only what differs', () => {
  const from = { a: 1, b: { c: 2, d: [1, 2] }, e: 3 }
  assert.deepEqual(createMergePatch(from, { a: 1, b: { c: 3, d: [1, 2] }, f: 4 }), { b: { c: 3 }, e: null, f: 4 })
  assert.deepEqual(createMergePatch(from, structuredClone(from)), {})
})

const name = fc.constantFrom('a', 'b', 'c', 'constructor', 'toString')
const { object } = fc.letrec((tie) => ({
  value: fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.array(fc.integer(), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(name, tie('value'), { maxKeys: 4 }),
}))

test('the patch between two objects makes one into the other', () => {
  fc.assert(
    fc.property(object, object, (from, to) => {
      // Through JSON, as equality of prototypes does not matter.
      assert.deepEqual(plain(applyMergePatch(from, createMergePatch(from, to))), plain(to))
    }),
  )
})

function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
