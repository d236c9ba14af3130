import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileRegex } from './linear-regex.ts'

const cases: readonly [name: string, pattern: string, matching: readonly string[], other: readonly string[]][] = [
  ['is not anchored', 'pre', ['pre', 'xprex'], ['p']],
  ['anchors', '^pre$', ['pre'], ['xpre', 'prex']],
  ['repeats', '^a{2,3}b*c+d?$', ['aac', 'aaabbccd'], ['ac', 'aaaac', 'aad']],
  ['alternates', '^(foo|bar|)x$', ['foox', 'barx', 'x'], ['foo', 'bazx']],
  ['knows classes', '^[a-c0-9_-]+[^x]$', ['ab_-9y'], ['abx', 'zz']],
  ['knows named classes', '^\\d\\w\\s\\D[[:alpha:]]$', ['1_ xy'], ['11111']],
  ['folds case', '(?i)^Premium$', ['PREMIUM', 'premium'], ['premiums']],
  ['limits flags to their group', '^(?i:a)b$', ['Ab', 'ab'], ['aB']],
  ['knows Unicode classes', '^\\pL\\p{Greek}$', ['éα'], ['1α', 'éa']],
  ['takes characters beyond the BMP as one', '^.$', ['😀'], ['ab', '']],
  ['names groups', '^(?P<tier>gold)(?<n>1)$', ['gold1'], ['gold']],
  ['is lazy where asked', '^a+?$', ['aaa'], ['']],
  ['finds the edges of words', '\\bfoo\\b', ['a foo b'], ['afoo']],
  ['quotes', '^\\Qa.b\\E$', ['a.b'], ['axb']],
  ['escapes', '^\\x41\\x{1F600}\\.$', ['A😀.'], ['A😀x']],
  ['takes a brace that bounds nothing literally', '^a{,2}$', ['a{,2}'], ['aa']],
  ['matches lines', '(?m)^b$', ['a\nb\nc'], ['ab']],
]
for (const [name, pattern, matching, other] of cases) {
  test(`a regex ${name}`, () => {
    const compiled = compileRegex(pattern)
    assert.ok('regex' in compiled, JSON.stringify(compiled))
    for (const text of matching) assert.equal(compiled.regex.test(text), true, text)
    for (const text of other) assert.equal(compiled.regex.test(text), false, text)
  })
}

for (const pattern of [
  '(',
  ')',
  '[',
  '[z-a]',
  'a**',
  '*',
  '\\1',
  '(?=a)',
  '(?<!a)',
  'a{1001}',
  '((a{100}){100}){100}',
  '\\',
]) {
  test(`${pattern} does not compile, and the reason is told`, () => {
    const compiled = compileRegex(pattern)
    assert.ok('error' in compiled && compiled.error.length > 0)
  })
}

test('no pattern makes matching explode', () => {
  for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*)*x', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
    const compiled = compileRegex(pattern)
    assert.ok('regex' in compiled)
    assert.equal(compiled.regex.test(`${'a'.repeat(10_000)}!`), false) // a backtracking engine never returns
  }
})

test('agrees with a backtracking engine on the patterns that both know', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(ab)', '\\b')
  const piece = fc.tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}', '{1,2}', '*?')).map((parts) => parts.join(''))
  const pattern = fc
    .tuple(fc.constantFrom('', '^'), fc.array(piece, { maxLength: 4 }), fc.constantFrom('', '$', '|b'))
    .map(([start, pieces, end]) => start + pieces.join('') + end)
    .filter((source) => !/\\b[*+?{]/.test(source))
  fc.assert(
    fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 }), (source, text) => {
      const compiled = compileRegex(source)
      assert.ok('regex' in compiled, source)
      assert.equal(compiled.regex.test(text), new RegExp(source).test(text), `${source} on ${text}`)
    }),
    { numRuns: 500 },
  )
})

test('any text either compiles or is refused with a reason', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab(){}[]|*+?^$\\.-:P<>i1,'), maxLength: 20 }), (source) => {
      const compiled = compileRegex(source)
      if ('regex' in compiled) compiled.regex.test('ab')
      else assert.ok(compiled.error.length > 0)
    }),
  )
})
