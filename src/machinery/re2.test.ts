import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { compileRe2 } from './re2.ts'

const cases: Record<string, { yes: string[]; no: string[] }> = {
  'b+$': { yes: ['ab', 'bb'], no: ['ba', ''] },
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$': { yes: ['a', 'a-b.c'], no: ['', 'a.', '-a'] },
  '^a{2,3}$': { yes: ['aa', 'aaa'], no: ['a', 'aaaa'] },
  '^a{2}$': { yes: ['aa'], no: ['a', 'aaa'] },
  '^a{2,}b{,2}$': { yes: ['aaab{,2}'], no: ['ab{,2}', 'aabb'] },
  '^(?:a|bc)*?$': { yes: ['', 'abca'], no: ['b'] },
  '(?i)^AbC[d-f]$': { yes: ['abcD', 'ABCf'], no: ['abcg'] },
  '^(?P<name>\\d+)\\.\\w\\S$': { yes: ['12._x'], no: ['1a.xx', '12.x '] },
  '^[^\\s\\]-]+$': { yes: ['ab'], no: ['a b', 'a]', 'a-'] },
  '^[]a]+$': { yes: [']a'], no: ['b'] },
  '^[[:alpha:]_]+$': { yes: ['aZ_'], no: ['1'] },
  '^\\p{L}\\P{Greek}$': { yes: ['éa'], no: ['1a', 'éα'] },
  '^.$': { yes: ['😀', 'é'], no: ['\n', 'ab'] },
  '(?s)^.$': { yes: ['\n'], no: ['ab'] },
  '(?m)^b$': { yes: ['a\nb\nc'], no: ['ab'] },
  '\\bcat\\b': { yes: ['a cat!'], no: ['concat'] },
  '^\\Qa.b\\E+\\x41\\x{1F600}$': { yes: ['a.bA😀'], no: ['axbA😀'] },
  '\\A\\/\\-\\_\\z': { yes: ['/-_'], no: ['/-_ '] },
  '': { yes: ['', 'a'], no: [] },
  '^(a|b|)$': { yes: ['', 'a', 'b'], no: ['c'] },
}
for (const [pattern, { yes, no }] of Object.entries(cases)) {
  test(`pattern ${pattern} tells texts apart`, () => {
    const compiled = compileRe2(pattern)
    for (const text of yes) assert.equal(compiled?.test(text), true, JSON.stringify(text))
    for (const text of no) assert.equal(compiled?.test(text), false, JSON.stringify(text))
  })
}

test('what RE2 does not have or cannot read is refused', () => {
  for (const pattern of [
    '(',
    'a)',
    '[a',
    '*a',
    'a**',
    '(?=a)',
    '(?<!a)',
    '(a)\\1',
    '[b-a]',
    'a{3,2}',
    'a{1001}',
    '\\p{Nope}',
    '\\',
  ]) {
    assert.equal(compileRe2(pattern), undefined, pattern)
  }
  assert.equal(compileRe2('((a{1000}){1000}){1000}'), undefined, 'too large')
  assert.equal(compileRe2('('.repeat(5000)), undefined, 'too deep')
})

test('occurrences are leftmost, greedy unless told otherwise, and do not overlap', () => {
  assert.deepEqual(compileRe2('a+')?.findAll('baa a', 9), ['aa', 'a'])
  assert.deepEqual(compileRe2('a+?')?.findAll('aaa', 2), ['a', 'a'])
  assert.deepEqual(compileRe2('ab|abc')?.findAll('abc', 9), ['ab'])
  assert.deepEqual(compileRe2('[0-9]*')?.findAll('a1', 9), ['', '1', ''])
})

test('a pattern that ruins a backtracking matcher needs linear time', () => {
  for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(a*)*$', '(.*)(.*)(.*)(.*)[^a]$']) {
    assert.equal(compileRe2(pattern)?.test('a'.repeat(2000)), /a\+|a\||a\*/.test(pattern), pattern)
    assert.equal(compileRe2('^(a+)+$')?.test(`${'a'.repeat(2000)}!`), false)
  }
})

test('agrees with JavaScript where the two mean the same', () => {
  const leaf = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '^', '$', '\\b', 'ab')
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{1,2}', '{2}', '*?', '+?'))
        .map(([a, q]) => `(?:${a})${q}`),
    ),
  }))
  fc.assert(
    fc.property(pattern, fc.stringMatching(/^[abc]{0,8}$/), (source, text) => {
      assert.equal(compileRe2(source)?.test(text), new RegExp(source).test(text), `${source} on ${text}`)
    }),
    { numRuns: 500 },
  )
})
