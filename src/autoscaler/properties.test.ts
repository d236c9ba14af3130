import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Behavior, Pace } from './behavior.ts'
import { decide, type Decision, type Memories } from './decide.ts'
import type { MemberReading, PoolFacts } from './measure.ts'
import type { Memory } from './memory.ts'
import { facts, member, podMetric, pool, replay, scalingTarget, spread } from './scaling.testkit.ts'

const windows = fc.constantFrom(0, 15_000, 60_000, 300_000)
const paces: fc.Arbitrary<Pace> = fc.record({
  instances: fc.nat(5),
  percent: fc.constantFrom(0, 10, 100, 400),
  periodMs: windows,
  select: fc.constantFrom('Or', 'And'),
  windowMs: windows,
})
const behaviors: fc.Arbitrary<Behavior> = fc.record(
  {
    up: paces,
    down: paces,
    panic: fc.record({
      percent: fc.constantFrom(0, 100, 1000),
      periodMs: windows,
      thresholdPercent: fc.constantFrom(110, 200),
      holdMs: fc.constantFrom(15_000, 60_000),
    }),
  },
  { requiredKeys: ['up', 'down'] },
)
const bounds = fc
  .record({ min: fc.nat(3), room: fc.nat(20) })
  .map(({ min, room }) => ({ min, max: Math.max(1, min + room) }))
const times = fc.integer({ min: -2_000_000, max: 0 })
const counts = fc.nat(40)
const anyMemory: fc.Arbitrary<Memory> = fc
  .record({
    recommendations: fc.array(fc.record({ atMs: times, least: counts, more: counts }), { maxLength: 5 }),
    levels: fc.array(fc.record({ atMs: times, replicas: counts }), { maxLength: 5 }),
    panicUntilMs: fc.integer({ min: -100_000, max: 100_000 }),
  })
  .map(({ recommendations, levels, panicUntilMs }) => ({
    recommendations: recommendations
      .map(({ atMs, least, more }) => ({ atMs, least, most: least + more }))
      .toSorted((a, b) => a.atMs - b.atMs),
    levels: levels.toSorted((a, b) => a.atMs - b.atMs),
    panicUntilMs,
    idleSinceMs: {},
  }))
const values = fc.array(fc.oneof(fc.nat(60), fc.double({ min: 0, max: 100, noNaN: true })), { maxLength: 6 })
const readings: fc.Arbitrary<MemberReading> = fc.oneof(
  fc.record({
    kind: fc.constant('pods' as const),
    values,
    additive: fc.boolean(),
    missing: fc.nat(3),
    unready: fc.nat(3),
  }),
  fc.record({
    kind: fc.constantFrom('total' as const, 'ratio' as const),
    value: fc.double({ min: 0, max: 1e9, noNaN: true }),
  }),
  fc.constant({ kind: 'none' as const, why: 'gone' }),
)

const situations = fc.record({
  current: fc.nat(30),
  reading: readings,
  bounds,
  behavior: behaviors,
  memory: anyMemory,
  toleranceRatio: fc.constantFrom(0, 0.1, 0.5),
  podsEach: fc.integer({ min: 1, max: 3 }),
})
type Situation = typeof situations extends fc.Arbitrary<infer T> ? T : never

function decided({
  current,
  reading,
  bounds: limits,
  behavior,
  memory,
  toleranceRatio,
  podsEach,
}: Situation): Decision {
  const target = scalingTarget({ behavior, toleranceRatio, pools: [pool([member(limits)])] })
  const found = facts(current, { load: reading }, { podsEach })
  const input = {
    target,
    facts: { chat: found },
    memories: { chat: memory },
    nowMs: 0,
    tickMs: 15_000,
    returning: true,
  }
  const [decision] = decide(input).decisions
  if (decision === undefined) throw new Error('no decision')
  return decision
}

test('every number is a whole one within the bounds, whatever was measured and remembered', () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const { desired, recommended, stabilized, limited } = decided(situation)
      const { min, max } = situation.bounds
      for (const each of [desired, stabilized, limited, recommended ?? 0])
        assert.ok(Number.isInteger(each) && each >= 0)
      // The last instance may stay for a while where zero is asked for.
      assert.ok(desired >= min && desired <= max, `${desired} outside ${min}..${max}`)
    }),
    { numRuns: 500 },
  )
})

