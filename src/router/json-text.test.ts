import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { joinMembers, membersOf, removeMembers, setMember, valueOf } from './json-text.ts'

const edit = (text: string, change: (members: ReturnType<typeof membersOf>) => ReturnType<typeof membersOf>) =>
  joinMembers(change(membersOf(Buffer.from(text)))).toString()

const cases: readonly [name: string, text: string, change: Parameters<typeof edit>[1], want: string][] = [
  ['a member is replaced in its place', '{"a":1, "b" : 2}', (m) => setMember(m, 'a', '3'), '{"a":3,"b":2}'],
  ['a new member goes to the end', '{"a":1}', (m) => setMember(m, 'b', '2'), '{"a":1,"b":2}'],
  ['an empty object takes a member', ' { } ', (m) => setMember(m, 'b', '2'), '{"b":2}'],
  ['members are removed', '{"a":1,"b":2,"c":3}', (m) => removeMembers(m, 'a', 'c'), '{"b":2}'],
  ['the last member removed leaves an object', '{"a":1}', (m) => removeMembers(m, 'a'), '{}'],
  [
    'a name written twice is replaced where the last stood',
    '{"a":1,"b":2,"a":3}',
    (m) => setMember(m, 'a', '4'),
    '{"b":2,"a":4}',
  ],
  ['a name written with escapes is the same name', '{"\\u0061":1}', (m) => setMember(m, 'a', '2'), '{"a":2}'],
  [
    'big integers and odd numbers stay',
    '{"s":9007199254740993,"f":1.50e+2,"a":0}',
    (m) => setMember(m, 'a', '1'),
    '{"s":9007199254740993,"f":1.50e+2,"a":1}',
  ],
  [
    'a nested member of that name stays',
    '{"x":{"a":[1,{"a":2}]},"a":0}',
    (m) => setMember(m, 'a', '1'),
    '{"x":{"a":[1,{"a":2}]},"a":1}',
  ],
  [
    'braces, quotes and backslashes in strings mean nothing',
    '{"x":"}\\"],\\\\","a":0}',
    (m) => setMember(m, 'a', '1'),
    '{"x":"}\\"],\\\\","a":1}',
  ],
]
for (const [name, text, change, want] of cases) test(name, () => assert.equal(edit(text, change), want))

test('the last of a name counts, as for a parser', () => {
  assert.equal(valueOf(membersOf(Buffer.from('{"a":1,"a":[2]}')), 'a')?.toString(), '[2]')
  assert.equal(valueOf(membersOf(Buffer.from('{}')), 'a'), undefined)
})

test('any object comes out as it went in, in any spacing', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space)
      const members = membersOf(Buffer.from(text))
      assert.deepEqual(JSON.parse(joinMembers(members).toString()), JSON.parse(text))
      const changed = JSON.parse(joinMembers(setMember(members, 'model', '"m"')).toString())
      assert.deepEqual(changed, { ...JSON.parse(text), model: 'm' })
    }),
  )
})

test('a text that is no JSON throws, and ends', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('{', '}', '[', '"', ':', ',', '\\', 'a', ' ') }), (text) => {
      try {
        JSON.parse(text)
      } catch {
        try {
          membersOf(Buffer.from(`{${text.slice(0, 12)}`))
        } catch (error) {
          assert.ok(error instanceof SyntaxError)
        }
      }
    }),
  )
})
