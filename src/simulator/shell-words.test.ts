import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseScript } from './shell-words.ts'

const rows: Record<string, { script: string; env?: Record<string, string>; want: string[][] }> = {
  'blanks separate words, operators separate commands': {
    script: 'a  b && c || d; e | f\ng',
    want: [['a', 'b'], ['c'], ['d'], ['e'], ['f'], ['g']],
  },
  'single quotes keep everything': { script: `a '$X "b" c'`, want: [['a', '$X "b" c']] },
  'adjacent quotes are one word': { script: `a 'b'"c"d`, want: [['a', 'bcd']] },
  'an empty quoted word is a word': { script: `a ''`, want: [['a', '']] },
  'JSON in single quotes is one argument': { script: `x --c '{"a":"b c"}'`, want: [['x', '--c', '{"a":"b c"}']] },
  'double quotes expand variables in one word': { script: 'a "$X"', env: { X: 'b c' }, want: [['a', 'b c']] },
  'without quotes an expansion is split': { script: 'a $X', env: { X: 'b c' }, want: [['a', 'b', 'c']] },
  'an absent variable vanishes': { script: 'a $X ${X} b', want: [['a', 'b']] },
  'a default stands in for an absent variable': { script: 'a ${X:-b}', want: [['a', 'b']] },
  'an assignment is seen by later commands': { script: 'X=y; a $X', want: [['a', 'y']] },
  'assignments before a command are not its words': { script: 'X=y a b', want: [['a', 'b']] },
  'redirections are dropped': { script: 'a >/dev/null 2>&1 < b c', want: [['a', 'c']] },
  'comments are dropped': { script: 'a # b && c\nd', want: [['a'], ['d']] },
  'a line goes on after a backslash': { script: 'a \\\n b', want: [['a', 'b']] },
  'every branch of an if counts': {
    script: 'if test -f x; then a; else b; fi',
    want: [['test', '-f', 'x'], ['a'], ['b']],
  },
  'a for gives its variable the first value': { script: 'for h in x y; do run $h; done', want: [['run', 'x']] },
  'a command substitution stays as written': { script: 'a $(b (c) d) e', want: [['a', '$(b (c) d)', 'e']] },
}
for (const [name, { script, env = {}, want }] of Object.entries(rows)) {
  test(name, () => assert.deepEqual(parseScript(script, env), { commands: want }))
}

for (const quote of ["'", '"']) {
  test(`an open ${quote} is the shell's error`, () => {
    assert.match(parseScript(`a; b ${quote}c`, {}).error ?? '', /unexpected EOF/)
  })
}

test('any script ends in words', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom("'", '"', '$', '$(', '${', '\\', '>', '#', 'for', 'X=', ' in '))
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      for (const command of parseScript(pieces.join(' '), { X: 'y z' }).commands) assert.ok(command.length > 0)
    }),
  )
})

test('quoting as the booster does gives the word back', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
      const script = ['run', ...words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`)].join(' ')
      assert.deepEqual(parseScript(script, {}).commands, [['run', ...words]])
    }),
  )
})
