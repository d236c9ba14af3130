import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Behavior, Pace } from './behavior.ts'
import { effectiveBehavior } from './behavior.ts'
import { correct } from './correct.ts'
import { noMemory } from './memory.ts'
import { free, pace } from './scaling.testkit.ts'

type Limit = readonly [instances: number, percent: number, select: Pace['select'], want: number]

const limits: Record<string, { from: number; to: number; rows: readonly Limit[] }> = {
  '27 up from 6 towards 30': {
    from: 6,
    to: 30,
    rows: [
      [4, 100, 'Or', 12],
      [4, 100, 'And', 10],
      [1, 100, 'Or', 12],
      [0, 50, 'Or', 9],
      [0, 0, 'Or', 6],
    ],
  },
  '28 down from 10 towards 2': {
    from: 10,
    to: 2,
    rows: [
      [0, 100, 'Or', 2],
      [1, 100, 'Or', 2],
      [1, 100, 'And', 9],
      [2, 30, 'Or', 7],
      [2, 30, 'And', 8],
      [0, 0, 'Or', 10],
      [0, 100, 'And', 10],
    ],
  },
  // A third value of selectPolicy, which would have lifted the limit, is refused by the schema.
  '29 down from 10 towards 5': {
    from: 10,
    to: 5,
    rows: [
      [1, 40, 'Or', 6],
      [1, 40, 'And', 9],
    ],
  },
  '30 up from 5 towards 20': {
    from: 5,
    to: 20,
    rows: [
      [3, 100, 'Or', 10],
      [3, 100, 'And', 8],
    ],
  },
  'A-23: ten percent of five is one': {
    from: 5,
    to: 20,
    rows: [[0, 10, 'Or', 6]],
  },
  'A-23: ten percent of five is one on the way down': {
    from: 5,
    to: 1,
    rows: [[0, 10, 'Or', 4]],
  },
  'from nothing one can always be started': {
    from: 0,
    to: 5,
    rows: [
      [0, 100, 'Or', 1],
      [4, 100, 'And', 1],
      [4, 100, 'Or', 4],
    ],
  },
}
for (const [name, { from, to, rows }] of Object.entries(limits)) {
  for (const [instances, percent, select, want] of rows) {
    test(`${name}, ${instances} or ${percent} % by ${select}`, () => {
      const limited = pace({ instances, percent, select })
      const behavior: Behavior = { up: limited, down: limited }
      const bounds = { min: 0, max: 100 }
      const input = { current: from, recommended: to, behavior, memory: noMemory, nowMs: 0, ...bounds }
      assert.equal(correct(input).desired, want)
    })
  }
}

const panics: Record<string, { current: number; recommended: number; percent: number; want: number }> = {
  '31 panic grows by the multiple allowed': { current: 5, recommended: 15, percent: 1000, want: 15 },
  '31 panic is limited too': { current: 5, recommended: 15, percent: 100, want: 10 },
  '32 panic from nothing knows no limit': { current: 0, recommended: 5, percent: 100, want: 5 },
  '33 panic never takes away': { current: 10, recommended: 3, percent: 1000, want: 10 },
}
for (const [name, { current, recommended, percent, want }] of Object.entries(panics)) {
  test(name, () => {
    const panic = { percent, periodMs: 15_000, thresholdPercent: 200, holdMs: 60_000 }
    const input = { current, recommended, min: 0, max: 100, behavior: { ...free, panic }, nowMs: 0 }
    const { desired, mode } = correct({ ...input, memory: { ...noMemory, panicUntilMs: 60_000 } })
    assert.deepEqual([desired, mode], [want, 'Panic'])
  })
}

test('recommending what is there is no cause of panic, not even at zero', () => {
  const panic = { percent: 1000, periodMs: 0, thresholdPercent: 200, holdMs: 60_000 }
  const input = { min: 0, max: 100, behavior: { ...free, panic }, memory: noMemory, nowMs: 0 }
  assert.equal(correct({ ...input, current: 0, recommended: 0 }).mode, 'Stable')
})

test('A-09: there is one set of defaults, whatever part of a behavior was written', () => {
  const want = effectiveBehavior(undefined)
  assert.deepEqual(want.up, { instances: 4, percent: 100, periodMs: 60_000, select: 'Or', windowMs: 0 })
  assert.deepEqual(want.down, { instances: 0, percent: 100, periodMs: 60_000, select: 'Or', windowMs: 300_000 })
  assert.equal(want.panic, undefined)
  assert.deepEqual(effectiveBehavior({}), want)
  assert.deepEqual(effectiveBehavior({ scaleUp: {}, scaleDown: {} }), want)
  assert.deepEqual(effectiveBehavior({ scaleUp: { stablePolicy: {} } }), want)
  assert.deepEqual(effectiveBehavior({ scaleUp: { panicPolicy: { period: '15s' } } }).panic, {
    percent: 1000,
    periodMs: 15_000,
    thresholdPercent: 200,
    holdMs: 60_000,
  })
  assert.equal(effectiveBehavior({ scaleUp: { panicPolicy: { period: '0s', panicModeHold: '0s' } } }).panic, undefined)
})
