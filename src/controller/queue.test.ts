import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { KeyQueue } from './queue.ts'

const backoff = { firstMs: 1_000, longestMs: 8_000 }

function setup() {
  const clock = manualClock()
  const queue = new KeyQueue(clock, () => {})
  const takeAll = () => {
    const keys: string[] = []
    for (let taken = queue.take(); taken !== undefined; taken = queue.take()) keys.push(taken.key)
    return keys
  }
  return { clock, queue, takeAll }
}

test('a key that is added twice is handed out once, with the first reason', () => {
  const { queue } = setup()
  queue.add('a', { reason: 'first' })
  queue.add('a', { reason: 'second' })
  assert.equal(queue.take()?.reason, 'first')
  assert.equal(queue.take(), undefined)
})

test('a key added while it is worked on comes again afterwards, not before', () => {
  const { queue } = setup()
  queue.add('a')
  queue.take()
  queue.add('a', { reason: 'changed' })
  assert.equal(queue.take(), undefined)
  queue.done('a')
  assert.equal(queue.take()?.reason, 'changed')
})

test('of several times the earliest wins, in either order', () => {
  for (const delays of [
    [100, 50],
    [50, 100],
  ]) {
    const { clock, queue, takeAll } = setup()
    for (const afterMs of delays) queue.add('a', { afterMs })
    clock.advance(49)
    assert.deepEqual(takeAll(), [])
    clock.advance(1)
    assert.deepEqual(takeAll(), ['a'])
    queue.done('a')
    clock.advance(1_000)
    assert.deepEqual(takeAll(), [])
  }
})

test('a low key waits for all others, and rises when somebody needs it', () => {
  const { queue, takeAll } = setup()
  queue.add('low', { low: true })
  queue.add('risen', { low: true })
  queue.add('a')
  queue.add('risen')
  assert.deepEqual(takeAll(), ['a', 'risen', 'low'])
})

test('the delay of a retry doubles up to its limit, and starts over once forgotten', () => {
  const { clock, queue } = setup()
  const delays = [1, 2, 3, 4, 5].map(() => {
    const delay = queue.retry('a', backoff)
    clock.advance(delay)
    queue.done(queue.take()?.key ?? '')
    return delay
  })
  assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 8_000])
  queue.forget('a')
  assert.equal(queue.retry('a', backoff), 1_000)
  assert.equal(queue.retry('b', { ...backoff, retryAfterMs: 60_000 }), 60_000)
})

test('wakes its owner whenever something can be taken', () => {
  const clock = manualClock()
  let wakes = 0
  const queue = new KeyQueue(clock, () => wakes++)
  queue.add('a', { afterMs: 10 })
  assert.equal(wakes, 0)
  clock.advance(10)
  assert.equal(wakes, 1)
})

test('is idle when nothing is due or claimed, whatever waits', () => {
  const { clock, queue } = setup()
  queue.add('a', { afterMs: 10 })
  assert.equal(queue.isIdle(), true)
  clock.advance(10)
  assert.equal(queue.isIdle(), false)
  queue.take()
  assert.equal(queue.isIdle(), false)
  queue.done('a')
  assert.equal(queue.isIdle(), true)
})

/** What the queue must do, written the slow way: a list of wishes, each with its time and priority. */
class Model {
  now = 0
  due = new Map<string, { low: boolean; since: number }>()
  waiting = new Map<string, { at: number; low: boolean; since: number }>()
  claimed = new Map<string, { low: boolean } | undefined>()
  #moment = 0

  add(key: string, afterMs: number, low: boolean): void {
    if (afterMs > 0) {
      const at = this.now + afterMs
      const waiting = this.waiting.get(key)
      if (this.due.has(key) || (waiting !== undefined && waiting.at <= at)) return
      this.waiting.set(key, { at, low, since: this.#moment++ })
      return
    }
    this.waiting.delete(key)
    if (this.claimed.has(key)) {
      this.claimed.set(key, { low: low && (this.claimed.get(key)?.low ?? true) })
    } else {
      const due = this.due.get(key)
      if (due === undefined || (due.low && !low)) this.due.set(key, { low, since: this.#moment++ })
    }
  }

  advance(ms: number): void {
    const end = this.now + ms
    const ripe = [...this.waiting].filter(([, { at }]) => at <= end)
    for (const [key, { at, low }] of ripe.sort(([, a], [, b]) => a.at - b.at || a.since - b.since)) {
      this.now = at
      this.add(key, 0, low)
    }
    this.now = end
  }

  take(): string | undefined {
    const order = [...this.due].sort(([, a], [, b]) => Number(a.low) - Number(b.low) || a.since - b.since)
    const key = order[0]?.[0]
    if (key === undefined) return undefined
    this.due.delete(key)
    this.claimed.set(key, undefined)
    return key
  }

  done(key: string): void {
    const again = this.claimed.get(key)
    this.claimed.delete(key)
    if (again !== undefined) this.add(key, 0, again.low)
  }
}

test('does what the model does, whatever is asked of it in whatever order', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd')
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), key, afterMs: fc.constantFrom(0, 0, 5, 10, 20), low: fc.boolean() }),
    fc.record({ do: fc.constant('take' as const) }),
    fc.record({ do: fc.constant('done' as const), key }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 15 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, queue } = setup()
      const model = new Model()
      for (const each of steps) {
        if (each.do === 'add') {
          queue.add(each.key, each)
          model.add(each.key, each.afterMs, each.low)
        } else if (each.do === 'take') {
          assert.equal(queue.take()?.key, model.take())
        } else if (each.do === 'advance') {
          clock.advance(each.ms)
          model.advance(each.ms)
        } else if (model.claimed.has(each.key)) {
          queue.done(each.key)
          model.done(each.key)
        }
        assert.equal(queue.depth, model.due.size)
      }
    }),
    { numRuns: 500 },
  )
})

test('what is taken says how long it was due, and whether for its own sake', () => {
  const { clock, queue } = setup()
  queue.add('a', { afterMs: 1_000 })
  queue.add('b', { low: true })
  clock.advance(1_500)
  assert.deepEqual(queue.take(), { key: 'a', reason: '', low: false, waitedMs: 500 })
  assert.deepEqual(queue.take(), { key: 'b', reason: '', low: true, waitedMs: 1_500 })
})

test('counts what became due, and what was added after a failure', () => {
  const { clock, queue } = setup()
  for (const key of ['a', 'a', 'b']) queue.add(key)
  queue.add('b', { low: true })
  assert.deepEqual([queue.depth, queue.added, queue.retried], [2, 2, 0])
  queue.take()
  queue.retry('a', backoff)
  queue.done('a')
  assert.deepEqual([queue.depth, queue.added, queue.retried], [1, 2, 1])
  clock.advance(1_000)
  assert.deepEqual([queue.depth, queue.added, queue.retried], [2, 3, 1])
})
