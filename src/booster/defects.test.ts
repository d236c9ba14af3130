/** What earlier controllers got wrong with a model's children, each by the name that the list of them gives it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kthena } from '#api/dialects.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { checkModelBooster } from '#api/model-booster-rules.ts'
import type { Container, EnvVar, PodSpec } from '#api/core/types.generated.ts'
import { isObject } from '#base/json.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { childrenOf, convert } from './convert.ts'
import { observe } from './observe.ts'
import { plan } from './plan.ts'

type Fields = Record<string, unknown>

function booster(spec: Fields, metadata: Fields = {}): ModelBooster {
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    metadata: { name: 'chat', namespace: 'ml', uid: 'u-1', generation: 1, ...metadata },
    spec,
  } as unknown as ModelBooster // as it comes over the wire
}

function backend(change: Fields = {}): Fields {
  const bounds = { minReplicas: 1, maxReplicas: 1 }
  return { name: 'a', type: 'vLLM', modelURI: 'hf://o/m', ...bounds, workers: [{ image: 'i' }], ...change }
}

const worker = (change: Fields): Fields => ({ workers: [{ image: 'i', ...change }] })
const pair = (prefill: Fields = {}, decode: Fields = {}): Fields => ({
  type: 'vLLMDisaggregated',
  workers: [
    { type: 'prefill', image: 'i', ...prefill },
    { type: 'decode', image: 'i', ...decode },
  ],
})
const policy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }

function children(spec: Fields): Map<string, AnyResource> {
  const conversion = convert(booster(spec), kthena.images)
  assert.ok(conversion.ok, JSON.stringify(conversion))
  const plain = JSON.parse(JSON.stringify(childrenOf(conversion.desired))) as AnyResource[]
  return new Map(plain.map((child) => [`${child.kind}/${child.metadata.name}`, child]))
}

interface Role {
  readonly name: string
  readonly replicas: number
  readonly workerReplicas: number
  readonly entryTemplate: Template
  readonly workerTemplate: Template
}
interface Template {
  readonly metadata: { readonly labels: Record<string, string> }
  readonly spec: PodSpec
}

function rolesOf(spec: Fields, name = 'chat-a'): Role[] {
  const { template } = children(spec).get(`ModelServing/${name}`)?.spec as { template: { roles: Role[] } }
  return template.roles
}

function roleOf(change: Fields): Role {
  const [role] = rolesOf({ backends: [backend(change)] })
  assert.ok(role)
  return role
}

function container({ spec }: Template, name: string): Container {
  const found = [...spec.containers, ...(spec.initContainers ?? [])].find((each) => each.name === name)
  assert.ok(found, `no container ${name}`)
  return found
}

const engine = (change: Fields): Container => container(roleOf(change).entryTemplate, 'engine')
const script = ({ command = [] }: Container): string => command.join(' ')

function selectorOf(spec: Fields, name: string): Record<string, string> {
  const { workloadSelector } = children(spec).get(`ModelServer/${name}`)?.spec as {
    workloadSelector: { matchLabels: Record<string, string> }
  }
  return workloadSelector.matchLabels
}

const entry = kthena.podLabels.entry

test('B-01 without any webhook, what nobody said has its default: 30 seconds of grace, 200 %', () => {
  const backends = [
    backend({ minReplicas: 0, maxReplicas: 2, scalingCost: 1 }),
    backend({ name: 'b', maxReplicas: 2, scalingCost: 2 }),
  ]
  const binding = children({ autoscalingPolicy: policy, backends }).get('AutoscalingPolicyBinding/chat')
  const { params, costExpansionRatePercent } = binding?.spec?.['optimizerConfiguration'] as {
    params: Fields[]
    costExpansionRatePercent: number
  }
  assert.equal(params[0]?.['scaleToZeroGracePeriod'], '30s')
  assert.equal(costExpansionRatePercent, 200)
})

test('B-02 a worker without pods is one pod, and starts no Ray', () => {
  const role = roleOf({})
  assert.equal(role.workerReplicas, 0)
  assert.doesNotMatch(script(container(role.entryTemplate, 'engine')), /ray/)
})

test('B-03 a worker without replicas has one, and one with none has none', () => {
  assert.equal(roleOf({}).replicas, 1)
  assert.equal(roleOf(worker({ replicas: 0 })).replicas, 0)
})

test('B-04 the pods of a pair carry what their server selects by', () => {
  const spec = { backends: [backend(pair())] }
  const ours = Object.entries(selectorOf(spec, 'chat-a')).filter(([name]) => name !== entry)
  assert.ok(ours.length >= 2)
  for (const { entryTemplate } of rolesOf(spec))
    for (const [name, value] of ours) assert.equal(entryTemplate.metadata.labels[name], value)
})

test('B-05 a server selects pods that answer, and no follower', () => {
  const spec = { backends: [backend(worker({ pods: 2 }))] }
  assert.equal(selectorOf(spec, 'chat-a')[entry], 'true')
  assert.equal(rolesOf(spec)[0]?.workerTemplate.metadata.labels[entry], undefined)
})

test('B-06 another weight leaves a serving byte for byte as it was', () => {
  const serving = (routeWeight: number) =>
    children({ backends: [backend({ routeWeight }), backend({ name: 'b' })] }).get('ModelServing/chat-a')
  assert.deepEqual(serving(10), serving(90))
})

test('B-09 numbers are digits, a true is a bare flag, and JSON is JSON', () => {
  const config = { 'max-num-batched-tokens': 1_048_576, 'enable-prefix-caching': true, 'hf-overrides': { a: [1] } }
  const { command = [] } = engine(worker({ config }))
  assert.equal(command[command.indexOf('--max-num-batched-tokens') + 1], '1048576')
  assert.match(command[command.indexOf('--enable-prefix-caching') + 1] ?? '--', /^--/)
  assert.equal(command[command.indexOf('--hf-overrides') + 1], '{"a":[1]}')
})

test('B-10 the engine serves under the name that requests are rewritten to, however the key is spelt', () => {
  for (const [config, want] of [
    [undefined, 'chat'],
    [{ 'served-model-name': 'x' }, 'x'],
    [{ served_model_name: 'x' }, 'x'],
  ] as const) {
    const change = worker(config === undefined ? {} : { config })
    const { command = [] } = engine(change)
    assert.equal(command[command.indexOf('--served-model-name') + 1], want)
    assert.equal(children({ backends: [backend(change)] }).get('ModelServer/chat-a')?.spec?.['model'], want)
  }
})

test('B-11 over several pods the last arguments reach the engine too', () => {
  const loraAdapters = [{ name: 'fr', artifactURL: 'hf://o/fr' }]
  const { command = [] } = engine({ ...worker({ pods: 2 }), loraAdapters })
  assert.equal(command.length, 3)
  assert.match(command[2] ?? '', /--lora-modules.*fr=/)
  assert.match(command[2] ?? '', /--kv-events-config/)
})

test('B-13 the environment of a backend reaches every container', () => {
  const envFrom = [{ secretRef: { name: 'keys' } }]
  const role = roleOf({ ...worker({ pods: 2 }), envFrom })
  const all = [role.entryTemplate, role.workerTemplate].flatMap(({ spec }) => [
    ...(spec.initContainers ?? []),
    ...spec.containers,
  ])
  assert.ok(all.length >= 4)
  for (const each of all) assert.deepEqual(each.envFrom, envFrom, each.name)
})

test('B-14 the sidecar sees the weights', () => {
  const { entryTemplate } = roleOf({ cacheURI: 'pvc://c' })
  assert.ok(container(entryTemplate, 'runtime').volumeMounts?.some(({ name }) => name === 'a-weights'))
})

test('B-15 no variable is there twice, and the user’s value wins', () => {
  const env = [{ name: 'GLOO_SOCKET_IFNAME', value: 'ib0' }]
  const [, decode] = rolesOf({ backends: [backend({ ...pair(), env })] })
  assert.ok(decode)
  const found = container(decode.entryTemplate, 'vllm').env?.filter(({ name }) => name === 'GLOO_SOCKET_IFNAME')
  assert.deepEqual(found, env)
})

test('B-16 the downloader has the token, wherever it comes from', () => {
  const token: EnvVar = { name: 'HF_AUTH_TOKEN', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } }
  const { entryTemplate } = roleOf({ env: [token] })
  assert.deepEqual(container(entryTemplate, 'chat-model-downloader').env, [token])
})

test('B-17 without a cache weights lie on a volume all the same', () => {
  const { volumeMounts, command = [] } = engine({})
  assert.equal(volumeMounts?.find(({ name }) => name === 'a-weights')?.mountPath, '/cache')
  assert.match(command[command.indexOf('--model') + 1] ?? '', /^\/cache\/./)
})

test('B-18 a worker needs no config', () => {
  for (const config of [undefined, null, {}]) assert.ok(roleOf(worker({ config })))
})

test('B-19 the servers of two backends select different pods', () => {
  const spec = { backends: [backend(), backend({ name: 'b' })] }
  const [a, b] = ['chat-a', 'chat-b'].map((name) => selectorOf(spec, name))
  const labels = rolesOf(spec, 'chat-b')[0]?.entryTemplate.metadata.labels ?? {}
  const differing = Object.keys(a ?? {}).filter((name) => a?.[name] !== b?.[name])
  assert.ok(differing.some((name) => labels[name] !== a?.[name]))
})

test('B-20 a policy of the model needs no rate beside it', () => {
  const backends = [backend({ maxReplicas: 2, scalingCost: 1 })]
  const binding = children({ autoscalingPolicy: policy, backends }).get('AutoscalingPolicyBinding/chat')
  assert.equal((binding?.spec?.['optimizerConfiguration'] as Fields)['costExpansionRatePercent'], 200)
})

test('B-21 metrics are read where the sidecar listens, from the pods that answer', () => {
  const target = (change: Fields) => {
    const spec = { backends: [backend({ maxReplicas: 2, autoscalingPolicy: policy, ...change })] }
    const scaling = children(spec).get('AutoscalingPolicyBinding/chat-a')?.spec?.['scalingConfiguration']
    assert.ok(isObject(scaling) && isObject(scaling['target']))
    return scaling['target']
  }
  assert.deepEqual(
    (target({ env: [{ name: 'RUNTIME_PORT', value: '8900' }] })['metricEndpoint'] as Fields)['port'],
    8900,
  )
  assert.deepEqual(target(pair())['additionalMatchLabels'], { [kthena.podLabels.role]: 'decode' })
})

test('B-22 a policy without behavior says nothing of it', () => {
  const spec = { backends: [backend({ maxReplicas: 2, autoscalingPolicy: policy })] }
  assert.deepEqual(children(spec).get('AutoscalingPolicy/chat-a')?.spec, policy)
})

test('B-31 nothing is made for a booster that is being deleted', () => {
  const going = booster({ backends: [backend()] }, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  const nothing = { get: () => undefined, list: () => [], find: () => [] }
  assert.deepEqual(plan(going, observe(going, nothing, undefined), 0).stages, [])
})

test('B-39 a claim has the name that was given', () => {
  const { entryTemplate } = roleOf({ cacheURI: 'pvc://c' })
  const claims = entryTemplate.spec.volumes?.map(({ persistentVolumeClaim: claim }) => claim?.claimName)
  assert.deepEqual(claims, ['c', undefined])
})

test('B-41 nobody is spread who was not asked to be', () => {
  assert.equal(roleOf({}).entryTemplate.spec.topologySpreadConstraints, undefined)
})

test('B-42 a pair without one of its halves is refused', () => {
  for (const type of ['prefill', 'decode']) {
    const errors = checkModelBooster(
      booster({ backends: [backend({ type: 'vLLMDisaggregated', workers: [{ type, image: 'i' }] })] }),
    )
    assert.deepEqual(
      errors.map(({ field }) => field),
      ['spec.backends[0].workers'],
    )
  }
})
