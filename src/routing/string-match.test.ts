import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StringMatch } from '#api/model-route.ts'
import { compileStringMatch } from './string-match.ts'

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

test('no regex makes matching explode', () => {
  for (const regex of ['^(a+)+$', '^(a|a)*$', '(.*)*x$']) {
    assert.equal(compileStringMatch({ regex })(`${'a'.repeat(1000)}!`), false) // a backtracking engine never returns
  }
})
