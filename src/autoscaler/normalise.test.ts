import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { matrixinfer } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { Kind } from '#machinery/kind.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { normaliseBinding, normalisePolicy, type Normalised } from './normalise.ts'

/** With the defaults of an API server. */
function object<T extends Resource>(kind: Kind<T>, spec: string): T {
  const given = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: 'p', namespace: 'ml' },
    spec: parse(spec) as object,
  }
  return compileSchema(kind.schema()).default<T>(given as unknown as T)
}

const policy = object(AutoscalingPolicy, '{metrics: [{metricName: waiting, targetValue: 500m}]}')
const bound = (spec: string): Normalised =>
  normaliseBinding(policy, object(AutoscalingPolicyBinding, `{policyRef: {name: p}, ${spec}}`))
const bounds = 'minReplicas: 1, maxReplicas: 2'
const own = (spec: string): Normalised | undefined => normalisePolicy(object(AutoscalingPolicy, spec))

const source = { kind: 'pod', metric: 'waiting', path: '/metrics', port: 8100, selector: [], merge: 'Sum' }
const serving = (name: string) => ({ apiVersion: 'workload.serving.volcano.sh/v1alpha1', kind: 'ModelServing', name })

test('a binding and a policy with its own target come to the same', () => {
  const byBinding = bound('scalingConfiguration: {target: {targetRef: {name: chat}}, minReplicas: 1, maxReplicas: 4}')
  const byPolicy = own(
    '{metrics: [{name: waiting, targetValue: 500m}], homogeneousTarget: {target: {targetRef: {name: chat}, metricSources: {waiting: {pod: {}}}}, minReplicas: 1, maxReplicas: 4}}',
  )
  assert.deepEqual(byBinding, byPolicy)
  assert.ok(byBinding.ok)
  assert.deepEqual(byBinding.target.pools, [
    {
      name: 'chat',
      members: [
        {
          name: 'chat',
          ref: serving('chat'),
          min: 1,
          max: 4,
          cost: 0,
          capacity: 1,
          zeroGraceMs: 30_000,
          metrics: [{ name: 'waiting', target: 0.5, source }],
        },
      ],
    },
  ])
})

test('several servings are one pool', () => {
  const given = bound(
    'optimizerConfiguration: {params: [{target: {targetRef: {name: a}, additionalMatchLabels: {tier: big}}, cost: 3, capacity: 2, minReplicas: 0, maxReplicas: 2, scaleToZeroGracePeriod: 2m}, {target: {targetRef: {name: b}}, minReplicas: 1, maxReplicas: 2}]}',
  )
  assert.ok(given.ok)
  const [pool] = given.target.pools
  assert.equal(pool?.name, 'pool')
  assert.deepEqual(
    pool.members.map(({ name, cost, capacity, zeroGraceMs }) => [name, cost, capacity, zeroGraceMs]),
    [
      ['a', 3, 2, 120_000],
      ['b', 0, 1, 30_000],
    ],
  )
  const [metric] = pool.members[0]?.metrics ?? []
  assert.deepEqual(metric?.source?.kind === 'pod' && metric.source.selector, [
    { key: 'tier', operator: 'In', values: ['big'] },
  ])
})

test('a target without a kind is a serving of the family that the policy is of', () => {
  const kinds = kindsOf(matrixinfer)
  const given = normaliseBinding(
    object(kinds.policy, '{metrics: [{metricName: waiting, targetValue: 1}]}'),
    object(
      kinds.binding,
      `{policyRef: {name: p}, scalingConfiguration: {target: {targetRef: {name: chat}, subTargets: {name: decode}}, ${bounds}}}`,
    ),
  )
  assert.ok(given.ok)
  const [member] = given.target.pools[0]?.members ?? []
  assert.deepEqual(member?.ref, { apiVersion: 'workload.matrixinfer.ai/v1alpha1', kind: 'ModelInfer', name: 'chat' })
})

test('each role is a pool, tied by the ratio', () => {
  const given = own(
    '{metrics: [{name: waiting, targetValue: 5}], disaggregatedTarget: {targetRef: {name: chat}, roles: {prefill: {minReplicas: 1, maxReplicas: 4, metricSources: {waiting: {pod: {}}}}, decode: {minReplicas: 2, maxReplicas: 2, metrics: [{name: tokens, targetValue: 7}]}}, ratioConstraint: {numeratorRole: prefill, denominatorRole: decode, minRatio: 500m, maxRatio: 2}}}',
  )
  assert.ok(given?.ok)
  assert.deepEqual(given.target.ratio, { numerator: 'prefill', denominator: 'decode', min: 0.5, max: 2 })
  assert.deepEqual(
    given.target.pools.map(({ name, members }) => [name, members[0]?.role, members[0]?.metrics[0]?.name]),
    [
      ['decode', 'decode', 'tokens'],
      ['prefill', 'prefill', 'waiting'],
    ],
  )
})

test('a role of a serving can be counted by a binding', () => {
  const given = bound(
    'scalingConfiguration: {target: {targetRef: {name: chat}, subTargets: {name: decode}}, minReplicas: 1, maxReplicas: 4}',
  )
  assert.ok(given.ok)
  assert.deepEqual(given.target.pools[0]?.members[0]?.role, 'decode')
})

