import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Behavior } from './behavior.ts'
import { effectiveBehavior } from './behavior.ts'
import { facts, member, pace, pool, type Replay, replay, scalingTarget, spread } from './scaling.testkit.ts'

const seconds = (count: number): number => count * 1000
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
const chat = (behavior: Behavior) => scalingTarget({ behavior })
const slowDown = (windowMs: number): Behavior => ({
  up: pace({ instances: 4 }),
  down: pace({ periodMs: 0, windowMs }),
})

/** Ticks of 15 s, load as the total of a metric whose target is 10. */
const rows: Record<string, Replay & { readonly want: readonly number[] }> = {
  '34 down waits for the window: 4 at 105 s': {
    target: chat(slowDown(seconds(60))),
    start: 10,
    loads: [...times(3, 100), ...times(6, 40)],
    want: [...times(7, 10), 4, 4],
  },
  '36, A-07: after a restart without a past, down waits for the whole window': {
    target: chat(slowDown(seconds(300))),
    start: 10,
    loads: times(23, 40),
    want: [...times(21, 10), 4, 4],
  },
  // Not twice within the first period, and then a step each period: a step counts for the period after it.
  '37, A-19: up by two a minute: 5 at once, 7 at 60 s, 9 at 120 s': {
    target: chat({ up: pace({ instances: 2, percent: 0 }), down: pace({ periodMs: 0 }) }),
    start: 3,
    loads: times(9, 200),
    want: [5, 5, 5, 5, 7, 7, 7, 7, 9],
  },
  '38, A-19: down by one each 15 s': {
    target: chat({ up: pace(), down: pace({ instances: 1, percent: 0, periodMs: seconds(15) }) }),
    start: 10,
    loads: times(8, 20),
    want: [9, 8, 7, 6, 5, 4, 3, 2],
  },
  '39 up waits for its window: 7 at 90 s, then for the pace': {
    target: chat({ up: pace({ instances: 4, windowMs: seconds(60) }), down: pace({ periodMs: 0 }) }),
    start: 3,
    loads: [30, 30, ...times(9, 80)],
    want: [3, 3, 3, 3, 3, 3, 7, 7, 7, 7, 8],
  },
  // Panic's own limit counts from the level of one period ago, 4 at 30 s; after the hold, what is too much goes by halves.
  '40 panic holds, then ends by halves': {
    target: chat({
      up: pace({ instances: 4 }),
      down: pace({ periodMs: 0 }),
      panic: { percent: 100, periodMs: seconds(15), thresholdPercent: 200, holdMs: seconds(60) },
    }),
    start: 2,
    loads: [20, 100, 100, ...times(6, 30)],
    want: [2, 4, 8, 8, 8, 8, 4, 3, 3],
  },
  '41, A-20: what panic added does not collapse in one step': {
    target: chat({
      up: pace({ instances: 1, periodMs: seconds(15) }),
      down: pace({ instances: 1, periodMs: seconds(15) }),
      panic: { percent: 1000, periodMs: seconds(15), thresholdPercent: 200, holdMs: seconds(60) },
    }),
    start: 2,
    loads: [20, 300, 300, ...times(7, 20)],
    want: [2, 22, 30, 30, 30, 15, 7, 3, 2, 2],
  },
}
for (const [name, { want, ...run }] of Object.entries(rows)) {
  test(name, () => assert.deepEqual(replay(run).counts, want))
}

test('35, A-02: a pool scales down as a single serving does', () => {
  const members = ['a', 'b'].map((name) => member({ name }))
  const target = scalingTarget({ behavior: slowDown(seconds(60)), pools: [pool(members)] })
  const { counts } = replay({
    target,
    start: 10,
    loads: [...times(3, 100), ...times(6, 40)],
    factsOf(current, load = 0) {
      const half = Math.floor(current / 2)
      const of = (replicas: number) => facts(replicas, { load: spread(replicas, (load * replicas) / current) })
      return { a: of(current - half), b: of(half) }
    },
  })
  assert.deepEqual(counts, [...times(7, 10), 4, 4])
})

test('a policy without behavior: up at once, down after five minutes', () => {
  const target = chat(effectiveBehavior(undefined))
  const { counts } = replay({ target, start: 1, loads: [...times(4, 60), ...times(24, 10)] })
  // Each at most 4 or as many again: 1, 5, and the step after a minute.
  assert.deepEqual(counts.slice(0, 4), [5, 5, 5, 5])
  assert.deepEqual(counts.slice(-5), [5, 1, 1, 1, 1])
})
