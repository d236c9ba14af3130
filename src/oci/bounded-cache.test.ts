import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { BoundedCache } from './bounded-cache.ts'

test('what is old is forgotten', () => {
  const clock = manualClock()
  const cache = new BoundedCache<string>({ lifetimeMs: 1000, mostWeight: 10 }, clock)
  cache.set('a', 'A', 1)
  clock.advance(999)
  assert.equal(cache.get('a'), 'A')
  clock.advance(1)
  assert.equal(cache.get('a'), undefined)
})

test('when there is too much, what was not used for longest goes', () => {
  const cache = new BoundedCache<string>({ lifetimeMs: 1000, mostWeight: 10 }, manualClock())
  const has = (): string => ['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined).join('')
  cache.set('a', 'A', 4)
  cache.set('b', 'B', 4)
  cache.get('a')
  cache.set('c', 'C', 3)
  assert.equal(has(), 'ac')
  cache.set('a', 'A', 7)
  assert.equal(has(), 'ac')
  cache.set('d', 'D', 11)
  assert.equal(has(), '')
  cache.set('a', 'A', 10)
  assert.equal(has(), 'a')
})
