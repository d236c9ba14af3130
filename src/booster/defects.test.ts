/** What the released controllers did wrong in making children, by the number of the defect; each row fails when it is put back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { kthena } from '#api/dialects.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { checkModelBooster } from '#api/model-booster-rules.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { childrenOf, convert } from './convert.ts'
import { createAdapterController } from './lora/controller.ts'

type Fields = Record<string, unknown>

const worker = { type: 'server', image: 'i' }
function backend(change: Fields = {}): Fields {
  return { name: 'a', type: 'vLLM', modelURI: 'hf://o/m', minReplicas: 1, maxReplicas: 1, workers: [worker], ...change }
}
function booster(backends: readonly Fields[], spec: Fields = {}): AnyResource {
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    metadata: { name: 'chat', namespace: 'ml', uid: 'u-1' },
    spec: { backends, ...spec },
  }
}
const one = (change: Fields = {}) => booster([backend(change)])
const pair = (change: Fields = {}) =>
  one({ type: 'vLLMDisaggregated', workers: ['prefill', 'decode'].map((type) => ({ type, image: 'i' })), ...change })

/** As an API server keeps it, with the defaults of the schema. */
const stored = (kind: Pick<Kind, 'schema'>, object: AnyResource): AnyResource =>
  compileSchema(kind.schema()).default(object)

interface Template {
  metadata: { labels: Record<string, string> }
  spec: { containers: Container[]; initContainers?: Container[]; volumes?: Fields[] }
}
interface Container {
  name: string
  args?: string[]
  command?: string[]
  env?: { name: string; value?: string; valueFrom?: unknown }[]
  envFrom?: unknown[]
  volumeMounts?: { name: string; mountPath: string }[]
}
interface Role {
  name: string
  replicas: number
  workerReplicas: number
  entryTemplate: Template
  workerTemplate: Template
}

function made(object: AnyResource): AnyResource[] {
  const conversion = convert(object, kthena.images)
  assert.ok(conversion.ok, JSON.stringify(conversion))
  return JSON.parse(JSON.stringify(childrenOf(conversion.desired))) as AnyResource[]
}
const ofKind = (object: AnyResource, kind: string) => made(object).filter((child) => child.kind === kind)
const rolesOf = (object: AnyResource): Role[] =>
  (ofKind(object, 'ModelServing')[0]?.spec?.['template'] as { roles: Role[] }).roles
function roleOf(object: AnyResource, name = 'leader'): Role {
  const found = rolesOf(object).find((role) => role.name === name)
  assert.ok(found)
  return found
}
function container({ spec }: Template, name: string): Container {
  const found = [...spec.containers, ...(spec.initContainers ?? [])].find((each) => each.name === name)
  assert.ok(found, name)
  return found
}
const engine = (object: AnyResource) => container(roleOf(object).entryTemplate, 'engine')
const commandOf = (object: AnyResource) => engine(object).command ?? []
const selectorOf = (object: AnyResource, at = 0) =>
  (ofKind(object, 'ModelServer')[at]?.spec?.['workloadSelector'] as { matchLabels: Record<string, string> }).matchLabels
const policy = { metrics: [{ metricName: 'm', targetValue: 1 }] }
const binding = (object: AnyResource) => ofKind(object, 'AutoscalingPolicyBinding')[0]?.spec ?? {}

