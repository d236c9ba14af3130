import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { Fence } from './fence.ts'

const admits = (fence: Fence, method = 'PATCH'): boolean => {
  try {
    fence.admit({ method })
    return true
  } catch (error) {
    assert.equal((error as Fault).kind, 'unavailable')
    return false
  }
}

test('writes pass from the first extension to the end of the last; reads always do', () => {
  const clock = manualClock()
  const fence = new Fence(clock)
  assert.deepEqual([admits(fence), admits(fence, 'GET')], [false, true])
  fence.extend(clock.now() + 1_000)
  clock.advance(900)
  fence.extend(clock.now() + 1_000)
  clock.advance(999)
  assert.deepEqual([admits(fence), fence.closed.aborted], [true, false])
  clock.advance(1)
  assert.deepEqual([admits(fence), admits(fence, 'GET'), fence.closed.aborted], [false, true, true])
})

test('once closed it stays so', () => {
  const clock = manualClock()
  const lapsed = new Fence(clock)
  lapsed.extend(clock.now() + 1_000)
  clock.advance(1_000)
  const closed = new Fence(clock)
  closed.close(new Fault('unavailable', 'Resigned', 'enough'))
  for (const fence of [lapsed, closed]) {
    fence.extend(clock.now() + 1_000)
    assert.equal(admits(fence), false)
  }
  assert.equal(clock.pending, 0)
})

test('an extension that is over when it comes opens nothing', () => {
  const clock = manualClock()
  const fence = new Fence(clock)
  fence.extend(clock.now())
  assert.equal(admits(fence), false)
  fence.extend(clock.now() + 1)
  assert.equal(admits(fence), true)
})

test('it does not wait for its timer: a process that was stopped may do something else first', () => {
  const clock = manualClock()
  let sleptMs = 0
  const fence = new Fence({ ...clock, now: () => clock.now() + sleptMs })
  fence.extend(clock.now() + 1_000)
  sleptMs = 60_000
  assert.equal(admits(fence), false)
  assert.equal(fence.closed.aborted, true)
  fence.extend(clock.now() + 120_000)
  assert.equal(admits(fence), false)
})
