/** What `convert` makes of objects means the same; what it cannot carry it names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import type { Conversion } from '#api/conversions/conversion.ts'
import { modelToBooster } from '#api/conversions/legacy-model.ts'
import { normaliseBinding, normalisePolicy } from '#autoscaler/normalise.ts'
import { childrenOf, convert } from '#booster/convert.ts'
import { kthena } from '#api/dialects.ts'
import { converted } from '#cli/convert.ts'
import { errorsOf, inspect } from '#cli/inspect.ts'
import type { Shape } from '#cli/shapes.ts'
import { isOfKind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { backend, modelBooster } from './builders.ts'
import { boosters } from './boosters.ts'

/** As a server keeps it, which also says that it is valid. */
function stored(object: AnyResource): AnyResource {
  const found = inspect({ object, file: '', at: () => '' })
  assert.deepEqual(errorsOf(found.findings), [], JSON.stringify(object))
  return found.object
}

/** What it becomes; the share of an only backend counts for nothing. */
function children(booster: AnyResource): unknown {
  const conversion = convert(stored(booster), kthena.images)
  assert.ok(conversion.ok, JSON.stringify(conversion))
  return JSON.parse(
    JSON.stringify(childrenOf(conversion.desired), (key, value: unknown) =>
      /^weight$|\/revision$/.test(key) ? undefined : value,
    ),
  )
}

function one({ objects }: Conversion): AnyResource {
  const [object] = objects
  assert.ok(object !== undefined && objects.length === 1)
  return object
}

const only = (booster: AnyResource): boolean => {
  const { backends, backend: single, autoscalingPolicy } = booster.spec ?? {}
  return single !== undefined || ((backends as unknown[]).length === 1 && autoscalingPolicy === undefined)
}

test('between list and single form a booster of one backend becomes the same children, there and back', () => {
  fc.assert(
    fc.property(boosters('chat').filter(only), (booster) => {
      const isList = booster.spec?.['backend'] === undefined
      const there = converted([booster], isList ? 'single' : 'list')
      assert.deepEqual(there.losses, [])
      assert.equal(one(there).spec?.[isList ? 'backends' : 'backend'], undefined)
      assert.deepEqual(children(one(there)), children(booster))
      const back = converted(there.objects, isList ? 'list' : 'single')
      assert.deepEqual(back.losses, [])
      assert.deepEqual(children(one(back)), children(booster))
      assert.deepEqual(one(converted(back.objects, isList ? 'single' : 'list')), one(there))
    }),
    { numRuns: 60 },
  )
})

const bounds = fc.record({
  minReplicas: fc.integer({ min: 0, max: 3 }),
  maxReplicas: fc.integer({ min: 3, max: 9 }),
  scaleToZeroGracePeriod: fc.constantFrom('10s', '1m'),
})
const oldTarget = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  port: fc.constantFrom(8000, 8100),
  labels: fc.constantFrom({}, { app: 'x' }),
})
const policySpec = fc.record({
  tolerancePercent: fc.constantFrom(10, 25),
  metrics: fc
    .subarray(['kthena:num_requests_waiting', 'vllm:kv_cache_usage_perc'], { minLength: 1 })
    .map((names) => names.map((metricName) => ({ metricName, targetValue: 10 }))),
})
const object = (kind: string, name: string, spec: object): AnyResource => ({
  apiVersion: 'workload.serving.volcano.sh/v1alpha1',
  kind,
  metadata: { name, namespace: 'default' },
  spec: spec as Record<string, unknown>,
})
const bound = fc
  .tuple(
    policySpec,
    fc.uniqueArray(oldTarget, { selector: ({ name }) => name, minLength: 1 }),
    bounds,
    fc.constantFrom('one', 'pool', 'role'),
  )
  .map(([policy, targets, range, how]) => {
    const members = targets.map(({ name, port, labels }) => ({
      targetRef: { kind: 'ModelServing', name },
      metricEndpoint: { uri: '/metrics', port },
      additionalMatchLabels: labels,
    }))
    const [target] = members
    const scaling =
      how === 'pool'
        ? {
            optimizerConfiguration: {
              params: members.map((member, i) => ({ target: member, cost: i + 1, ...range })),
              costExpansionRatePercent: 150,
            },
          }
        : {
            scalingConfiguration: {
              target: { ...target, ...(how === 'role' && { subTargets: { kind: 'Role', name: 'decode' } }) },
              ...range,
            },
          }
    return [
      object('AutoscalingPolicy', 'scaled', policy),
      object('AutoscalingPolicyBinding', 'scaled', { policyRef: { name: 'scaled' }, ...scaling }),
    ] as const
  })

