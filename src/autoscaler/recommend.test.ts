import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide } from './decide.ts'
import type { MemberReading } from './measure.ts'
import { facts, member, podMetric, pods, pool, scalingTarget, spread } from './scaling.testkit.ts'
import type { Member, MetricSpec } from './scaling-target.ts'

const prometheus = (target: number, type: 'Value' | 'AverageValue'): MetricSpec => ({
  name: 'load',
  target,
  source: { kind: 'prometheus', serverUrl: 'http://prometheus', query: 'q', type },
})

interface Row {
  readonly current: number
  readonly readings: Readonly<Record<string, MemberReading>>
  readonly metrics?: readonly MetricSpec[]
  readonly bounds?: Partial<Member>
  readonly podsEach?: number
  /** Recommended, and with the default behavior and no past: desired. */
  readonly want: readonly [recommended: number | undefined, desired: number]
  readonly rule?: string
}

const total = (value: number): Record<string, MemberReading> => ({ load: { kind: 'total', value } })
const ratio = (value: number): Record<string, MemberReading> => ({ load: { kind: 'ratio', value } })
const of = (...values: readonly number[]): Record<string, MemberReading> => ({ load: pods(values) })

/**
 * Numbers are those of the worked examples. Where predecessors add the pods up and hold the sum against the target of one,
 * each pod counts here: that is the `want` of those examples. Scaling down waits for its window, which begins with the
 * first pass, so desired is what is there.
 */
const rows: Record<string, Row> = {
  '1 two pods at three times the target': { current: 2, readings: of(30, 30), want: [6, 6] },
  '2 on target': { current: 3, readings: of(10, 10, 10), want: [3, 3], rule: 'WithinTolerance' },
  '3 five percent over is within the tolerance': { current: 3, readings: of(10.5, 10.5, 10.5), want: [3, 3] },
  '4 a total near the target of one pod does not freeze five': {
    current: 5,
    readings: of(2, 2, 2, 2, 2),
    want: [1, 5],
  },
  '5 a little more': { current: 5, readings: { load: spread(5, 12) }, want: [2, 5] },
  '6 idle': { current: 5, readings: { load: spread(5, 0) }, want: [1, 5] },
  '7 unready pods do not count on the way down': {
    current: 10,
    readings: { load: pods(Array<number>(7).fill(30 / 7), { unready: 3 }) },
    want: [3, 10],
  },
  '8 unready pods turn the direction round, so nothing happens': {
    current: 4,
    readings: { load: pods([15, 15], { unready: 2 }) },
    want: [4, 4],
  },
  '9 unready pods count as idle on the way up': {
    current: 4,
    readings: { load: pods([30, 30], { unready: 2 }) },
    want: [6, 6],
  },
  '10 unready pods are left out on the way down': {
    current: 4,
    readings: { load: pods([5, 5], { unready: 2 }) },
    want: [1, 4],
  },
  '11 a missing pod counts as on target on the way down': {
    current: 4,
    readings: { load: pods([5, 5, 5], { missing: 1 }) },
    want: [3, 4],
  },
  '12 a missing pod counts as idle on the way up': {
    current: 4,
    readings: { load: pods([30, 30, 30], { missing: 1 }) },
    want: [9, 8],
    rule: 'ScaleUpLimited',
  },
  '13 of two metrics the one that asks for more': {
    current: 3,
    metrics: [podMetric('a', 10), podMetric('b', 3)],
    readings: { a: spread(3, 35), b: spread(3, 12) },
    want: [4, 4],
  },
  '14 on part of the metrics nothing is taken away': {
    current: 6,
    metrics: [podMetric('a', 10), podMetric('b', 3)],
    readings: { a: spread(6, 15), b: { kind: 'none', why: 'gone' } },
    want: [6, 6],
    rule: 'PartialMetrics',
  },
  '15 without any metric nothing is decided': {
    current: 6,
    readings: { load: { kind: 'none', why: 'gone' } },
    want: [undefined, 6],
    rule: 'NoMetrics',
  },
  '16 below the minimum needs no metric': {
    current: 1,
    bounds: { min: 3 },
    readings: { load: { kind: 'none', why: 'gone' } },
    want: [3, 3],
    rule: 'BelowMinimum',
  },
  '16 above the maximum needs no metric': {
    current: 9,
    bounds: { max: 4 },
    readings: { load: { kind: 'none', why: 'gone' } },
    want: [4, 4],
    rule: 'AboveMaximum',
  },
  '17 a total within the tolerance': {
    current: 10,
    metrics: [prometheus(1, 'AverageValue')],
    readings: total(10.4),
    want: [10, 10],
  },
  '18 a total above': { current: 10, metrics: [prometheus(1, 'AverageValue')], readings: total(11.2), want: [12, 12] },
  '18 a total below': { current: 10, metrics: [prometheus(1, 'AverageValue')], readings: total(8.9), want: [9, 10] },
  '19 an average above its target adds instances': {
    current: 10,
    metrics: [prometheus(0.6, 'Value')],
    readings: ratio(0.9),
    want: [15, 15],
  },
  '20 an average of 95 with a target of 80': {
    current: 8,
    metrics: [prometheus(80, 'Value')],
    readings: ratio(95),
    want: [10, 10],
  },
  '21 cache usage of pods': {
    current: 4,
    metrics: [podMetric('load', 0.8)],
    readings: of(0.9, 0.9, 0.9, 0.9),
    want: [5, 5],
  },
  '22 a total of nothing keeps zero': {
    current: 0,
    bounds: { min: 0 },
    metrics: [prometheus(0.5, 'AverageValue')],
    readings: total(0),
    want: [0, 0],
  },
  '22 a total of something wakes': {
    current: 0,
    bounds: { min: 0 },
    metrics: [prometheus(0.5, 'AverageValue')],
    readings: total(0.2),
    want: [1, 1],
  },
  'an average wakes too': {
    current: 0,
    bounds: { min: 0 },
    metrics: [prometheus(0.5, 'Value')],
    readings: ratio(0.2),
    want: [1, 1],
  },
  '26 the load of all groups is shared by all groups': {
    current: 2,
    podsEach: 2,
    readings: of(10, 10, 10, 10),
    want: [2, 2],
  },
  'pods that are not there yet count as not ready': { current: 4, readings: of(30, 30), want: [6, 6] },
  'floats do not round up by themselves': {
    current: 3,
    metrics: [podMetric('load', 0.1)],
    readings: of(0.3, 0.3, 0),
    want: [6, 6],
  },
}

