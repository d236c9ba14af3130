import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effectiveBehavior } from './behavior.ts'
import { free, member, pool, scalingTarget } from './scaling.testkit.ts'
import { replay, type WhatIf, type WhatIfTick } from './what-if.ts'

/** Loads of ticks of 15 s. */
const run = (loads: readonly number[], change: Partial<WhatIf> = {}): WhatIfTick[] =>
  replay({
    target: scalingTarget({ behavior: free }),
    trace: loads.map((load, i) => ({ atMs: i * 15_000, totals: { load } })),
    tickMs: 15_000,
    startMs: 0,
    ...change,
  })

const desired = (ticks: readonly WhatIfTick[]) => ticks.map(({ decisions }) => decisions[0]?.desired)

test('a load is replayed tick by tick', () => {
  assert.deepEqual(desired(run([10, 50, 50, 20, 0])), [1, 5, 5, 2, 1])
})

test('ticks between two points see the earlier one', () => {
  const trace = [
    { atMs: 0, totals: { load: 10 } },
    { atMs: 60_000, totals: { load: 40 } },
    { atMs: 90_000, totals: { load: 40 } },
  ]
  assert.deepEqual(desired(run([], { trace })), [1, 1, 1, 1, 4, 4, 4])
})

test('A-26: engines that take ten minutes to start neither slow scaling up nor make it overshoot', () => {
  const ticks = run(
    Array.from({ length: 80 }, () => 100),
    { startMs: 600_000 },
  )
  assert.deepEqual(
    desired(ticks),
    Array.from({ length: 80 }, () => 10),
  )
  assert.deepEqual([ticks[10]?.ready, ticks[40]?.ready], [1, 10])
})

test('zero and back: what waits wakes it', () => {
  const target = scalingTarget({ behavior: free, pools: [pool([member({ min: 0, zeroGraceMs: 30_000 })])] })
  const ticks = run([10, 0, 0, 0, 0, 25, 25, 25], { target, initial: { chat: 1 } })
  assert.deepEqual(desired(ticks), [1, 1, 1, 0, 0, 1, 3, 3])
  assert.deepEqual([ticks[4]?.decisions[0]?.rule, ticks[5]?.decisions[0]?.rule], ['AtZero', 'Waking'])
})

test('a pool with capacities takes the load of its units', () => {
  const members = [
    member({ name: 'h100', cost: 90, capacity: 2, min: 0, max: 4 }),
    member({ name: 'a100', cost: 60, min: 1, max: 4 }),
  ]
  const target = scalingTarget({
    shape: 'heterogeneous',
    behavior: free,
    pools: [pool(members)],
    costExpansionRatePercent: 100,
  })
  const last = run([10, 60, 60, 60], { target }).at(-1)?.decisions[0]
  // 45 for a unit of load against 60: the dearer instance is the cheaper one.
  assert.deepEqual(
    last?.members.map(({ name, desired: count }) => `${name} ${count}`),
    ['h100 3', 'a100 1'],
  )
})

test('the same policy without behavior is the default one', () => {
  const target = scalingTarget({ behavior: effectiveBehavior(undefined) })
  const ticks = run([...Array.from({ length: 8 }, () => 60), ...Array.from({ length: 24 }, () => 10)], { target })
  assert.deepEqual([Math.max(...desired(ticks).map((count) => count ?? 0)), desired(ticks).at(-1)], [6, 1])
})
