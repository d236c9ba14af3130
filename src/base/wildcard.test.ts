import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesWildcard } from './wildcard.ts'

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
