import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { DiscoveryQueue } from './discovery-queue.ts'

const candidate = (n: number) => ({
  uid: `u${n}`,
  job: `j${n}`,
  createdAt: `2026-01-01T00:00:${String(n).padStart(2, '0')}Z`,
})
const none: ReadonlyMap<string, boolean> = new Map()

test('scenario 21 #52 no more than the limit are let in, whoever asks how often', () => {
  const queue = new DiscoveryQueue(manualClock(), 10)
  const admitted = Array.from({ length: 30 }, (_, n) => queue.admit(candidate(n), none))
  assert.equal(admitted.filter(Boolean).length, 10)
  assert.equal(queue.admit(candidate(3), none), true, 'who is in stays in')
  assert.equal(queue.admit(candidate(20), none), false)
})

test('a Job that runs holds its place, and one that ended gives it back', () => {
  const queue = new DiscoveryQueue(manualClock(), 1)
  assert.equal(queue.admit(candidate(0), none), true)
  assert.equal(queue.admit(candidate(1), new Map([['j0', true]])), false)
  assert.equal(queue.admit(candidate(1), new Map([['j0', false]])), true)
})

test('the oldest template comes first', () => {
  const queue = new DiscoveryQueue(manualClock(), 1)
  queue.admit(candidate(0), none)
  queue.admit(candidate(1), new Map([['j0', true]]))
  assert.equal(queue.admit(candidate(2), new Map([['j0', false]])), false)
  assert.equal(queue.admit(candidate(1), new Map([['j0', false]])), true)
})

test('whoever waits no more holds up nobody', () => {
  const clock = manualClock()
  const queue = new DiscoveryQueue(clock, 1)
  queue.admit(candidate(0), none)
  queue.admit(candidate(1), new Map([['j0', true]]))
  clock.advance(61_000)
  assert.equal(queue.admit(candidate(2), new Map([['j0', false]])), true)
})
