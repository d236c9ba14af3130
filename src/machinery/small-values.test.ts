import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { findCondition, isConditionTrue, setCondition } from './conditions.ts'
import { formatDuration, isDurationFormat, parseDuration } from './duration.ts'
import { formatPath, getAt, parsePath } from './field-path.ts'
import { resolveIntOrPercent } from './int-or-string.ts'
import type { Condition } from './meta.ts'

const durations: Record<string, number | undefined> = {
  '1h30m': 5_400_000,
  '100ms': 100,
  '-1.5s': -1500,
  '.5s': 500,
  '1us': 0.001,
  '0': 0,
  '': undefined,
  '5': undefined,
  '1d': undefined,
  s: undefined,
  '1h 2m': undefined,
  '9999999h': undefined,
}
for (const [text, want] of Object.entries(durations)) {
  test(`duration "${text}" is ${want} ms`, () => assert.equal(parseDuration(text), want))
}

test('durations are printed as Go does, and read back', () => {
  const printed = [0, 100, 1500, 60_000, 5_400_000, 3_600_001, 0.5, -1000].map(formatDuration)
  assert.deepEqual(printed, ['0s', '100ms', '1.5s', '1m0s', '1h30m0s', '1h0m0.001s', '500µs', '-1s'])
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)),
  )
})

test('the format duration takes words too', () => {
  for (const text of ['1h', '2 days 3 hours', '22 ns', '1 week']) assert.ok(isDurationFormat(text), text)
  for (const text of ['', 'soon', '5', '3 apples']) assert.ok(!isDurationFormat(text), text)
})

test('a share of a count is rounded as asked', () => {
  assert.equal(resolveIntOrPercent('25%', 10, 'up'), 3)
  assert.equal(resolveIntOrPercent('25%', 10, 'down'), 2)
  assert.equal(resolveIntOrPercent(4, 10, 'down'), 4)
  for (const bad of ['25', 'x%', '-1%', '1.5%']) assert.throws(() => resolveIntOrPercent(bad, 10, 'up'), /percentage/)
})

const paths: Record<string, (string | number)[] | undefined> = {
  'spec.a[0].b["x.y"]': ['spec', 'a', 0, 'b', 'x.y'],
  '.spec.replicas': ['spec', 'replicas'],
  '{.metadata.labels.a\\.b}': ['metadata', 'labels', 'a.b'],
  "$.a['b.c']": ['a', 'b.c'],
  '': [],
  '.': [],
  'a..b': undefined,
  '.a[*]': undefined,
  '[0]x': undefined,
  '.a[?(@.b=="c")]': undefined,
}
for (const [text, want] of Object.entries(paths)) {
  test(`path ${text} is ${JSON.stringify(want)}`, () => assert.deepEqual(parsePath(text), want))
}

test('every path reads back from its text', () => {
  const segment = fc.oneof(
    fc.nat(),
    fc.string({ minLength: 1 }),
    fc.constantFrom('a.b', '"', '\\', ']', '0', '$', '$ref'),
  )
  fc.assert(fc.property(fc.array(segment), (path) => assert.deepEqual(parsePath(formatPath(path)), path)))
})

test('what is not on a path is undefined', () => {
  const object = { a: [{ 'x.y': 1 }], n: null }
  assert.equal(getAt(object, ['a', 0, 'x.y']), 1)
  for (const path of [['b'], ['a', 1], ['n', 'x'], ['a', 'length', 'x'], ['constructor']]) {
    assert.equal(getAt(object, path), undefined)
  }
})

test('a condition keeps its time until its status flips', () => {
  const at = (seconds: number) => Date.UTC(2026, 0, 1, 0, 0, seconds)
  const ready = { type: 'Ready', status: 'False', reason: 'Waiting', message: '', observedGeneration: 1 } as const
  const other: Condition = { ...ready, type: 'Other', lastTransitionTime: 'then' }
  const first = setCondition([other], ready, at(1))
  const reworded = setCondition(first, { ...ready, reason: 'Pulling', observedGeneration: 2 }, at(2))
  const flipped = setCondition(reworded, { ...ready, status: 'True' }, at(3))
  const times = [first, reworded, flipped].map((list) => findCondition(list, 'Ready')?.lastTransitionTime)
  assert.deepEqual(times, ['2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z', '2026-01-01T00:00:03Z'])
  assert.deepEqual(
    [findCondition(reworded, 'Ready')?.reason, findCondition(reworded, 'Ready')?.observedGeneration],
    ['Pulling', 2],
  )
  assert.deepEqual([isConditionTrue(reworded, 'Ready'), isConditionTrue(flipped, 'Ready')], [false, true])
  assert.equal(findCondition(flipped, 'Other'), other)
})