/** What the autoscaler reads: the names and the windows, wherever they are written. */
function targetOf(objects: readonly AnyResource[]): unknown {
  const [policy, binding] = ['AutoscalingPolicy', 'AutoscalingPolicyBinding'].map((kind) =>
    objects.filter((each) => each.kind === kind).map(stored),
  )
  const first = policy?.[0]
  assert.ok(first !== undefined && isOfKind(first, AutoscalingPolicy))
  const bindings = binding?.[0]
  const found =
    bindings !== undefined && isOfKind(bindings, AutoscalingPolicyBinding)
      ? normaliseBinding(first, bindings)
      : normalisePolicy(first)
  assert.ok(found?.ok, JSON.stringify(found))
  const { shape: _, ...target } = found.target
  return target
}

test('a policy with a binding and one with a target scale the same, there and back', () => {
  fc.assert(
    fc.property(bound, (objects) => {
      const there = converted(objects, 'targets')
      assert.deepEqual(there.losses, [])
      assert.equal(there.objects.length, 1)
      assert.deepEqual(targetOf(there.objects), targetOf(objects))
      const back = converted(there.objects, 'bindings')
      assert.deepEqual(back.losses, [])
      assert.deepEqual(targetOf(back.objects), targetOf(objects))
      assert.deepEqual(
        converted(back.objects, 'targets').objects.map(({ spec }) => spec),
        there.objects.map(({ spec }) => spec),
      )
    }),
    { numRuns: 60 },
  )
})

