import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { FieldError } from '#machinery/field-error.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { checkModelBooster, warnModelBooster } from './model-booster-rules.ts'

type Fields = Record<string, unknown>

function booster(spec: Fields, metadata: Fields = {}): AnyResource {
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    metadata: { name: 'chat', ...metadata },
    spec,
  }
}
/** The smallest valid backend, with what a row is about. */
function backend(change: Fields = {}): Fields {
  return {
    name: 'a',
    type: 'vLLM',
    modelURI: 'hf://o/m',
    minReplicas: 1,
    maxReplicas: 1,
    workers: [{ image: 'i' }],
    ...change,
  }
}
const list = (...backends: Fields[]) => booster({ backends })
const worker = (change: Fields = {}) => list(backend({ workers: [{ image: 'i', ...change }] }))
const policy = { metrics: [{ metricName: 'm', targetValue: 1 }] }
const pooled = (spec: Fields, ...backends: Fields[]) => booster({ autoscalingPolicy: policy, ...spec, backends })

const routed = (...additionalRoutes: Fields[]) => booster({ additionalRoutes, backends: [backend()] })
const route = 'spec.additionalRoutes[0]'

function kv(connector?: string, role?: string): Fields {
  return { 'kv-transfer-config': JSON.stringify({ kv_connector: connector, kv_role: role }) }
}
function pair(prefill: Fields = {}, decode: Fields = {}, change: Fields = {}): AnyResource {
  const workers = [
    { type: 'prefill', image: 'i', config: prefill },
    { type: 'decode', image: 'i', config: decode },
  ]
  return list(backend({ type: 'vLLMDisaggregated', workers, ...change }))
}

/** `field`, then the value where one is reported. */
type Want = readonly [field: string, word: RegExp, value?: unknown]
const at = 'spec.backends[0]'

