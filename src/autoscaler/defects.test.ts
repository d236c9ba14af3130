/** Defects of scalers that came before, each by its number, and what happens here instead. Those of a running controller are in `test/`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import { compileSchema } from '#machinery/schema.ts'
import { effectiveBehavior } from './behavior.ts'
import { decide, type Decision, type Memories } from './decide.ts'
import type { PoolFacts } from './measure.ts'
import { normaliseBinding } from './normalise.ts'
import { facts, free, member, pace, podMetric, pods, pool, replay, scalingTarget, spread } from './scaling.testkit.ts'
import type { MetricSpec, ScalingTarget } from './scaling-target.ts'

function decided(target: ScalingTarget, found: PoolFacts, memories: Memories = {}): readonly Decision[] {
  return decide({ target, facts: found, memories, nowMs: 0, tickMs: 15_000, returning: true }).decisions
}

const query = (name: string, type: 'Value' | 'AverageValue'): MetricSpec => ({
  name,
  target: 10,
  source: { kind: 'prometheus', serverUrl: 'http://p', query: 'q', type },
})

test('A-01: each pod is a sample, so the tolerance is that of the mean at any number of pods', () => {
  const at = (current: number, total: number) =>
    decided(scalingTarget(), { chat: facts(current, { load: spread(current, total) }) })[0]?.recommended
  for (const current of [3, 20, 80]) {
    assert.equal(at(current, current * 10.9), current)
    assert.equal(at(current, current * 11.5), Math.ceil(current * 1.15))
    assert.equal(at(current, 10), 1, 'a total near the target of one pod')
  }
})

test('A-02: a pool scales down though it looks at its past', () => {
  const members = ['a', 'b'].map((name) => member({ name }))
  const target = scalingTarget({ behavior: effectiveBehavior(undefined), pools: [pool(members)] })
  const { counts } = replay({
    target,
    start: 10,
    loads: Array.from({ length: 30 }, () => 40),
    factsOf: (current, load = 0) => ({
      a: facts(Math.ceil(current / 2), { load: spread(Math.ceil(current / 2), load / 2) }),
      b: facts(Math.floor(current / 2), { load: spread(Math.floor(current / 2), load / 2) }),
    }),
  })
  assert.deepEqual([counts[0], counts.at(-1)], [10, 4])
})

test('A-03: an average from Prometheus adds instances when it is above its target', () => {
  const target = scalingTarget({ behavior: free, pools: [pool([member({ metrics: [query('q', 'Value')] })])] })
  assert.equal(decided(target, { chat: facts(8, { q: { kind: 'ratio', value: 15 } }) })[0]?.desired, 12)
})

test('A-04: the load of all groups is no number for each group', () => {
  const target = scalingTarget({ behavior: free })
  const found = { chat: facts(2, { load: pods([10, 10, 10, 10]) }, { podsEach: 2 }) }
  assert.equal(decided(target, found)[0]?.desired, 2)
})

test('A-07: without a history nothing is taken away before a whole window was seen', () => {
  const target = scalingTarget({ behavior: effectiveBehavior(undefined) })
  const { counts } = replay({ target, start: 10, loads: Array.from({ length: 20 }, () => 40) })
  assert.deepEqual(new Set(counts), new Set([10]))
})

test('A-09, A-10: panic without a threshold, or with nothing but its period, has one', () => {
  const behavior = effectiveBehavior({ scaleUp: { panicPolicy: { period: '15s' } } })
  const members = ['a', 'b'].map((name) => member({ name }))
  const target = scalingTarget({ behavior, pools: [pool(members)] })
  const found = { a: facts(1, { load: pods([90]) }), b: facts(1, { load: pods([90]) }) }
  assert.equal(decided(target, found)[0]?.mode, 'Panic')
})

test('A-12: one of five pods that does not answer is a missing one, and no reason to stop', () => {
  const target = scalingTarget({ behavior: free })
  const found = { chat: facts(5, { load: pods([30, 30, 30, 30], { missing: 1 }) }) }
  assert.equal(decided(target, found)[0]?.desired, 12)
})

test('A-14: zero is no one-way door: what waits at a router wakes it', () => {
  const target = scalingTarget({ pools: [pool([member({ min: 0 })])] })
  const asleep = (waiting: number) => ({
    chat: facts(0, { load: pods([]) }, { demand: { s: { inFlight: 0, waiting } } }),
  })
  assert.deepEqual([decided(target, asleep(0))[0]?.desired, decided(target, asleep(3))[0]?.desired], [0, 1])
})

const roles = (change: Partial<ScalingTarget> = {}): ScalingTarget =>
  scalingTarget({
    shape: 'disaggregated',
    pools: ['prefill', 'decode'].map((name) => pool([member({ name, role: name, max: 20 })])),
    ratio: { numerator: 'prefill', denominator: 'decode', min: 1, max: 1 },
    ...change,
  })

test('A-16: the ratio keeps to the pace, stands in the history, and says when it cannot be kept', () => {
  const target = roles({ behavior: { up: pace({ instances: 2, percent: 0 }), down: pace() } })
  const found = { prefill: facts(2, { load: pods([10, 10]) }), decode: facts(2, { load: pods([100, 100]) }) }
  const verdict = decide({ target, facts: found, memories: {}, nowMs: 0, tickMs: 15_000, returning: true })
  assert.deepEqual(
    verdict.decisions.map(({ pool: name, desired, rule }) => [name, desired, rule]),
    [
      ['prefill', 4, 'Ratio'],
      ['decode', 4, 'ScaleUpLimited'],
    ],
  )
  assert.equal(verdict.memories['prefill']?.levels.at(-1)?.replicas, 4)
  assert.deepEqual(verdict.ratio, { ratio: 1, adjusted: true, violated: false })
  const narrow = roles({ ratio: { numerator: 'prefill', denominator: 'decode', min: 1.5, max: 1.6 } })
  const one = { prefill: facts(1, { load: pods([10]) }), decode: facts(1, { load: pods([10]) }) }
  const stuck = decide({ target: narrow, facts: one, memories: {}, nowMs: 0, tickMs: 15_000, returning: true })
  assert.equal(stuck.ratio?.violated, true)
})

const object = (kind: typeof AutoscalingPolicy | typeof AutoscalingPolicyBinding, spec: unknown) => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  metadata: { name: 'p', namespace: 'ml' },
  spec,
})

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const each of Object.values(Object.freeze(value))) frozen(each)
  return value
}

test('A-17: what is in the caches is never changed', () => {
  const policy = compileSchema(AutoscalingPolicy.schema()).default(
    object(AutoscalingPolicy, { metrics: [{ metricName: 'load', targetValue: 10 }] }),
  )
  const target = {
    targetRef: { name: 'chat' },
    additionalMatchLabels: { a: 'b' },
    metricEndpoint: { uri: '/metrics', port: 1 },
  }
  const binding = object(AutoscalingPolicyBinding, {
    policyRef: { name: 'p' },
    scalingConfiguration: { target, minReplicas: 1, maxReplicas: 3 },
  })
  const normalised = normaliseBinding(
    frozen(policy) as AutoscalingPolicy,
    frozen(binding) as unknown as AutoscalingPolicyBinding,
  )
  assert.ok(normalised.ok)
  decided(frozen(normalised.target), frozen({ chat: facts(1, { load: pods([30]) }) }), frozen({}))
})

test('A-18: a minimum above the maximum is refused at the door', () => {
  const target = { targetRef: { name: 'chat' }, metricEndpoint: { uri: '/metrics', port: 1 } }
  const spec = { policyRef: { name: 'p' }, scalingConfiguration: { target, minReplicas: 4, maxReplicas: 3 } }
  const errors = compileSchema(AutoscalingPolicyBinding.schema()).validate(object(AutoscalingPolicyBinding, spec))
  assert.deepEqual(
    errors.map(({ field }) => field),
    ['spec.scalingConfiguration.minReplicas'],
  )
})

test('A-21: a role without metrics holds itself, not the other one', () => {
  const target = scalingTarget({
    behavior: free,
    shape: 'disaggregated',
    pools: ['prefill', 'decode'].map((name) => pool([member({ name, role: name, max: 20 })])),
  })
  const found = {
    prefill: facts(2, { load: { kind: 'none' as const, why: 'gone' } }),
    decode: facts(30, { load: pods([10]) }),
  }
  assert.deepEqual(
    decided(target, found).map(({ pool: name, desired, rule }) => [name, desired, rule]),
    [
      ['prefill', 2, 'NoMetrics'],
      ['decode', 20, 'AboveMaximum'],
    ],
  )
})

test('A-24: whether a number is a ratio is said, not guessed from its name', () => {
  const of = (type: 'Value' | 'AverageValue', kind: 'ratio' | 'total') => {
    const metrics = [query('gpu_utilization', type)]
    const target = scalingTarget({ behavior: free, pools: [pool(['a', 'b'].map((name) => member({ name, metrics })))] })
    const found = {
      a: facts(1, { gpu_utilization: { kind, value: 15 } }),
      b: facts(1, { gpu_utilization: { kind, value: 15 } }),
    }
    return decided(target, found)[0]?.recommended
  }
  assert.deepEqual([of('Value', 'ratio'), of('AverageValue', 'total')], [3, 3])
})

test('A-27: an instance that takes twice the load for less than twice the cost is chosen', () => {
  const members = [
    member({ name: 'h100', cost: 90, capacity: 2, min: 0, max: 4, metrics: [podMetric()] }),
    member({ name: 'a100', cost: 60, min: 1, max: 8, metrics: [podMetric()] }),
  ]
  const target = scalingTarget({ behavior: free, pools: [pool(members)], costExpansionRatePercent: 100 })
  const found = { h100: facts(0, { load: pods([]) }), a100: facts(1, { load: pods([50]) }) }
  assert.deepEqual(
    decided(target, found)[0]?.members.map(({ name, desired }) => `${name} ${desired}`),
    ['h100 2', 'a100 1'],
  )
})