for (const [name, { current, readings, metrics = [podMetric()], bounds, podsEach = 1, want, rule }] of Object.entries(
  rows,
)) {
  test(name, () => {
    const target = scalingTarget({ pools: [pool([member({ metrics, ...bounds })])] })
    const input = { target, facts: { chat: facts(current, readings, { podsEach }) }, memories: {} }
    const [decision] = decide({ ...input, nowMs: 0, tickMs: 15_000, returning: true }).decisions
    assert.deepEqual([decision?.recommended, decision?.desired], want)
    if (rule !== undefined) assert.equal(decision?.rule, rule)
  })
}

const two = scalingTarget({
  shape: 'heterogeneous',
  pools: [pool([member({ name: 'a' }), member({ name: 'b' })])],
})

const pools: Record<string, { a: ReturnType<typeof facts>; b: ReturnType<typeof facts>; want: number | undefined }> = {
  '23 the members of a pool share its load': {
    a: facts(3, { load: spread(3, 30) }),
    b: facts(3, { load: spread(3, 50) }),
    want: 8,
  },
  '24 two totals near the target of one do not freeze eight': {
    a: facts(4, { load: spread(4, 9.5) }),
    b: facts(4, { load: spread(4, 10.5) }),
    want: 2,
  },
  '25 a member that says nothing keeps what is there': {
    a: facts(3, { load: spread(3, 30) }),
    b: facts(3, { load: { kind: 'none', why: 'gone' } }),
    want: 6,
  },
}
for (const [name, { a, b, want }] of Object.entries(pools)) {
  test(name, () => {
    const input = { target: two, facts: { a, b }, memories: {}, nowMs: 0, tickMs: 15_000, returning: true }
    assert.equal(decide(input).decisions[0]?.recommended, want)
  })
}

const combined: Record<
  string,
  { type: 'Value' | 'AverageValue'; values: [number, number]; replicas: [number, number]; want: number }
> = {
  '48 a usage is the mean by instances': { type: 'Value', values: [60, 70], replicas: [3, 1], want: 62.5 },
  '48 a usage of nobody is the plain mean': { type: 'Value', values: [60, 80], replicas: [0, 0], want: 70 },
  '48 queues add up': { type: 'AverageValue', values: [100, 200], replicas: [1, 1], want: 300 },
  '48 rates add up': { type: 'AverageValue', values: [50, 70], replicas: [1, 1], want: 120 },
}
for (const [name, { type, values, replicas, want }] of Object.entries(combined)) {
  test(name, () => {
    const metrics = [prometheus(1, type)]
    const bounds = { min: 0, max: 1000, metrics }
    const target = scalingTarget({
      pools: [pool([member({ name: 'a', ...bounds }), member({ name: 'b', ...bounds })])],
    })
    const kind = type === 'Value' ? 'ratio' : 'total'
    const found = {
      a: facts(replicas[0], { load: { kind, value: values[0] } }),
      b: facts(replicas[1], { load: { kind, value: values[1] } }),
    }
    const [decision] = decide({
      target,
      facts: found,
      memories: {},
      nowMs: 0,
      tickMs: 15_000,
      returning: true,
    }).decisions
    const instances = replicas[0] + replicas[1]
    const shown = decision?.metrics[0]?.value ?? Number.NaN
    assert.equal(type === 'Value' ? shown : shown * Math.max(instances, 1), want)
  })
}