const wrong: Record<string, { object: AnyResource; want: readonly Want[] }> = {
  'C18-1 both forms at once': {
    object: booster({ backend: backend(), backends: [backend()] }),
    want: [['spec.backend', /mutually exclusive/]],
  },
  'C18-2 neither form': { object: booster({}), want: [['spec.backends', /write a list of backends/]] },
  'an empty list of backends': { object: booster({ backends: [] }), want: [['spec.backends', /at least 1/]] },
  'C18-3 two backends of one name': {
    object: list(backend(), backend()),
    want: [['spec.backends[1].name', /^$/, 'a']],
  },
  'C18-4 bounds in the wrong order': {
    object: list(backend({ minReplicas: 3, maxReplicas: 2 })),
    want: [
      [`${at}.minReplicas`, /greater than maxReplicas/, 3],
      [at, /equal .* without an autoscaling policy/, 'minReplicas: 3, maxReplicas: 2'],
    ],
  },
  'C18-5 too many replicas in all': {
    object: list(
      backend({ minReplicas: 600_000, maxReplicas: 600_000 }),
      backend({ name: 'b', minReplicas: 600_000, maxReplicas: 600_000 }),
    ),
    want: [['spec.backends', /must not exceed 1000000/, 1_200_000]],
  },
  'C18-6 vLLM with two workers': {
    object: list(backend({ workers: [{ image: 'i' }, { image: 'i' }] })),
    want: [[`${at}.workers`, /exactly one worker/, 2]],
  },
  'C18-7 vLLM with a decode worker': {
    object: worker({ type: 'decode' }),
    want: [[`${at}.workers[0].type`, /server/, 'decode']],
  },
  'C18-8 a server worker among prefill and decode': {
    object: list(backend({ type: 'vLLMDisaggregated', workers: [{ image: 'i' }, { type: 'decode', image: 'i' }] })),
    want: [
      [`${at}.workers[0].type`, /prefill, decode/, 'server'],
      [`${at}.workers`, /exactly one worker of type prefill/, 0],
    ],
  },
  'C18-9 prefill without decode': {
    object: list(backend({ type: 'vLLMDisaggregated', workers: [{ type: 'prefill', image: 'i' }] })),
    want: [[`${at}.workers`, /exactly one worker of type decode/, 0]],
  },
  'C18-10 an image with a blank': {
    object: worker({ image: 'a b' }),
    want: [[`${at}.workers[0].image`, /white space/, 'a b']],
  },
  'C18-10 an image with a tab': {
    object: worker({ image: 'a\tb' }),
    want: [[`${at}.workers[0].image`, /white space/]],
  },
  'C18-10 an image with a newline': {
    object: worker({ image: 'a\n' }),
    want: [[`${at}.workers[0].image`, /white space/]],
  },
  'an image with a no-break space': {
    object: worker({ image: 'a\u00a0b' }),
    want: [[`${at}.workers[0].image`, /white space/]],
  },
  'C18-11 policies at both levels': {
    object: pooled({}, backend({ scalingCost: 1, autoscalingPolicy: policy })),
    want: [['spec.autoscalingPolicy', /choose one level/]],
  },
  'C18-12 no cost with a policy of the model': {
    object: pooled({}, backend()),
    want: [[`${at}.scalingCost`, /above 0/]],
  },
  'C18-13 nothing but zero with a policy of the model': {
    object: pooled({}, backend({ scalingCost: 1, minReplicas: 0 })),
    want: [['spec.backends', /at least 1/, 0]],
  },
  'C18-14 a cost without a policy of the model': {
    object: list(backend({ scalingCost: 5 })),
    want: [[`${at}.scalingCost`, /only with spec.autoscalingPolicy/]],
  },
  'C18-15 a policy of a backend that starts at zero': {
    object: list(backend({ minReplicas: 0, autoscalingPolicy: policy })),
    want: [[`${at}.minReplicas`, /at least 1/, 0]],
  },
  'C18-16 a grace period of more than half an hour': {
    object: pooled({}, backend({ scalingCost: 1, scaleToZeroGracePeriod: '31m' })),
    want: [[`${at}.scaleToZeroGracePeriod`, /1800 seconds/, '31m']],
  },
  'C18-16 a negative grace period': {
    object: pooled({}, backend({ scalingCost: 1, scaleToZeroGracePeriod: '-1s' })),
    want: [[`${at}.scaleToZeroGracePeriod`, /negative/, '-1s']],
  },
  'a grace period without a policy of the model': {
    object: list(backend({ scaleToZeroGracePeriod: '30s' })),
    want: [[`${at}.scaleToZeroGracePeriod`, /only with spec.autoscalingPolicy/]],
  },
  'an expansion rate without a policy of the model': {
    object: booster({ backends: [backend()], costExpansionRatePercent: 100 }),
    want: [['spec.costExpansionRatePercent', /only with spec.autoscalingPolicy/]],
  },
  'C18-17 an adapter named like the model': {
    object: list(backend({ loraAdapters: [{ name: 'chat', artifactURL: 'hf://o/l' }] })),
    want: [[`${at}.loraAdapters[0].name`, /differ/, 'chat']],
  },
  'an adapter named like what clients ask for': {
    object: booster({ name: 'pub', backends: [backend({ loraAdapters: [{ name: 'pub', artifactURL: 'hf://o/l' }] })] }),
    want: [[`${at}.loraAdapters[0].name`, /differ/, 'pub']],
  },
  'C18-17 an adapter twice in one backend': {
    object: list(backend({ loraAdapters: [1, 2].map(() => ({ name: 'fr', artifactURL: 'hf://o/l' })) })),
    want: [[`${at}.loraAdapters[1].name`, /unique/, 'fr']],
  },
  'C18-18 a port that is none': {
    object: worker({ config: { port: null } }),
    want: [[`${at}.workers[0].config.port`, /1 to 65535/, null]],
  },
  'C18-18 engines on different ports': {
    object: pair({ port: 9000 }),
    want: [[`${at}.workers[1].config.port`, /different engine ports: 9000/, 8000]],
  },
  'a port that the backend and its worker say differently': {
    object: list(backend({ engine: { port: 9000 }, workers: [{ image: 'i', config: { port: 9001 } }] })),
    want: [[`${at}.workers[0].config.port`, /different engine ports: 9000/, 9001]],
  },
  'recovery by group with a rollout by role': {
    object: list(backend({ recoveryPolicy: 'ServingGroupRecreate', rolloutStrategy: { type: 'RoleRollingUpdate' } })),
    want: [[`${at}.recoveryPolicy`, /RoleRecreate or None/]],
  },
  'metrics of pods that there are none of': {
    object: list(backend({ autoscaling: { metricRole: 'decode' } })),
    want: [[`${at}.autoscaling.metricRole`, /write leader/, 'decode']],
  },
  'a further route for nobody': {
    object: routed({ name: 'r' }),
    want: [[`${route}.modelName`, /clients ask this route for/]],
  },
  'a further route of the model’s own name': {
    object: routed({ name: 'r', modelName: 'chat' }),
    want: [[`${route}.modelName`, /goes first/, 'chat']],
  },
  'two further routes of one name': {
    object: routed({ name: 'r', modelName: 'x' }, { name: 'r', modelName: 'x' }),
    want: [
      ['spec.additionalRoutes[1].name', /^$/, 'r'],
      ['spec.additionalRoutes[1].modelName', /goes first/, 'x'],
    ],
  },
  'a further route to nowhere': {
    object: routed({ name: 'r', modelName: 'x', targets: [{ backend: 'z', weight: 1 }] }),
    want: [[`${route}.targets[0].backend`, /no such backend; write one of a/, 'z']],
  },
  'a further route without weight': {
    object: routed({ name: 'r', modelName: 'x', targets: [{ backend: 'a', weight: 0 }] }),
    want: [[`${route}.targets`, /raise one/, 0]],
  },
  'a further route for an adapter that its targets lack': {
    object: routed({ name: 'r', loraAdapters: ['sql'] }),
    want: [[`${route}.loraAdapters[0]`, /a has no such adapter/, 'sql']],
  },
  'C18-19 weights on a claim, cached on a host': {
    object: list(backend({ modelURI: 'pvc://w/m', cacheURI: 'hostpath:///c' })),
    want: [[`${at}.cacheURI`, /must be pvc:\/\/ too/, 'hostpath:///c']],
  },
  'C18-20 a path that climbs out of the claim': {
    object: list(backend({ modelURI: 'pvc://../x', cacheURI: 'pvc://w' })),
    want: [[`${at}.modelURI`, /"\.\."/, 'pvc://../x']],
  },
  'C18-21 weights beside the cache mount': {
    object: list(backend({ modelURI: 'pvc:///foobar/x', cacheURI: 'pvc://foo' })),
    want: [[`${at}.modelURI`, /outside the cache mount \/foo/]],
  },
  'a claim without a name': {
    object: list(backend({ cacheURI: 'pvc:///' })),
    want: [[`${at}.cacheURI`, /pvc:\/\/CLAIM/, 'pvc:///']],
  },
  'a cache in the root of the host': {
    object: list(backend({ cacheURI: 'hostpath:///' })),
    want: [[`${at}.cacheURI`, /hostpath:\/\/\/PATH/]],
  },
  'an adapter on another claim than the cache': {
    object: list(backend({ cacheURI: 'pvc://w', loraAdapters: [{ name: 'fr', artifactURL: 'pvc://z/fr' }] })),
    want: [[`${at}.loraAdapters[0].artifactURL`, /outside the cache mount \/w/]],
  },
  'an adapter on a claim without a cache': {
    object: list(backend({ loraAdapters: [{ name: 'fr', artifactURL: 'pvc://z/fr' }] })),
    want: [[`${at}.loraAdapters[0].artifactURL`, /set cacheURI/]],
  },
  'C18-22 two connectors': {
    object: pair(kv('NixlConnector', 'kv_producer'), kv('MooncakeConnector', 'kv_consumer')),
    want: [[`${at}.workers`, /different connectors \(NixlConnector, MooncakeConnector\)/, 'a']],
  },
  'C18-23 prefill as a consumer': {
    object: pair(kv('NixlConnector', 'kv_consumer'), kv('NixlConnector', 'kv_consumer')),
    want: [[`${at}.workers`, /prefill worker: kv_role .*write kv_producer or kv_both/, 'a']],
  },
  'C18-24 a connector on one side only': {
    object: pair(kv('NixlConnector', 'kv_producer')),
    want: [[`${at}.workers`, /decode worker has no config.kv-transfer-config/, 'a']],
  },
  'a connector without a name': {
    object: pair(kv(undefined, 'kv_both'), kv('NixlConnector', 'kv_both')),
    want: [[`${at}.workers`, /prefill worker: kv_connector is missing/]],
  },
  'a connector that is no JSON': {
    object: pair({ 'kv-transfer-config': '{' }, kv('NixlConnector', 'kv_both')),
    want: [[`${at}.workers`, /must be a JSON object/]],
  },
  'C18-25 all weights zero': {
    object: list(backend({ routeWeight: 0 }), backend({ name: 'b', routeWeight: 0 })),
    want: [[`${at}.routeWeight`, /weight 0/, 0]],
  },
  'an adapter only where the weight is zero': {
    object: list(
      backend(),
      backend({ name: 'b', routeWeight: 0, loraAdapters: [{ name: 'fr', artifactURL: 'hf://o/l' }] }),
    ),
    want: [['spec.backends[1].routeWeight', /adapter fr/, 0]],
  },
  'C18-26 a config that is no object': {
    object: worker({ config: 'x' }),
    want: [[`${at}.workers[0].config`, /object of engine arguments/, 'x']],
  },
  'C18-27 a fixed size with a policy': {
    object: booster({
      autoscalingPolicy: policy,
      backend: backend({ replicas: 1, minReplicas: undefined, maxReplicas: undefined }),
    }),
    want: [['spec.backend.replicas', /minReplicas and maxReplicas instead/, 1]],
  },
  'one bound without the other': {
    object: list(backend({ maxReplicas: undefined })),
    want: [[`${at}.maxReplicas`, /goes with minReplicas/]],
  },
  'no replicas at all': {
    object: list(backend({ minReplicas: undefined, maxReplicas: undefined })),
    want: [[`${at}.replicas`, /write replicas/]],
  },
  'replicas outside the bounds': {
    object: list(backend({ replicas: 4, maxReplicas: 3, autoscalingPolicy: policy })),
    want: [[`${at}.replicas`, /between minReplicas \(1\) and maxReplicas \(3\)/, 4]],
  },
  'C18-28 names that make too long a pod name': {
    object: booster({ backends: [backend({ name: 'abcdef' })] }, { name: 'm'.repeat(60) }),
    want: [[`${at}.name`, /80 characters.*shorten .* by 17/, 'abcdef']],
  },
  'a name with a dot': {
    object: booster({ backends: [backend()] }, { name: 'v1.5' }),
    want: [['metadata.name', /no dots/, 'v1.5']],
  },
  'C18-30 a backend’s name in upper case': {
    object: list(backend({ name: 'Aa_' })),
    want: [[`${at}.name`, /lower-case/, 'Aa_']],
  },
  'more adapters than a route takes': {
    object: list(
      backend({ loraAdapters: [...Array(11).keys()].map((i) => ({ name: `l${i}`, artifactURL: 'hf://o/l' })) }),
    ),
    want: [['spec.backends', /at most 10/, 11]],
  },
  'more backends than a route takes': {
    object: list(...[...Array(17).keys()].map((i) => backend({ name: `b${i}` }))),
    want: [['spec.backends', /at most 16/, 17]],
  },
  'a sidecar port that is none': {
    object: list(backend({ env: [{ name: 'A' }, { name: 'RUNTIME_PORT', value: 'http' }] })),
    want: [[`${at}.env[1].value`, /port from 1 to 65535/, 'http']],
  },
  'a sidecar on the engine’s port': {
    object: list(backend({ env: [{ name: 'RUNTIME_PORT', value: '8000' }] })),
    want: [[`${at}.env[0].value`, /cannot serve both/, '8000']],
  },
  'an engine on the sidecar’s port': {
    object: worker({ config: { port: 8100 } }),
    want: [[`${at}.workers[0].config.port`, /cannot serve both/, 8100]],
  },
  'a metric without a name': {
    object: list(backend({ maxReplicas: 2, autoscalingPolicy: { metrics: [{ targetValue: 1 }] } })),
    want: [[`${at}.autoscalingPolicy.metrics[0].metricName`, /name a metric/]],
  },
}

