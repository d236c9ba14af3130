import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { depthOf, duplicateMembers } from './strict-json.ts'

const rows: Record<string, { text: string; want: string[] }> = {
  'a member given twice is found': { text: '{"a":1,"a":2}', want: ['a'] },
  'a member given twice far below is found by its path': {
    text: '{"spec":{"list":[{"x":1},{"y":1,"y":2}]}}',
    want: ['spec.list[1].y'],
  },
  'the same name in two objects is fine': { text: '[{"a":1},{"a":1},{"b":{"a":1}}]', want: [] },
  'a name may be written in two ways': { text: String.raw`{"a":1,"\u0061":2}`, want: ['a'] },
  'quotes, braces and colons in text are text': { text: String.raw`{"a":"\",\"a\":{[","b":"\\","c":":"}`, want: [] },
  'a value is no name': { text: '{"a":"b","b":"a","c":["a","a"]}', want: [] },
  'space before a colon does not hide a name': { text: '{"a" :1, "a"\n:2}', want: ['a'] },
}
for (const [name, { text, want }] of Object.entries(rows)) {
  test(name, () => assert.deepEqual(duplicateMembers(text), want))
}

test('what JSON.stringify writes has no member twice, and the depth that its value has', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      assert.deepEqual(duplicateMembers(text), [])
      assert.equal(depthOf(text), deep(JSON.parse(text)))
    }),
  )
})

test('a depth is told of any text', () => {
  fc.assert(fc.property(fc.string(), (text) => depthOf(text) >= 0))
  assert.equal(depthOf('['.repeat(100_000)), 100_000)
})

function deep(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(deep))
}
