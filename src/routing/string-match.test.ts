import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileStringMatch, type StringMatch, stringMatchError } from './string-match.ts'

const cases: readonly [name: string, match: StringMatch, value: string, want: boolean][] = [
  ['nothing set matches anything', {}, 'x', true],
  ['exact takes the whole value', { exact: 'ab' }, 'abc', false],
  ['prefix takes the beginning', { prefix: 'ab' }, 'abc', true],
  ['regex takes any part', { regex: 'b' }, 'abc', true],
  ['exact goes before prefix', { exact: 'a', prefix: 'ab' }, 'ab', false],
  ['prefix goes before regex', { prefix: 'x', regex: 'b' }, 'abc', false],
  ['an empty exact matches a missing header', { exact: '' }, '', true],
  ['an empty prefix matches a missing header', { prefix: '' }, '', true],
  ['.* matches a missing header', { regex: '.*' }, '', true],
  ['a regex that does not compile matches nothing', { regex: '(' }, '(', false],
]
for (const [name, match, value, want] of cases) test(name, () => assert.equal(compileStringMatch(match)(value), want))

test('says why a regex does not compile', () => {
  assert.equal(stringMatchError({ regex: '(' }), 'missing )')
  assert.equal(stringMatchError({ regex: 'a' }), undefined)
  assert.equal(stringMatchError({ exact: 'a' }), undefined)
})