for (const [name, { object, want }] of Object.entries(wrong)) {
  test(`refused: ${name}`, () => {
    const errors = checkModelBooster(object)
    assert.deepEqual(
      errors.map(({ field }) => field),
      want.map(([field]) => field),
      JSON.stringify(errors),
    )
    for (const [i, [, word, value]] of want.entries()) {
      assert.match(errors[i]?.detail ?? '', word)
      if (value !== undefined) assert.deepEqual(errors[i]?.value, value)
    }
  })
}

const right: Record<string, AnyResource> = {
  'the smallest of each form: list': list(backend()),
  'the smallest of each form: single': booster({
    backend: backend({ minReplicas: undefined, maxReplicas: undefined, replicas: 0 }),
  }),
  'C18-29 MindIE, which only conversion refuses': list(backend({ type: 'MindIE' })),
  'a backend without policy beside one with': list(
    backend({ maxReplicas: 3 }),
    backend({ name: 'b', maxReplicas: 3, autoscalingPolicy: policy }),
  ),
  'a single backend that scales to zero': booster({
    autoscalingPolicy: policy,
    backend: backend({ minReplicas: 0, maxReplicas: 3, scaleToZeroGracePeriod: '1m30s' }),
  }),
  'Mooncake under both of its names': pair(
    kv('MooncakeConnector', 'kv_both'),
    kv('MooncakeConnectorV1', 'kv_consumer'),
  ),
  'a connector as an object instead of a string': pair(
    { kv_transfer_config: { kv_connector: 'NixlConnector', kv_role: 'kv_producer' } },
    kv('NixlConnector', 'kv_consumer'),
  ),
  'a port as text': worker({ config: { port: '9000' } }),
  'weights on the claim that is the cache': list(backend({ modelURI: 'pvc:///w/m', cacheURI: 'pvc://w' })),
  'a metric in its newer spelling': list(
    backend({ maxReplicas: 2, autoscalingPolicy: { metrics: [{ name: 'm', targetValue: '500m' }] } }),
  ),
}
for (const [name, object] of Object.entries(right)) {
  test(`accepted: ${name}`, () => assert.deepEqual(checkModelBooster(object), []))
}

