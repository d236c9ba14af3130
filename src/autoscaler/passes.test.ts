import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { Passes } from './passes.ts'

test('what was not looked at for an hour is forgotten, and that is told', () => {
  const clock = manualClock()
  const forgotten: string[] = []
  const passes = new Passes(clock, 15_000, (uid) => forgotten.push(uid))
  passes.of('a').begin()
  clock.advance(30 * 60_000)
  assert.equal(passes.of('b').begin().returning, true)
  assert.deepEqual(forgotten, [])
  clock.advance(30 * 60_000)
  assert.equal(passes.of('b').begin().returning, false)
  assert.deepEqual(forgotten, ['a'])
  assert.equal(passes.of('a').begin().returning, true)
})