test('sources say what their numbers are', () => {
  const given = own(
    `{metrics: [{name: a, targetValue: 1}, {name: b, targetValue: 1}, {name: 'vllm:kv_cache_usage_perc', targetValue: 1}, {name: 'fairlead:requests', targetValue: 1}, {name: nowhere, targetValue: 1}], homogeneousTarget: {target: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}, metricSources: {a: {prometheus: {serverURL: 'http://p', query: q}}, b: {prometheus: {serverURL: 'http://p', query: q, type: Value}}, 'vllm:kv_cache_usage_perc': {pod: {port: 8000}}}}, minReplicas: 1, maxReplicas: 4}}`,
  )
  assert.ok(given?.ok)
  const [member] = given.target.pools[0]?.members ?? []
  assert.equal(member?.name, 'Deployment/chat')
  assert.deepEqual(
    member.metrics.map(({ source: each }) => each && { ...each, query: undefined, serverUrl: undefined }),
    [
      { kind: 'prometheus', type: 'AverageValue', query: undefined, serverUrl: undefined },
      { kind: 'prometheus', type: 'Value', query: undefined, serverUrl: undefined },
      {
        ...source,
        metric: 'vllm:kv_cache_usage_perc',
        port: 8000,
        merge: 'Mean',
        query: undefined,
        serverUrl: undefined,
      },
      { kind: 'router', load: 'requests', query: undefined, serverUrl: undefined },
      undefined,
    ],
  )
})

test('a policy without a target is for a binding to use', () => assert.equal(normalisePolicy(policy), undefined))

const refusals: Record<string, { spec: string; reason: string; says: RegExp }> = {
  'another namespace': {
    spec: `scalingConfiguration: {target: {targetRef: {name: chat, namespace: theirs}}, ${bounds}}`,
    reason: 'CrossNamespace',
    says: /theirs\/chat is in another namespace/,
  },
  'a ModelServing of a foreign group': {
    spec: `scalingConfiguration: {target: {targetRef: {apiVersion: apps/v1, kind: ModelServing, name: chat}}, ${bounds}}`,
    reason: 'TargetInvalid',
    says: /no ModelServing in apps\/v1; write workload/,
  },
  'a role of what has none': {
    spec: `scalingConfiguration: {target: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: chat}, subTargets: {name: decode}}, ${bounds}}`,
    reason: 'TargetInvalid',
    says: /Deployment chat has no roles/,
  },
  'the same target twice': {
    spec: `optimizerConfiguration: {params: [{target: {targetRef: {name: a}}, ${bounds}}, {target: {targetRef: {kind: ModelServing, name: a}}, ${bounds}}]}`,
    reason: 'DuplicateTarget',
    says: /ModelServing a is a target twice/,
  },
}
for (const [name, { spec, reason, says }] of Object.entries(refusals)) {
  test(`refused: ${name}`, () => {
    const given = bound(spec)
    assert.ok(!given.ok)
    assert.equal(given.reason, reason)
    assert.match(given.message, says)
  })
}

const ratioOf = (bounds: string, range: string) =>
  own(
    `{disaggregatedTarget: {targetRef: {name: chat}, roles: {prefill: {${bounds}, metrics: [{name: 'fairlead:requests', targetValue: 1}]}, decode: {minReplicas: 6, maxReplicas: 10, metrics: [{name: 'fairlead:requests', targetValue: 1}]}}, ratioConstraint: {numeratorRole: prefill, denominatorRole: decode, ${range}}}}`,
  )
const ratios: Record<string, { bounds: string; range: string; says: RegExp | undefined }> = {
  'numbers that fit': {
    bounds: 'minReplicas: 1, maxReplicas: 4',
    range: 'minRatio: 250m, maxRatio: 1',
    says: undefined,
  },
  'bounds that cannot have it': {
    bounds: 'minReplicas: 1, maxReplicas: 1',
    range: 'minRatio: 250m, maxRatio: 1',
    says: /no numbers within the bounds/,
  },
  'one role alone at zero': {
    bounds: 'minReplicas: 0, maxReplicas: 4',
    range: 'minRatio: 250m, maxRatio: 1',
    says: /both roles may be scaled to zero, or neither/,
  },
  'a range the wrong way round': {
    bounds: 'minReplicas: 1, maxReplicas: 4',
    range: 'minRatio: 2, maxRatio: 1',
    says: /the smaller number as minRatio/,
  },
}
for (const [name, { bounds: given, range, says }] of Object.entries(ratios)) {
  test(`a ratio with ${name}`, () => {
    const normalised = ratioOf(given, range)
    assert.equal(normalised?.ok, says === undefined)
    if (says === undefined || normalised === undefined || normalised.ok) return
    assert.equal(normalised.reason, 'PolicyInvalid')
    assert.match(normalised.message, says)
  })
}

test('one metric twice is refused', () => {
  const twice = object(AutoscalingPolicy, '{metrics: [{name: a, targetValue: 1}, {metricName: a, targetValue: 2}]}')
  const given = normaliseBinding(
    twice,
    object(
      AutoscalingPolicyBinding,
      `{policyRef: {name: p}, scalingConfiguration: {target: {targetRef: {name: chat}}, ${bounds}}}`,
    ),
  )
  assert.equal(!given.ok && given.reason, 'PolicyInvalid')
})