const odd: Record<string, { object: AnyResource; want: readonly Want[] }> = {
  'nothing, where all is usual': { object: list(backend()), want: [] },
  'a worker without an image': { object: worker({ image: '' }), want: [[`${at}.workers[0].image`, /cannot start/]] },
  'an argument in upper case': {
    object: worker({ config: { maxModelLen: 1 } }),
    want: [[`${at}.workers[0].config.maxModelLen`, /--maxModelLen/]],
  },
  'the model as an argument': {
    object: worker({ config: { model: 'x' } }),
    want: [[`${at}.workers[0].config.model`, /downloaded model/]],
  },
  'what looks like a placeholder': {
    object: worker({ image: '${X}' }),
    want: [[`${at}.workers[0].image`, /nothing replaces/]],
  },
  'a base URL that has the path already': {
    object: list(backend({ env: [{ name: 'RUNTIME_URL', value: 'http://localhost:8000/metrics' }] })),
    want: [[`${at}.env`, /base URL/]],
  },
  'a variable that the controller owns': {
    object: list(backend({ env: [{ name: 'POD_NAME', value: 'x' }] })),
    want: [[`${at}.env[0].name`, /not used/]],
  },
  'a connector that the router does not know': {
    object: pair(kv('P2pNcclConnector', 'kv_producer'), kv('P2pNcclConnector', 'kv_consumer')),
    want: [
      [`${at}.workers[0].config.kv-transfer-config`, /does not know/, 'P2pNcclConnector'],
      [`${at}.workers[1].config.kv-transfer-config`, /does not know/, 'P2pNcclConnector'],
    ],
  },
  'a Gateway, which the router does not know': {
    object: booster({ parentRefs: [{ name: 'gw' }], backends: [backend()] }),
    want: [['spec.parentRefs', /without parentRefs/]],
  },
  'a backend at zero for ever': {
    object: list(backend({ minReplicas: 0, maxReplicas: 0 })),
    want: [[`${at}.minReplicas`, /nothing scales it up/]],
  },
  'a sub-directory of a claim': {
    object: list(backend({ cacheURI: 'pvc://w/team' })),
    want: [[`${at}.cacheURI`, /sub-directory/]],
  },
  'a range that no policy uses': {
    object: list(backend({ maxReplicas: 3 }), backend({ name: 'b', autoscalingPolicy: policy })),
    want: [[at, /stays at minReplicas \(1\)/]],
  },
  'workers that serve different names': {
    object: pair({ 'served-model-name': 'x' }, {}),
    want: [[`${at}.workers`, /differs between workers/, 'chat']],
  },
}
for (const [name, { object, want }] of Object.entries(odd)) {
  test(`warned of: ${name}`, () => {
    const warnings: FieldError[] = warnModelBooster(object)
    assert.deepEqual(
      warnings.map(({ field }) => field),
      want.map(([field]) => field),
      JSON.stringify(warnings),
    )
    for (const [i, [, word, value]] of want.entries()) {
      assert.match(warnings[i]?.detail ?? '', word)
      if (value !== undefined) assert.deepEqual(warnings[i]?.value, value)
    }
  })
}

test('no JSON makes a rule throw', () => {
  const json = fc.jsonValue({ maxDepth: 4 })
  const named = fc.dictionary(
    fc.constantFrom(
      'name',
      'type',
      'backends',
      'backend',
      'workers',
      'config',
      'env',
      'modelURI',
      'cacheURI',
      'loraAdapters',
      'engine',
      'runtime',
      'kvEvents',
      'autoscaling',
      'rolloutStrategy',
      'additionalRoutes',
      'targets',
      'updateStrategy',
      'timeout',
    ),
    fc.oneof(json, fc.array(fc.dictionary(fc.constantFrom('name', 'type', 'workers', 'config', 'env', 'value'), json))),
  )
  fc.assert(
    fc.property(fc.oneof(json, named), fc.oneof(json, named), (spec, metadata) => {
      const object = { apiVersion: 'a', kind: 'b', metadata, spec } as unknown as AnyResource
      checkModelBooster(object)
      warnModelBooster(object)
    }),
    { numRuns: 500 },
  )
})
