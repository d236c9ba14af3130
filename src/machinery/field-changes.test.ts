import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { equalJson } from '#base/json.ts'
import { type FieldChange, fieldChanges } from './field-changes.ts'

const cases: Record<string, { before: unknown; after: unknown; want: string[] }> = {
  'the same, members in another order': { before: { a: 1, b: [2] }, after: { b: [2], a: 1, c: undefined }, want: [] },
  'a leaf that changed': { before: { a: { b: 1 } }, after: { a: { b: 2 } }, want: ['a.b: 1 → 2'] },
  'what is new, by its leaves': {
    before: { a: 1 },
    after: { a: 1, b: { c: 2, d: [] } },
    want: ['+ b.c: 2', '+ b.d: []'],
  },
  'what is gone, by its leaves': { before: { a: [1, 2] }, after: {}, want: ['- a[0]: 1', '- a[1]: 2'] },
  'null is a value': { before: { a: null }, after: {}, want: ['- a: null'] },
  'one leaf for another of another type': { before: { a: 1 }, after: { a: 'x' }, want: ['a: 1 → "x"'] },
  'an object for a leaf': { before: { a: 1 }, after: { a: { b: 1 } }, want: ['- a: 1', '+ a.b: 1'] },
  'named items are matched wherever they are': {
    before: { env: [{ name: 'a', value: '1' }] },
    after: {
      env: [
        { name: 'b', value: '0' },
        { name: 'a', value: '2' },
      ],
    },
    want: ['+ env[0].name: "b"', '+ env[0].value: "0"', 'env[1].value: "1" → "2"'],
  },
  'an item with another name alone': {
    before: [{ name: 'a', value: '1' }],
    after: [{ name: 'b', value: '1' }],
    want: ['[0].name: "a" → "b"'],
  },
  'a word put into a command moves none behind it': {
    before: ['serve', '--port', '1'],
    after: ['serve', '--eager', '--port', '1'],
    want: ['+ [1]: "--eager"'],
  },
  'a word exchanged is one change': { before: ['a', 'b', 'c'], after: ['a', 'x', 'c'], want: ['[1]: "b" → "x"'] },
  'a word taken out': { before: ['a', 'b', 'c'], after: ['a', 'c'], want: ['- [1]: "b"'] },
  'a name that must be quoted': {
    before: { labels: { 'x.y/z': 'a' } },
    after: { labels: { 'x.y/z': 'b' } },
    want: ['labels["x.y/z"]: "a" → "b"'],
  },
}
for (const [name, { before, after, want }] of Object.entries(cases)) {
  test(name, () => assert.deepEqual(fieldChanges(before, after).map(inWords), want))
}

function inWords({ field, before, after }: FieldChange): string {
  if (before === undefined) return `+ ${field}: ${JSON.stringify(after)}`
  if (after === undefined) return `- ${field}: ${JSON.stringify(before)}`
  return `${field}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`
}

test('there are changes exactly where two values are not equal', () => {
  const value = fc.jsonValue({ maxDepth: 4 })
  fc.assert(
    fc.property(value, value, (before, after) => {
      assert.equal(fieldChanges(before, after).length === 0, equalJson(before, after))
      assert.deepEqual(fieldChanges(before, structuredClone(before)), [])
    }),
  )
})