const defects: Record<string, () => void> = {
  'B-01: a policy without its defaults gets them, with no webhook to set them'() {
    const pooled = booster([backend({ scalingCost: 1, minReplicas: 0 }), backend({ name: 'b', scalingCost: 1 })], {
      autoscalingPolicy: policy,
    })
    const { params, costExpansionRatePercent } = binding(pooled)['optimizerConfiguration'] as {
      params: Fields[]
      costExpansionRatePercent: number
    }
    assert.equal(params[0]?.['scaleToZeroGracePeriod'], '30s')
    assert.equal(costExpansionRatePercent, 200)
  },
  'B-02: a worker without `pods`, or with none, is one pod, and no Ray'() {
    const none = one({ workers: [{ ...worker, pods: 0 }] })
    for (const object of [one(), stored(ModelBooster, one()), none]) {
      assert.equal(roleOf(object).workerReplicas, 0)
      assert.ok(!commandOf(object).join(' ').includes('ray'))
    }
  },
  'B-03: a worker without `replicas` is one; an explicit 0 stays'() {
    const none = one({ workers: [{ ...worker, replicas: 0 }] })
    for (const object of [one(), stored(ModelBooster, one())]) assert.equal(roleOf(object).replicas, 1)
    for (const object of [none, stored(ModelBooster, none)]) assert.equal(roleOf(object).replicas, 0)
  },
  'B-04: pods of both roles carry what their server selects'() {
    const { 'modelserving.volcano.sh/entry': _, ...selector } = selectorOf(pair())
    for (const { entryTemplate } of rolesOf(pair()))
      for (const [label, value] of Object.entries(selector)) assert.equal(entryTemplate.metadata.labels[label], value)
  },
  'B-05: followers get no requests: a server selects by what a serving gives to entry pods alone'() {
    const object = one({ workers: [{ ...worker, pods: 2 }] })
    const { entry } = kthena.podLabels
    const { entryTemplate, workerTemplate } = roleOf(object)
    assert.equal(selectorOf(object)[entry], 'true')
    for (const { metadata } of [entryTemplate, workerTemplate]) assert.equal(metadata.labels[entry], undefined)
  },
  'B-06: no pod carries the revision, and what only concerns routes and scaling is no part of a serving'() {
    const scaled = { maxReplicas: 2, autoscalingPolicy: policy }
    const before = ofKind(one(scaled), 'ModelServing')
    const lenient = { ...policy, tolerancePercent: 20 }
    for (const change of [{ routeWeight: 90 }, { maxReplicas: 3 }, { autoscalingPolicy: lenient }])
      assert.deepEqual(ofKind(one({ ...scaled, ...change }), 'ModelServing'), before)
    const labels = roleOf(one()).entryTemplate.metadata.labels
    assert.ok(!Object.keys(labels).some((label) => label.endsWith('/revision')))
  },
  'B-06: another number of groups is no other revision, and no other pod'() {
    const [before, after] = [1, 2].map((count) => {
      const [serving] = ofKind(one({ minReplicas: count, maxReplicas: count }), 'ModelServing')
      return { ...serving, spec: { ...serving?.spec, replicas: undefined } }
    })
    assert.deepEqual(after, before)
  },
  'B-09: large numbers are plain, true is the flag alone, and nothing is written as Go prints it'() {
    const config = {
      'a-list': ['x', 1],
      'enable-prefix-caching': true,
      'max-num-batched-tokens': 1_048_576,
      nothing: null,
      'rope-scaling': { factor: 2 },
    }
    const command = commandOf(one({ workers: [{ ...worker, config }] }))
    const words = '--a-list x 1 --enable-prefix-caching --max-num-batched-tokens 1048576 --rope-scaling {"factor":2}'
    assert.deepEqual(command.slice(5, command.indexOf('--served-model-name')), words.split(' '))
  },
  'B-10: an engine serves under the name to which its server rewrites'() {
    const names: Record<string, Fields> = { chat: {}, x: { 'served-model-name': 'x' }, y: { served_model_name: 'y' } }
    for (const [name, config] of Object.entries(names)) {
      const object = one({ workers: [{ ...worker, config }] })
      const flags = commandOf(object)
        .join(' ')
        .match(/--served-model-name \S+/g)
      assert.deepEqual(flags, [`--served-model-name ${name}`])
      assert.equal(ofKind(object, 'ModelServer')[0]?.spec?.['model'], name)
    }
  },
  'B-11: what comes after Ray is inside its script'() {
    const loraAdapters = [{ name: 'sql', artifactURL: 'hf://o/l' }]
    const command = commandOf(one({ workers: [{ ...worker, pods: 2 }], loraAdapters }))
    assert.deepEqual(command.slice(0, 2), ['bash', '-c'])
    assert.equal(command.length, 3)
    assert.match(command[2] ?? '', /--kv-events-config .*--lora-modules sql=/)
  },
  'B-13: envFrom reaches every container'() {
    const envFrom = [{ secretRef: { name: 'keys' } }]
    const { entryTemplate, workerTemplate } = roleOf(one({ envFrom, workers: [{ ...worker, pods: 2 }] }))
    const pairs = rolesOf(pair({ envFrom })).map(({ entryTemplate }) => entryTemplate)
    for (const { spec } of [entryTemplate, workerTemplate, ...pairs])
      for (const each of [...spec.containers, ...(spec.initContainers ?? [])]) assert.deepEqual(each.envFrom, envFrom)
  },
  'B-14: what the sidecar downloads is where the engine looks'() {
    const { entryTemplate } = roleOf(one({ cacheURI: 'pvc://weights' }))
    const mounts = (name: string) => container(entryTemplate, name).volumeMounts ?? []
    assert.ok(mounts('runtime').length > 0)
    for (const mount of mounts('runtime')) assert.deepEqual(mounts('engine')[0], mount)
  },
  'B-15: a variable of the user and of ours is one, the user’s'() {
    const env = [{ name: 'GLOO_SOCKET_IFNAME', value: 'ib0' }]
    const found = container(roleOf(pair({ env }), 'decode').entryTemplate, 'vllm').env ?? []
    assert.deepEqual(
      found.filter(({ name }) => name === 'GLOO_SOCKET_IFNAME'),
      env,
    )
  },
  'B-16: the downloader has tokens, from secrets too'() {
    const env = [{ name: 'HF_AUTH_TOKEN', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } }]
    assert.deepEqual(container(roleOf(one({ env })).entryTemplate, 'chat-model-downloader').env, env)
  },
  'B-17: without a cache the weights have a place of their own'() {
    const mount = engine(one()).volumeMounts?.find(({ name }) => name === 'a-weights')
    assert.equal(mount?.mountPath, '/cache')
    assert.match(commandOf(one())[4] ?? '', /^\/cache\/[0-9a-f]{32}$/)
  },
  'B-18: a worker without config converts'() {
    assert.equal(ofKind(one(), 'ModelServer').length, 1)
  },
  'B-19: servers of one model select different pods'() {
    const two = booster([backend(), backend({ name: 'b' })])
    const backends = [0, 1].map((at) => selectorOf(two, at)['workload.serving.volcano.sh/backend-name'])
    assert.deepEqual(backends, ['a', 'b'])
  },
  'B-20: a policy of the model without an expansion rate has the usual one'() {
    const pooled = booster([backend({ scalingCost: 1 })], { autoscalingPolicy: policy })
    assert.equal((binding(pooled)['optimizerConfiguration'] as Fields)['costExpansionRatePercent'], 200)
  },
  'B-21: metrics are read at the port of the sidecar, and from pods that there are'() {
    const env = [{ name: 'RUNTIME_PORT', value: '8900' }]
    const target = (object: AnyResource) => (binding(object)['scalingConfiguration'] as { target: Fields }).target
    const scaled = { env, autoscalingPolicy: policy, maxReplicas: 2 }
    assert.deepEqual(target(one(scaled))['metricEndpoint'], { uri: '/metrics', port: 8900 })
    assert.deepEqual(target(pair(scaled))['additionalMatchLabels'], { 'modelserving.volcano.sh/role': 'decode' })
  },
  'B-22: a policy without behavior has none'() {
    const [made] = ofKind(one({ autoscalingPolicy: policy, maxReplicas: 2 }), 'AutoscalingPolicy')
    assert.ok(made)
    assert.deepEqual(made.spec, policy)
    assert.deepEqual(stored(AutoscalingPolicy, made).spec, { ...policy, tolerancePercent: 10 })
  },
  'B-32: adapters are loaded through entry pods, and through no follower'() {
    const env = [{ name: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', value: 'true' }]
    const { entryTemplate, workerTemplate } = roleOf(one({ env, workers: [{ ...worker, pods: 2 }] }))
    const { concerns } = createAdapterController(() => assert.fail('nobody is called'), kthena)
    const concerned = [entryTemplate, workerTemplate].map(({ metadata }) =>
      concerns?.({ apiVersion: 'v1', kind: 'Pod', metadata }),
    )
    assert.deepEqual(concerned, [true, false])
  },
  'B-35: text that looks like a placeholder is text'() {
    const env = [{ name: 'X', value: '${FOO}' }]
    const config = { 'chat-template': '${MODEL_NAME}' }
    const object = one({ env, workers: [{ ...worker, config }] })
    assert.equal(engine(object).env?.[0]?.value, '${FOO}')
    assert.ok(commandOf(object).includes('${MODEL_NAME}'))
  },
  'B-37: the hash of each child is the same in every release'() {
    const children = made(one({ maxReplicas: 2, autoscalingPolicy: policy }))
    const revisionOf = ({ kind, metadata }: AnyResource) =>
      [kind, metadata.labels?.['workload.serving.volcano.sh/revision']] as const
    assert.deepEqual(Object.fromEntries(children.map(revisionOf)), {
      ModelServing: 'hz8z96kdwd',
      ModelServer: 'm78sgj8j6t',
      ModelRoute: '2m7fdpn98d',
      AutoscalingPolicy: 'tgdmtg9lsf',
      AutoscalingPolicyBinding: 'xhnd69bw4q',
    })
  },
  'B-39: the name of a claim has no slash'() {
    const { volumes } = roleOf(one({ cacheURI: 'pvc://c' })).entryTemplate.spec
    assert.deepEqual(volumes?.[0]?.['persistentVolumeClaim'], { claimName: 'c' })
  },
  'B-41: pods are spread as the user says, by labels that they have, and else not'() {
    const spread = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }
    assert.ok(!JSON.stringify(rolesOf(one())).includes('topologySpreadConstraints'))
    const { metadata, spec } = roleOf(one({ topologySpreadConstraints: [spread] })).entryTemplate
    const [constraint] = (spec as unknown as Fields)['topologySpreadConstraints'] as { labelSelector: Fields }[]
    assert.deepEqual(constraint?.labelSelector, { matchLabels: metadata.labels })
  },
  'B-42: prefill without decode is refused, not tried for ever, and so is decode without prefill'() {
    for (const [type, absent] of Object.entries({ prefill: 'decode', decode: 'prefill' })) {
      const errors = checkModelBooster(pair({ workers: [{ type, image: 'i' }] }))
      assert.deepEqual(
        errors.map(({ detail }) => detail),
        [`needs exactly one worker of type ${absent}`],
      )
    }
  },
}
for (const [name, check] of Object.entries(defects)) test(name, check)
