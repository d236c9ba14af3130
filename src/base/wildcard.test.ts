import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesGlob, matchesWildcard } from './wildcard.ts'

const rows: Record<string, { yes: string[]; no: string[] }> = {
  'amd/aim-*': { yes: ['amd/aim-', 'amd/aim-x', 'amd/aim-x/y'], no: ['amd/aim', 'xamd/aim-x'] },
  '*': { yes: ['', 'anything'], no: [] },
  '': { yes: [''], no: ['x'] },
  exact: { yes: ['exact'], no: ['exactly', 'inexact'] },
  'a*b*c': { yes: ['abc', 'a-b-b-c', 'abcbc'], no: ['acb', 'ab', 'ac'] },
  'ab*ba': { yes: ['abba', 'ab-ba'], no: ['aba'] },
  '**x': { yes: ['x', 'xx'], no: ['xy'] },
}
for (const [pattern, { yes, no }] of Object.entries(rows)) {
  test(`what "${pattern}" stands for`, () => {
    const matched = [...yes, ...no].filter((text) => matchesWildcard(pattern, text))
    assert.deepEqual(matched, yes)
  })
}

const globs: Record<string, { yes: string[]; no: string[] }> = {
  'team.example.com/*': {
    yes: ['team.example.com/', 'team.example.com/x'],
    no: ['team.example.com', 'team.example.com/x/y'],
  },
  '*': { yes: ['', 'x'], no: ['a/b'] },
  'ot?er': { yes: ['other'], no: ['oter', 'ot/er', 'otther'] },
  '*a*b?': { yes: ['abc', 'xaxbxbc'], no: ['ab', 'bac'] },
  '**/*x': { yes: ['a/x', '/xx'], no: ['a/b/x', 'x'] },
  'a.c+[x]': { yes: ['a.c+[x]'], no: ['abc+x'] },
}
for (const [pattern, { yes, no }] of Object.entries(globs)) {
  test(`what the glob "${pattern}" stands for`, () => {
    const matched = [...yes, ...no].filter((text) => matchesGlob(pattern, text))
    assert.deepEqual(matched, yes)
  })
}

test('a glob of many stars is decided at once', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(300)), false)
})