const policy = { metrics: [{ metricName: 'matrixinfer:num_requests_waiting', targetValue: 10 }] }
const scaled = { targetRef: { name: 'a' }, metricSources: {} }
const losing: Record<string, { objects: readonly AnyResource[]; to: Shape; fields: readonly string[] }> = {
  'a second backend': {
    objects: [modelBooster('m', { backends: [backend('a'), backend('b'), backend('c')] })],
    to: 'single',
    fields: ['spec.backends[1]', 'spec.backends[2]'],
  },
  'a pool of the model': {
    objects: [
      modelBooster('m', {
        autoscalingPolicy: policy,
        costExpansionRatePercent: 100,
        backends: [backend('a', { maxReplicas: 2, scalingCost: 3 })],
      }),
    ],
    to: 'single',
    fields: ['spec.autoscalingPolicy', 'spec.costExpansionRatePercent', 'spec.backends[0].scalingCost'],
  },
  'a single backend that scales to zero': {
    objects: [
      modelBooster('m', {
        backends: undefined,
        backend: backend('a', {
          minReplicas: 0,
          maxReplicas: 2,
          scaleToZeroGracePeriod: '5s',
          autoscalingPolicy: policy,
        }),
      }),
    ],
    to: 'list',
    fields: ['spec.backend.scaleToZeroGracePeriod', 'spec.backend.minReplicas'],
  },
  'a binding without its policy': {
    objects: [object('AutoscalingPolicyBinding', 'b', { policyRef: { name: 'elsewhere' } })],
    to: 'targets',
    fields: ['spec.policyRef'],
  },
  'a role in a pool': {
    objects: [
      object('AutoscalingPolicy', 'p', policy),
      object('AutoscalingPolicyBinding', 'b', {
        policyRef: { name: 'p' },
        optimizerConfiguration: { params: [{ target: { targetRef: { name: 'a' }, subTargets: { name: 'decode' } } }] },
      }),
    ],
    to: 'targets',
    fields: ['spec.optimizerConfiguration.params[0].target.subTargets'],
  },
  'metrics that are not read from pods': {
    objects: [
      object('AutoscalingPolicy', 'p', {
        homogeneousTarget: {
          target: {
            ...scaled,
            metricSources: { q: { prometheus: { serverURL: 'http://x', query: 'q' } }, r: { router: {} } },
          },
        },
      }),
    ],
    to: 'bindings',
    fields: ['spec.homogeneousTarget.target.metricSources["q"]', 'spec.homogeneousTarget.target.metricSources["r"]'],
  },
  'metrics at different ports, under other names, of several series': {
    objects: [
      object('AutoscalingPolicy', 'p', {
        homogeneousTarget: {
          target: {
            ...scaled,
            metricSources: {
              a: { pod: { port: 1 } },
              b: { pod: { port: 2, name: 'c', merge: 'Max', labelSelector: { matchExpressions: [] } } },
            },
          },
        },
      }),
    ],
    to: 'bindings',
    fields: ['', '.name', '.merge', '.labelSelector.matchExpressions'].map(
      (end) => `spec.homogeneousTarget.target.metricSources["b"].pod${end}`,
    ),
  },
  'a ratio of roles': {
    objects: [
      object('AutoscalingPolicy', 'p', {
        disaggregatedTarget: { targetRef: { name: 'a' }, roles: { prefill: {}, decode: {} }, ratioConstraint: {} },
      }),
    ],
    to: 'bindings',
    fields: ['spec.disaggregatedTarget.ratioConstraint'],
  },
  'fields that a Model never had': {
    objects: [
      {
        ...modelBooster('m', { rateLimit: {}, backends: [backend('a', { runtimeClassName: 'x' })] }),
        apiVersion: 'registry.matrixinfer.ai/v1alpha1',
        kind: 'Model',
      },
    ],
    to: 'booster',
    fields: ['spec.backends[0].runtimeClassName', 'spec.rateLimit'],
  },
}
for (const [name, { objects, to, fields }] of Object.entries(losing)) {
  test(`what cannot be carried over is named: ${name}`, () => {
    const { losses } = converted(objects, to)
    assert.deepEqual(
      losses.map(({ field }) => field),
      fields,
    )
    assert.ok(losses.every(({ detail }) => detail.length > 10))
  })
}

test('a Model becomes a ModelBooster that is valid and means what its controller did', () => {
  const model = {
    apiVersion: 'registry.matrixinfer.ai/v1alpha1',
    kind: 'Model',
    metadata: { name: 'm', namespace: 'ml', labels: { team: 'x' } },
    spec: {
      autoscalingPolicy: policy,
      costExpansionRatePercent: 100,
      backends: [
        backend('a', { maxReplicas: 2, scalingCost: 1, loraAdapters: [{ name: 'sql', artifactURL: 'hf://o/sql' }] }),
        backend('b', {
          type: 'vLLMDisaggregated',
          maxReplicas: 2,
          scalingCost: 1,
          workers: [{ type: 'prefill', config: { enforce_eager: '' } }, { type: 'decode' }],
        }),
      ],
    },
    status: { conditions: [] },
  }
  const { objects, losses } = modelToBooster(model)
  assert.deepEqual(losses, [])
  const [booster] = objects
  assert.ok(booster !== undefined)
  const { metadata, spec, status } = stored(booster)
  assert.deepEqual([metadata, status], [model.metadata, undefined])
  const read = spec as unknown as {
    autoscalingPolicy: { metrics: { metricName: string }[] }
    backends: { schedulerName?: string; workers: { config: Record<string, string> }[] }[]
  }
  assert.equal(read.autoscalingPolicy.metrics[0]?.metricName, 'kthena:num_requests_waiting')
  assert.deepEqual(
    read.backends.map(({ schedulerName, workers }) => [
      schedulerName,
      workers.map(({ config }) => Object.keys(config)),
    ]),
    [
      [undefined, [['enforce-eager']]],
      ['volcano', [['enforce_eager'], ['enforce-eager']]],
    ],
  )
})