// The pace of panic counts alone while it lasts (example 31), and a user may write one that is slower than the stable pace.
test('more load never asks for less, nor leads to less in the same mode', () => {
  const loads = fc.tuple(fc.nat(500), fc.nat(500)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
  fc.assert(
    fc.property(situations, loads, fc.nat(4), fc.nat(4), (situation, [less, more], missing, unready) => {
      const ready = Math.max(1, situation.current * situation.podsEach - missing - unready)
      const at = (load: number): Decision => {
        const loaded = Array.from({ length: ready }, () => load / ready)
        return decided({ ...situation, reading: { kind: 'pods', values: loaded, additive: true, missing, unready } })
      }
      const [a, b] = [at(less), at(more)]
      assert.ok((a.recommended ?? 0) <= (b.recommended ?? 0), `recommended ${a.recommended} > ${b.recommended}`)
      if (a.mode === b.mode) assert.ok(a.desired <= b.desired, `desired ${a.desired} > ${b.desired}`)
    }),
    { numRuns: 500 },
  )
})

test('panic takes nothing away', () => {
  fc.assert(
    fc.property(situations, (situation) => {
      const { mode, current, desired } = decided(situation)
      if (mode === 'Panic' && current <= situation.bounds.max) assert.ok(desired >= current)
    }),
  )
})

/** Without a pace of 0, with which nothing would ever come to be. */
const moving = behaviors.map((behavior): Behavior => {
  const moves = (pace: Pace): Pace => ({
    ...pace,
    instances: Math.max(1, pace.instances),
    percent: Math.max(10, pace.percent),
  })
  return { ...behavior, up: moves(behavior.up), down: moves(behavior.down) }
})

test('constant load leads to rest from any history, and what is within the tolerance stays', () => {
  fc.assert(
    fc.property(moving, anyMemory, fc.nat(30), fc.nat(200), (behavior, memory, start, load) => {
      const target = scalingTarget({ behavior, pools: [pool([member({ min: 1, max: 30 })])] })
      const loads = Array.from({ length: 30 * 30 }, () => load)
      const { decisions } = replay({ target, start: Math.max(1, start), loads, memories: { chat: memory } })
      const last = decisions.at(-1)?.desired ?? 0
      assert.deepEqual(new Set(decisions.slice(-60).map(({ desired }) => desired)), new Set([last]))
      const wanted = Math.min(Math.max(Math.ceil(load / 10), 1), 30)
      assert.ok(last === wanted || Math.abs(load / last / 10 - 1) <= 0.1 + 1e-9, `${load} on ${last}`)
    }),
    { numRuns: 40 },
  )
})

test('a number within the tolerance is a fixed point', () => {
  fc.assert(
    fc.property(
      behaviors,
      fc.integer({ min: 1, max: 30 }),
      fc.double({ min: 0.91, max: 1.09, noNaN: true }),
      (behavior, current, ratio) => {
        const target = scalingTarget({ behavior })
        const { counts: seen } = replay({
          target,
          start: current,
          loads: Array.from({ length: 20 }, () => current * 10 * ratio),
        })
        assert.deepEqual(new Set(seen), new Set([current]))
      },
    ),
  )
})

test('a pool within its bounds shares out all that it decided', () => {
  fc.assert(
    fc.property(behaviors, fc.array(bounds, { minLength: 2, maxLength: 4 }), fc.nat(300), (behavior, limits, load) => {
      const members = limits.map((each, i) => member({ name: `m${i}`, cost: i, ...each }))
      const target = scalingTarget({ behavior, pools: [pool(members)] })
      const found: PoolFacts = Object.fromEntries(
        members.map(({ name, min }) => [
          name,
          facts(min, { load: min === 0 ? { kind: 'none', why: '' } : spread(min, load) }),
        ]),
      )
      const [decision] = decide({
        target,
        facts: found,
        memories: {},
        nowMs: 0,
        tickMs: 15_000,
        returning: true,
      }).decisions
      assert.equal(
        decision?.members.reduce((sum, { desired }) => sum + desired, 0),
        decision?.desired,
      )
      decision?.members.forEach(({ desired }, i) => {
        const { min, max } = limits[i] ?? { min: 0, max: 0 }
        assert.ok(desired >= min && desired <= max)
      })
    }),
  )
})

test('what is remembered stays small however the load jumps', () => {
  const target = scalingTarget({ pools: [pool([member({ metrics: [podMetric()] })])] })
  let seed = 7
  const loads = Array.from({ length: 2_000 }, () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % 900)
  const { memories }: { memories: Memories } = replay({ target, start: 1, loads })
  assert.ok((memories['chat']?.recommendations.length ?? 0) <= 34)
  assert.ok((memories['chat']?.levels.length ?? 0) <= 45)
})
