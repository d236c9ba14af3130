import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGoDuration } from './go-duration.ts'

const cases: readonly [text: string, wantMs: number | undefined][] = [
  ['10s', 10_000],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['100ms', 100],
  ['250us', 0.25],
  ['0', 0],
  ['0s', 0],
  ['10', undefined],
  ['', undefined],
  ['-1s', undefined],
  ['1 s', undefined],
  ['1d', undefined],
]
for (const [text, wantMs] of cases) test(`duration '${text}'`, () => assert.equal(parseGoDuration(text), wantMs))
