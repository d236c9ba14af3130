import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { applyJsonPatch } from './json-patch.ts'

const applied: Record<string, { document: unknown; patch: unknown; want: unknown }> = {
  'adds a member, and replaces one that is there': {
    document: { a: 1 },
    patch: [
      { op: 'add', path: '/b', value: 2 },
      { op: 'add', path: '/a', value: 3 },
    ],
    want: { a: 3, b: 2 },
  },
  'adds to a list before an index and, with -, at its end': {
    document: { a: [1, 3] },
    patch: [
      { op: 'add', path: '/a/1', value: 2 },
      { op: 'add', path: '/a/-', value: 4 },
    ],
    want: { a: [1, 2, 3, 4] },
  },
  'reads ~1 as a slash and ~0 as a tilde': {
    document: { metadata: { labels: { 'a/b': 1, 'c~d': 2 } } },
    patch: [
      { op: 'replace', path: '/metadata/labels/a~1b', value: 5 },
      { op: 'remove', path: '/metadata/labels/c~0d' },
    ],
    want: { metadata: { labels: { 'a/b': 5 } } },
  },
  'moves and copies': {
    document: { a: { x: 1 }, b: [0] },
    patch: [
      { op: 'copy', from: '/a', path: '/b/0' },
      { op: 'move', from: '/a/x', path: '/c' },
      { op: 'replace', path: '/b/0/x', value: 9 },
    ],
    want: { a: {}, b: [{ x: 9 }, 0], c: 1 },
  },
  'replaces the whole document at the empty path': {
    document: { a: 1 },
    patch: [{ op: 'replace', path: '', value: { b: 2 } }],
    want: { b: 2 },
  },
  'replaces and copies what is not there in a map': {
    document: { a: 1 },
    patch: [
      { op: 'replace', path: '/b', value: 2 },
      { op: 'copy', from: '/z', path: '/c' },
    ],
    want: { a: 1, b: 2, c: null },
  },
  'takes a missing value for null': {
    document: {},
    patch: [{ op: 'add', path: '/a' }],
    want: { a: null },
  },
  'goes on after a test that holds, a missing value being null': {
    document: { a: { b: [1, { c: 2 }] } },
    patch: [
      { op: 'test', path: '/a', value: { b: [1, { c: 2 }] } },
      { op: 'test', path: '/z', value: null },
      { op: 'remove', path: '/a/b/0' },
    ],
    want: { a: { b: [{ c: 2 }] } },
  },
  'sets a member named __proto__ and finds nothing inherited': {
    document: JSON.parse('{}'),
    patch: JSON.parse(
      '[{"op":"add","path":"/__proto__","value":{"x":1}},{"op":"test","path":"/constructor","value":null}]',
    ),
    want: JSON.parse('{"__proto__":{"x":1}}'),
  },
}
for (const [name, { document, patch, want }] of Object.entries(applied)) {
  test(`json patch ${name}`, () => {
    const before = structuredClone([document, patch])
    assert.deepEqual(applyJsonPatch(document, patch), want)
    assert.deepEqual([document, patch], before, 'the inputs are as they were')
  })
}

const refused: Record<string, { patch: unknown; code: string; status: number; message: RegExp }> = {
  'a failed test': {
    patch: [{ op: 'test', path: '/a', value: 2 }],
    code: 'PatchFailed',
    status: 422,
    message: /^testing value \/a failed: test failed$/,
  },
  'removal of what is not there': {
    patch: [{ op: 'remove', path: '/z' }],
    code: 'PatchFailed',
    status: 422,
    message: /^error in remove for path: '\/z': Unable to remove nonexistent key: z: missing value$/,
  },
  'a path through nothing': {
    patch: [{ op: 'add', path: '/y/z', value: 1 }],
    code: 'PatchFailed',
    status: 422,
    message: /^add operation does not apply: doc is missing path: "\/y\/z": missing value$/,
  },
  'an index past the end': {
    patch: [{ op: 'add', path: '/list/3', value: 1 }],
    code: 'PatchFailed',
    status: 422,
    message: /invalid index: 3/,
  },
  'an index with a leading zero': {
    patch: [{ op: 'remove', path: '/list/00' }],
    code: 'PatchFailed',
    status: 422,
    message: /invalid index: 00/,
  },
  'a move into itself': {
    patch: [{ op: 'move', from: '/list', path: '/list/0' }],
    code: 'PatchFailed',
    status: 422,
    message: /into itself/,
  },
  'an unknown operation': {
    patch: [{ op: 'merge', path: '/a' }],
    code: 'PatchFailed',
    status: 422,
    message: /^Unexpected kind: merge$/,
  },
  'a relative path': {
    patch: [{ op: 'remove', path: 'a' }],
    code: 'PatchFailed',
    status: 422,
    message: /start with "\/"/,
  },
  'an object instead of a list': { patch: { a: 1 }, code: 'BadPatch', status: 400, message: /must be an array/ },
  'more than 10,000 operations': {
    patch: Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 })),
    code: 'PatchTooLarge',
    status: 413,
    message: /^The allowed maximum operations in a JSON patch is 10000, got 10001$/,
  },
  'copies that double the document again and again': {
    patch: Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '', path: `/copy${i}` })),
    code: 'PatchTooLarge',
    status: 413,
    message: /exceeding the limit/,
  },
}
for (const [name, { patch, code, status, message }] of Object.entries(refused)) {
  test(`json patch refuses ${name}`, () => {
    assert.throws(
      () => applyJsonPatch({ a: 1, list: [1, 2] }, patch),
      (error) => {
        assert.ok(isFault(error, 'invalid'))
        assert.equal(error.code, code)
        assert.match(error.message, message)
        assert.equal((error.details as { code: number }).code, status)
        return true
      },
    )
  })
}

test('no JSON makes a json patch throw anything but a fault', () => {
  const pointer = fc.constantFrom('', '/', '/a', '/a/0', '/a/-', '/b/c', '/__proto__', '/constructor/x', 'x', '/a/b/c')
  const operation = fc.record(
    {
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
      path: pointer,
      from: pointer,
      value: fc.jsonValue(),
    },
    { requiredKeys: ['op'] },
  )
  const document = fc.oneof(
    fc.jsonValue(),
    fc.record({ a: fc.array(fc.jsonValue()), b: fc.dictionary(fc.string(), fc.jsonValue()) }),
  )
  fc.assert(
    fc.property(document, fc.oneof(fc.jsonValue(), fc.array(operation)), (from, patch) => {
      try {
        JSON.stringify(applyJsonPatch(from, patch))
      } catch (error) {
        assert.ok(isFault(error, 'invalid'), String(error))
      }
    }),
  )
})
