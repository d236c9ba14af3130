import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { warnModelBooster } from '#api/model-booster-rules.ts'
import { dialectOf, kthena } from '#api/dialects.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { childrenOf, convert } from './convert.ts'

const testdata = join(import.meta.dirname, 'testdata')

function input(name: string): AnyResource {
  return parse(readFileSync(join(testdata, `${name}.input.yaml`), 'utf8'), { version: '1.1' }) as AnyResource
}

function rendered(object: AnyResource): AnyResource[] {
  const conversion = convert(object, dialectOf(object).images)
  assert.ok(conversion.ok, JSON.stringify(conversion))
  return childrenOf(conversion.desired)
}

/** Objects by `Kind/name`; `undefined` members are dropped, as on their way to a server. */
function children(object: AnyResource): Map<string, AnyResource> {
  const plain = JSON.parse(JSON.stringify(rendered(object))) as AnyResource[]
  return new Map(plain.map((child) => [`${child.kind}/${child.metadata.name}`, child]))
}

for (const file of readdirSync(testdata).filter((name) => name.endsWith('.input.yaml'))) {
  const name = file.replace('.input.yaml', '')
  test(`${name} becomes the children written down beside it`, () => {
    const options = { lineWidth: 0, aliasDuplicateObjects: false } as const
    const got = rendered(input(name))
      .map((child) => stringify(child, options))
      .join('---\n')
    const golden = join(testdata, `${name}.golden.yaml`)
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, got)
    assert.ok(existsSync(golden), `no ${golden}; npm run test:update writes it`)
    assert.equal(got, readFileSync(golden, 'utf8'))
  })
}

/** Loose on purpose: the assertions below say what must be there. */
interface Container {
  name: string
  image?: string
  command?: string[]
  args?: string[]
  env?: { name: string; value?: string; valueFrom?: unknown }[]
  envFrom?: unknown
  ports?: { containerPort: number }[]
  resources?: unknown
  volumeMounts?: { name: string; mountPath: string; subPath?: string }[]
  readinessProbe?: Probe
  livenessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: { preStop: { exec: { command: string[] } } }
}
interface Probe {
  httpGet: { path: string; port: number }
  initialDelaySeconds?: number
}
interface Pod {
  containers: Container[]
  initContainers?: Container[]
  volumes?: Record<string, unknown>[]
  runtimeClassName?: string
  tolerations?: unknown
  affinity?: unknown
  nodeSelector?: unknown
  terminationGracePeriodSeconds?: number
}
interface Template {
  metadata: { labels: Record<string, string> }
  spec: Pod
}
interface ServingSpec {
  replicas: number
  schedulerName?: string
  template: {
    gangPolicy?: unknown
    networkTopology?: unknown
    roles: {
      name: string
      replicas: number
      workerReplicas: number
      entryTemplate: Template
      workerTemplate: Template
    }[]
  }
}

function serving(object: AnyResource, name: string) {
  const child = children(object).get(`ModelServing/${name}`)
  assert.ok(child, `no ModelServing ${name}`)
  const spec = child.spec as unknown as ServingSpec
  const [role] = spec.template.roles
  assert.ok(role)
  const entry = role.entryTemplate.spec
  const container = (pod: Pod, wanted: string) => {
    const found = pod.containers.find((one) => one.name === wanted)
    assert.ok(found, `no container ${wanted}`)
    return found
  }
  return { child, spec, role, entry, container }
}

function specOf<T>(object: AnyResource, name: string): T {
  const child = children(object).get(name)
  assert.ok(child, `no ${name}`)
  return child.spec as T
}

const names = (env: Container['env']) => env?.map(({ name }) => name)
const injected = ['POD_NAME', 'NAMESPACE', 'VLLM_USE_V1', 'REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD']
const prefix = 'workload.serving.volcano.sh'

test('C1: a backend in the list form, from Hugging Face into a host path', () => {
  const tiny = input('c01')
  assert.deepEqual([...children(tiny).keys()], ['ModelServing/tiny-cpu', 'ModelServer/tiny-cpu', 'ModelRoute/tiny'])
  const { child, spec, role, entry, container } = serving(tiny, 'tiny-cpu')
  assert.equal(spec.replicas, 1)
  assert.deepEqual([role.name, role.replicas, role.workerReplicas], ['leader', 1, 0])
  assert.ok(!('schedulerName' in spec) && !('gangPolicy' in spec.template))
  const { [`${prefix}/revision`]: revision, ...labels } = child.metadata.labels ?? {}
  assert.match(revision ?? '', /^[bcdfghjklmnpqrstvwxz2456789]{10}$/)
  assert.deepEqual(labels, {
    [`${prefix}/model-name`]: 'tiny',
    [`${prefix}/backend-name`]: 'cpu',
    [`${prefix}/managed-by`]: prefix,
    [`${prefix}/model-uid`]: 'u-1',
    'registry.volcano.sh/managed-by': 'registry.volcano.sh',
  })
  for (const object of children(tiny).values()) {
    assert.equal(object.metadata.namespace, 'ml')
    assert.deepEqual(object.metadata.ownerReferences, [
      {
        apiVersion: `${prefix}/v1alpha1`,
        kind: 'ModelBooster',
        name: 'tiny',
        uid: 'u-1',
        controller: true,
        blockOwnerDeletion: true,
      },
    ])
  }
  assert.deepEqual(entry.volumes, [
    { name: 'cpu-weights', hostPath: { path: '/var/cache/models', type: 'DirectoryOrCreate' } },
    { name: 'dshm', emptyDir: { medium: 'Memory' } },
  ])
  const modelPath = '/var/cache/models/fe4b194a1acf8fd67075dbf43abfdbc6'
  const [downloader] = entry.initContainers ?? []
  assert.equal(downloader?.name, 'tiny-model-downloader')
  assert.deepEqual(downloader?.args, ['--source', 'hf://acme/tiny-chat', '--output-dir', modelPath])
  assert.deepEqual(names(downloader?.env), ['HF_ENDPOINT'])
  const engine = container(entry, 'engine')
  assert.deepEqual(engine.command, [
    'python3',
    '-m',
    'vllm.entrypoints.openai.api_server',
    '--model',
    modelPath,
    '--enable-prefix-caching',
    '--max-model-len',
    '4096',
    '--served-model-name',
    'tiny-chat',
    '--kv-events-config',
    '{"enable_kv_cache_events":true,"publisher":"zmq","topic":"kv-events","endpoint":"tcp://*:5557"}',
  ])
  assert.deepEqual(names(engine.env), ['HF_ENDPOINT', ...injected])
  assert.deepEqual(engine.volumeMounts, [
    { name: 'cpu-weights', mountPath: '/var/cache/models' },
    { name: 'dshm', mountPath: '/dev/shm' },
  ])
  assert.equal(entry.terminationGracePeriodSeconds, 300)
  assert.deepEqual(
    entry.containers.map(({ name }) => name),
    ['runtime', 'engine'],
  )
  const runtime = container(entry, 'runtime')
  assert.equal(
    runtime.args?.join(' '),
    '--port 8100 --engine vllm --engine-base-url http://localhost:8000 --engine-metrics-path /metrics --pod $(POD_NAME).$(NAMESPACE) --model tiny',
  )
  assert.ok(runtime.volumeMounts?.some(({ mountPath }) => mountPath === '/var/cache/models'))
  assert.deepEqual(specOf(tiny, 'ModelServer/tiny-cpu'), {
    model: 'tiny-chat',
    inferenceEngine: 'vLLM',
    workloadSelector: {
      matchLabels: {
        [`${prefix}/model-uid`]: 'u-1',
        [`${prefix}/backend-name`]: 'cpu',
        'modelserving.volcano.sh/entry': 'true',
      },
    },
    workloadPort: { port: 8000 },
    trafficPolicy: { retry: { attempts: 5, retryInterval: '0s' } },
  })
  assert.deepEqual(specOf(tiny, 'ModelRoute/tiny'), {
    modelName: 'tiny',
    rules: [{ name: 'default', targetModels: [{ modelServerName: 'tiny-cpu', weight: 100 }] }],
  })
  assert.equal(children(tiny).get('ModelRoute/tiny')?.metadata.labels?.[`${prefix}/backend-name`], '')
})

test('C2: the same in the single form, on a port of its own', () => {
  const tiny = input('c02')
  assert.deepEqual([...children(tiny).keys()], ['ModelServing/tiny-cpu', 'ModelServer/tiny-cpu', 'ModelRoute/tiny'])
  const { spec, role, entry, container } = serving(tiny, 'tiny-cpu')
  assert.equal(spec.replicas, 2)
  assert.deepEqual(entry.volumes?.[0], {
    name: 'cpu-weights',
    hostPath: { path: '/var/cache/models', type: 'DirectoryOrCreate' },
  })
  const engine = container(entry, 'engine')
  assert.match(engine.command?.join(' ') ?? '', / --port 9000( |$)/)
  assert.ok(!engine.command?.includes('--kv-events-config'))
  assert.equal(engine.readinessProbe?.httpGet.port, 9000)
  assert.match(engine.lifecycle?.preStop.exec.command.join(' ') ?? '', /http:\/\/localhost:9000\/metrics/)
  assert.ok(container(entry, 'runtime').args?.includes('http://localhost:9000'))
  for (const template of [role.entryTemplate, role.workerTemplate]) {
    assert.equal(template.spec.runtimeClassName, 'gvisor')
    assert.deepEqual(template.spec.tolerations, [{ key: 't', operator: 'Exists' }])
  }
  assert.deepEqual(specOf<{ workloadPort: unknown }>(tiny, 'ModelServer/tiny-cpu').workloadPort, { port: 9000 })
  assert.deepEqual(specOf(tiny, 'ModelRoute/tiny'), {
    modelName: 'tiny-chat-public',
    rules: [{ name: 'default', targetModels: [{ modelServerName: 'tiny-cpu' }] }],
  })
})

interface ServerSpec {
  model: string
  workloadSelector: { matchLabels: Record<string, string>; pdGroup?: unknown }
  workloadPort: { port: number }
  kvConnector?: unknown
}

function selects(server: ServerSpec, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(server.workloadSelector.matchLabels).every(([key, value]) => labels[key] === value)
}
const entryLabels = (template: Template) => ({ ...template.metadata.labels, 'modelserving.volcano.sh/entry': 'true' })

test('C3: two weighted backends behind a header', () => {
  const chat = input('c03')
  const served = (name: string) => specOf<ServerSpec>(chat, `ModelServer/${name}`)
  const [a, b] = [serving(chat, 'chat-a'), serving(chat, 'chat-b')]
  assert.deepEqual([a.spec.replicas, b.spec.replicas], [1, 2])
  assert.ok(selects(served('chat-a'), entryLabels(a.role.entryTemplate)))
  assert.ok(!selects(served('chat-a'), entryLabels(b.role.entryTemplate)))
  assert.ok(!selects(served('chat-b'), entryLabels(a.role.entryTemplate)))
  for (const { entry, container } of [a, b]) {
    assert.match(container(entry, 'engine').command?.join(' ') ?? '', / --served-model-name chat( |$)/)
  }
  assert.equal(served('chat-a').model, 'chat')
  assert.deepEqual(specOf(chat, 'ModelRoute/chat'), {
    modelName: 'chat',
    rules: [
      {
        name: 'default',
        modelMatch: { headers: { tenant: { exact: 'gold' } }, body: { model: 'chat' } },
        targetModels: [
          { modelServerName: 'chat-a', weight: 30 },
          { modelServerName: 'chat-b', weight: 70 },
        ],
      },
    ],
  })
})

test('C4: an engine over three pods, with an adapter', () => {
  const big = input('c04')
  const { role, entry, container } = serving(big, 'big-h100')
  assert.deepEqual([role.replicas, role.workerReplicas], [1, 2])
  const [bash, option, script = ''] = container(entry, 'engine').command ?? []
  assert.deepEqual([bash, option], ['bash', '-c'])
  const inOrder = [
    'chmod +x "$helper"',
    '"$helper" leader --ray_cluster_size=3 --num-gpus=8',
    '--pipeline-parallel-size 3 --tensor-parallel-size 8 --served-model-name big --distributed_executor_backend ray',
    `--kv-events-config '{"enable_kv_cache_events"`,
    '--enable-lora --lora-modules sql=/shared-weights/681643c13709023a72f110074e8c8414',
  ]
  const at = inOrder.map((part) => script.indexOf(part))
  assert.ok(!at.includes(-1), `${at.join()} in ${script}`)
  assert.deepEqual(
    at,
    at.toSorted((x, y) => x - y),
  )
  const follower = container(role.workerTemplate.spec, 'h100-vllm-worker')
  const engine = container(entry, 'engine')
  assert.match(follower.command?.[2] ?? '', /"\$helper" worker --ray_address=\$\(ENTRY_ADDRESS\)$/)
  assert.deepEqual(follower.volumeMounts, engine.volumeMounts)
  assert.deepEqual([follower.image, follower.resources], [engine.image, engine.resources])
  assert.equal(follower.env, undefined)
  assert.ok(follower.readinessProbe === undefined && follower.livenessProbe === undefined)
  assert.deepEqual(role.workerTemplate.spec.initContainers, entry.initContainers)
  assert.deepEqual(
    entry.initContainers?.map(({ name }) => name),
    ['big-model-downloader', 'big-lora-downloader-0'],
  )
  const server = specOf<ServerSpec>(big, 'ModelServer/big-h100')
  assert.ok(selects(server, entryLabels(role.entryTemplate)))
  assert.ok(!selects(server, role.workerTemplate.metadata.labels))
})

test('C5: prefill and decode over NIXL', () => {
  const pd = input('c05')
  const { spec, container } = serving(pd, 'pd-n')
  const [prefill, decode] = spec.template.roles
  assert.ok(prefill && decode)
  assert.deepEqual([prefill.name, prefill.replicas, prefill.workerReplicas], ['prefill', 2, 0])
  assert.deepEqual([decode.name, decode.replicas, decode.workerReplicas], ['decode', 1, 0])
  assert.equal(spec.template.gangPolicy, undefined)
  const extras = {
    prefill: ['HF_HUB_OFFLINE', 'HCCL_IF_IP'],
    decode: ['HF_HUB_OFFLINE', 'GLOO_SOCKET_IFNAME', 'TP_SOCKET_IFNAME', 'HCCL_SOCKET_IFNAME'],
  }
  const server = specOf<ServerSpec>(pd, 'ModelServer/pd-n')
  for (const [role, kvRole, extra] of [
    [prefill, 'kv_producer', extras.prefill],
    [decode, 'kv_consumer', extras.decode],
  ] as const) {
    const pod = role.entryTemplate.spec
    assert.deepEqual(
      pod.containers.map(({ name }) => name),
      ['runtime', 'vllm'],
    )
    assert.equal(container(pod, 'runtime').args?.[3], 'vllmdisaggregated')
    const engine = container(pod, 'vllm')
    const script = engine.command?.[2] ?? ''
    assert.match(script, /^pip install --upgrade nixl && exec python3 /)
    assert.ok(script.includes(`--kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"${kvRole}"}'`))
    assert.deepEqual(names(engine.env), [...injected, ...extra])
    assert.equal(engine.readinessProbe?.httpGet.port, 8000)
    assert.equal(engine.livenessProbe?.httpGet.port, 8000)
    assert.equal(engine.livenessProbe?.initialDelaySeconds, undefined)
    assert.equal(engine.startupProbe?.httpGet.port, 8000)
    assert.ok(selects(server, entryLabels(role.entryTemplate)), 'the ModelServer selects the pods of both roles')
  }
  assert.deepEqual(server.workloadSelector.pdGroup, {
    groupKey: 'modelserving.volcano.sh/group-name',
    prefillLabels: { 'modelserving.volcano.sh/role': 'prefill' },
    decodeLabels: { 'modelserving.volcano.sh/role': 'decode' },
  })
  assert.deepEqual(server.kvConnector, { type: 'nixl' })
  assert.equal(server.model, 'pd7')
})

function withBackend(name: string, change: Record<string, unknown>): AnyResource {
  const object = input(name)
  return { ...object, spec: { ...object.spec, backend: { ...(object.spec?.['backend'] as object), ...change } } }
}

test('C5: nothing is installed where the user says so', () => {
  const env = [{ name: 'KTHENA_SKIP_ENGINE_DEPENDENCY_INSTALL', value: '1' }]
  const { entry, container } = serving(withBackend('c05', { env }), 'pd-n')
  assert.equal(container(entry, 'vllm').command?.[0], 'python3')
})

test('C6: Mooncake on Ascend, its JSON over several lines', () => {
  const pd = input('c06')
  const { entry, container } = serving(pd, 'pd-n')
  const { command = [] } = container(entry, 'vllm')
  assert.equal(command[0], 'python3')
  const json = command[command.indexOf('--kv-transfer-config') + 1] ?? ''
  assert.ok(json.includes('\n'))
  assert.deepEqual(JSON.parse(json), { kv_connector: 'MooncakeConnectorV1', kv_role: 'kv_producer' })
  assert.deepEqual(specOf<ServerSpec>(pd, 'ModelServer/pd-n').kvConnector, { type: 'mooncake' })
  assert.equal(entry.affinity, undefined)
})

test('C6: Mooncake on NVIDIA installs its engine', () => {
  const worker = (type: string, role: string) => ({
    type,
    image: 'i',
    resources: { limits: { 'nvidia.com/gpu': 1 } },
    config: { 'kv-transfer-config': JSON.stringify({ kv_connector: 'MooncakeConnector', kv_role: role }) },
  })
  const workers = [worker('prefill', 'kv_both'), worker('decode', 'kv_both')]
  const { entry, container } = serving(withBackend('c06', { workers }), 'pd-n')
  assert.match(container(entry, 'vllm').command?.[2] ?? '', /^pip install mooncake-transfer-engine && exec /)
})

test('C7: LMCache, and a variable of the user beside ours', () => {
  const pd = input('c07')
  assert.deepEqual(specOf<ServerSpec>(pd, 'ModelServer/pd-n').kvConnector, { type: 'lmcache' })
  const { spec, container } = serving(pd, 'pd-n')
  for (const role of spec.template.roles) {
    const { command, env } = container(role.entryTemplate.spec, 'vllm')
    assert.equal(command?.[0], 'python3')
    assert.deepEqual(
      env?.filter(({ name }) => name === 'GLOO_SOCKET_IFNAME'),
      [{ name: 'GLOO_SOCKET_IFNAME', value: 'ib0' }],
    )
    assert.equal(env?.[1]?.name, 'GLOO_SOCKET_IFNAME')
  }
})

test('C8: adapters over two backends', () => {
  const m = input('c08')
  const x = { modelServerName: 'm-x', weight: 40 }
  const y = { modelServerName: 'm-y', weight: 60 }
  assert.deepEqual(specOf(m, 'ModelRoute/m'), {
    modelName: 'm',
    loraAdapters: ['fr', 'sql'],
    rules: [
      { name: 'default', modelMatch: { body: { model: 'm' } }, targetModels: [x, y] },
      { name: 'fr', modelMatch: { body: { model: 'fr' } }, targetModels: [x] },
      { name: 'sql', modelMatch: { body: { model: 'sql' } }, targetModels: [x, y] },
    ],
  })
  const { entry, container } = serving(m, 'm-x')
  assert.deepEqual(
    entry.initContainers?.map(({ name, args }) => [name, args?.[1]]),
    [
      ['m-model-downloader', 's3://zoo/llm/base'],
      ['m-lora-downloader-0', 's3://zoo/lora/sql'],
      ['m-lora-downloader-1', 'hf://acme/lora-fr'],
    ],
  )
  assert.match(
    container(entry, 'engine').command?.join(' ') ?? '',
    / --enable-lora --lora-modules sql=\/cache\/681643c13709023a72f110074e8c8414 fr=\/cache\/12f1c88bb82859310db756ada79d5eba$/,
  )
})

test('C8: one backend alone needs no rule for each adapter', () => {
  const m = input('c08')
  const backends = m.spec?.['backends'] as unknown[]
  const route = specOf<{ loraAdapters: string[]; rules: object[] }>(
    { ...m, spec: { ...m.spec, backends: backends.slice(0, 1) } },
    'ModelRoute/m',
  )
  assert.deepEqual(route.loraAdapters, ['fr', 'sql'])
  assert.deepEqual(route.rules, [{ name: 'default', targetModels: [{ modelServerName: 'm-x', weight: 40 }] }])
})

test('C10: a policy of the model scales all backends as one pool', () => {
  const opt = input('c10')
  assert.deepEqual(specOf(opt, 'AutoscalingPolicy/opt'), {
    metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }],
  })
  const target = (name: string, port: number) => ({
    targetRef: { kind: 'ModelServing', name },
    additionalMatchLabels: { 'modelserving.volcano.sh/role': 'leader' },
    metricEndpoint: { uri: '/metrics', port },
  })
  assert.deepEqual(specOf(opt, 'AutoscalingPolicyBinding/opt'), {
    policyRef: { name: 'opt' },
    optimizerConfiguration: {
      params: [
        { target: target('opt-a100', 8900), cost: 60, minReplicas: 0, maxReplicas: 4, scaleToZeroGracePeriod: '30s' },
        { target: target('opt-h100', 8100), cost: 100, minReplicas: 1, maxReplicas: 2 },
      ],
      costExpansionRatePercent: 200,
    },
  })
  assert.equal(children(opt).get('AutoscalingPolicyBinding/opt')?.metadata.labels?.[`${prefix}/backend-name`], '')
  assert.deepEqual([serving(opt, 'opt-a100').spec.replicas, serving(opt, 'opt-h100').spec.replicas], [0, 1])
})

test('C11: a policy of one backend scales that one', () => {
  const opt = input('c11')
  const scaling = [...children(opt).keys()].filter((name) => name.startsWith('Autoscaling'))
  assert.deepEqual(scaling, ['AutoscalingPolicy/opt-h100', 'AutoscalingPolicyBinding/opt-h100'])
  assert.deepEqual(specOf(opt, 'AutoscalingPolicy/opt-h100'), {
    metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }],
    behavior: { scaleUp: { panicPolicy: { period: '30s', percent: 500 } } },
  })
  assert.deepEqual(specOf(opt, 'AutoscalingPolicyBinding/opt-h100'), {
    policyRef: { name: 'opt-h100' },
    scalingConfiguration: {
      target: {
        targetRef: { kind: 'ModelServing', name: 'opt-h100' },
        additionalMatchLabels: { 'modelserving.volcano.sh/role': 'leader' },
        metricEndpoint: { uri: '/metrics', port: 8100 },
      },
      minReplicas: 1,
      maxReplicas: 2,
    },
  })
})

test('C12: in the single form the policy of the spec is the backend’s', () => {
  const one = input('c12')
  assert.ok(children(one).has('AutoscalingPolicy/one-b'))
  const binding = specOf<{ scalingConfiguration: object }>(one, 'AutoscalingPolicyBinding/one-b')
  assert.partialDeepStrictEqual(binding, { scalingConfiguration: { minReplicas: 0, maxReplicas: 3 } })
  assert.equal(serving(one, 'one-b').spec.replicas, 0)
})

test('a disaggregated backend is scaled by its decoders', () => {
  const pd = withBackend('c05', { replicas: undefined, minReplicas: 1, maxReplicas: 2 })
  const policy = { metrics: [{ name: 'x', targetValue: 1 }] }
  const binding = specOf({ ...pd, spec: { ...pd.spec, autoscalingPolicy: policy } }, 'AutoscalingPolicyBinding/pd-n')
  assert.partialDeepStrictEqual(binding, {
    scalingConfiguration: { target: { additionalMatchLabels: { 'modelserving.volcano.sh/role': 'decode' } } },
  })
})

test('C13: weights and cache on a claim', () => {
  const base = input('c13')
  const claim = serving(base, 'base-claim').entry
  assert.deepEqual(claim.volumes?.[0], { name: 'claim-weights', persistentVolumeClaim: { claimName: 'weights' } })
  assert.deepEqual(claim.initContainers?.[0]?.args, [
    '--source',
    'pvc:///weights/llm/base',
    '--output-dir',
    '/weights/b6b000f6a8163e239785fc311753a737',
  ])
  const below = serving(base, 'base-below').entry
  assert.deepEqual(below.volumes?.[0], { name: 'below-weights', persistentVolumeClaim: { claimName: 'weights' } })
  assert.deepEqual(below.initContainers?.[0]?.volumeMounts, [
    { name: 'below-weights', mountPath: '/weights/team1', subPath: 'team1' },
  ])
})

test('C14: without a cache the weights live in the pod', () => {
  const { role, entry, container } = serving(input('c14'), 'plain-b')
  assert.deepEqual(entry.volumes?.[0], { name: 'b-weights', emptyDir: {} })
  const followers = role.workerTemplate.spec.containers
  for (const one of [...(entry.initContainers ?? []), ...entry.containers, ...followers]) {
    assert.ok(
      one.volumeMounts?.some(({ name, mountPath }) => name === 'b-weights' && mountPath === '/cache'),
      one.name,
    )
  }
  assert.match(container(entry, 'engine').command?.[2] ?? '', / --model \/cache\/fe4b194a1acf8fd67075dbf43abfdbc6 /)
})

test('C15: an object store, with keys from a secret', () => {
  const store = input('c15')
  const { entry, container } = serving(store, 'store-s')
  const [downloader] = entry.initContainers ?? []
  assert.deepEqual(names(downloader?.env), ['ENDPOINT', 'ACCESS_KEY'])
  assert.deepEqual(downloader?.envFrom, [{ secretRef: { name: 'keys' } }])
  assert.equal(downloader?.args?.[3], '/tmp/w/3386eaea07632ca1b1d648e2ecd356e8')
  const [runtime, engine] = [container(entry, 'runtime'), container(entry, 'engine')]
  assert.deepEqual(runtime.ports, [{ containerPort: 8900 }])
  assert.deepEqual(runtime.args?.slice(0, 2), ['--port', '8900'])
  assert.equal(runtime.readinessProbe?.httpGet.port, 8900)
  assert.equal(runtime.readinessProbe?.initialDelaySeconds, undefined)
  assert.deepEqual([runtime.envFrom, engine.envFrom], [downloader?.envFrom, downloader?.envFrom])
  assert.deepEqual(names(engine.env)?.slice(0, 2), ['ENDPOINT', 'RUNTIME_PORT'])
})

test('C16: a Model becomes the objects of its own family, with the habits of that', () => {
  const all = children(input('c16'))
  assert.deepEqual(
    [...all.values()].map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`),
    [
      'workload.matrixinfer.ai/v1alpha1 ModelInfer tiny-cpu',
      'networking.matrixinfer.ai/v1alpha1 ModelServer tiny-cpu',
      'networking.matrixinfer.ai/v1alpha1 ModelRoute tiny',
    ],
  )
  for (const { metadata } of all.values()) {
    assert.equal(metadata.ownerReferences?.[0]?.kind, 'Model')
    assert.equal(metadata.ownerReferences?.[0]?.apiVersion, 'registry.matrixinfer.ai/v1alpha1')
    assert.equal(metadata.labels?.['registry.matrixinfer.ai/managed-by'], 'registry.matrixinfer.ai')
    assert.ok(Object.keys(metadata.labels ?? {}).every((label) => !label.startsWith('workload.serving')))
  }
  const infer = all.get('ModelInfer/tiny-cpu')?.spec as Record<string, unknown>
  assert.equal(infer['recoveryPolicy'], 'InferGroupRecreate')
  assert.deepEqual(infer['rolloutStrategy'], { type: 'InferGroupRollingUpdate' })
  const text = JSON.stringify(infer)
  assert.ok(text.includes('"matrixinfer/runtime:latest"') && text.includes('"matrixinfer/downloader:latest"'))
  assert.ok(text.includes('"--enforce-eager"') && !text.includes('REDIS_HOST') && !text.includes('gangPolicy'))
  const { workloadSelector } = all.get('ModelServer/tiny-cpu')?.spec as { workloadSelector: unknown }
  assert.deepEqual(workloadSelector, {
    matchLabels: {
      'registry.matrixinfer.ai/model-uid': 'u-1',
      'registry.matrixinfer.ai/backend-name': 'cpu',
      'modelinfer.matrixinfer.ai/entry': 'true',
    },
  })
})

test('C17: limits, routes, topology and gang scheduling are there where asked for, and nowhere else', () => {
  const chat = input('c17')
  const routes = ['ModelRoute/chat', 'ModelRoute/chat-canary'].map((name) => children(chat).get(name)?.spec)
  assert.deepEqual(routes[0]?.['rateLimit'], { inputTokensPerUnit: 1000, unit: 'minute' })
  assert.deepEqual(routes[1], {
    modelName: 'chat-canary',
    rules: [{ name: 'default', targetModels: [{ modelServerName: 'chat-b', weight: 100 }] }],
  })
  const [a, b, c] = ['chat-a', 'chat-b', 'chat-c'].map((name) => serving(chat, name).spec)
  assert.deepEqual(a?.template.networkTopology, { mode: 'soft' })
  assert.equal(a?.template.gangPolicy, undefined)
  assert.equal(b?.template.gangPolicy, undefined)
  assert.deepEqual(c?.template.gangPolicy, { minRoleReplicas: { leader: 2 } })
  assert.equal(c?.schedulerName, 'volcano')
  assert.deepEqual(c?.template.roles[0]?.entryTemplate.spec.nodeSelector, { zone: 'x' })
})

test('no pod carries a revision: an edit of a weight restarts nothing', () => {
  const chat = input('c03')
  const [first, ...rest] = (chat.spec?.['backends'] ?? []) as { routeWeight: number }[]
  const edited = { ...chat, spec: { ...chat.spec, backends: [{ ...first, routeWeight: 50 }, ...rest] } }
  assert.deepEqual(children(edited).get('ModelServing/chat-a'), children(chat).get('ModelServing/chat-a'))
  assert.notDeepEqual(children(edited).get('ModelRoute/chat'), children(chat).get('ModelRoute/chat'))
})

test('B-37: a revision leaves out replicas, images and adapters, and has in it all the rest', () => {
  const revision = (object: AnyResource, images = kthena.images as { downloader: string; runtime: string }) => {
    const conversion = convert(object, images)
    assert.ok(conversion.ok)
    return conversion.desired.backends[0]?.serving.metadata.labels?.[`${prefix}/revision`]
  }
  const base = revision(withBackend('c14', {}))
  const same = [
    revision(withBackend('c14', { replicas: 3 })),
    revision(withBackend('c14', { loraAdapters: [{ name: 'fr', artifactURL: 'hf://a/b' }] })),
    revision(withBackend('c14', {}), { downloader: 'x', runtime: 'y' }),
  ]
  assert.deepEqual(same, [base, base, base])
  assert.notEqual(revision(withBackend('c14', { modelURI: 'hf://acme/other' })), base)
  assert.notEqual(revision(withBackend('c14', { workers: [{ image: 'j', pods: 2 }] })), base)
  assert.equal(base, 'nccdhnh4k8', 'the same across releases: a new hash would rewrite every child there is')
})

test('B-35: text that looks like a placeholder is passed on as it is', () => {
  const object = withBackend('c14', {
    env: [{ name: 'A', value: '${FOO}' }],
    workers: [{ image: '${REG}/x', config: { 'chat-template': '${MODEL_NAME}' } }],
  })
  const { entry, container } = serving(object, 'plain-b')
  const engine = container(entry, 'engine')
  assert.equal(engine.image, '${REG}/x')
  assert.ok(engine.command?.includes('${MODEL_NAME}'))
  assert.equal(engine.env?.[0]?.value, '${FOO}')
  assert.equal(warnModelBooster(object).filter(({ detail }) => detail.includes('${')).length, 3)
})

test('a controller’s own variables win over the user’s', () => {
  const env = [
    { name: 'POD_NAME', value: 'mine' },
    { name: 'WORKER_INDEX', value: '7' },
    { name: 'VLLM_USE_V1', value: '0' },
  ]
  const { role, entry, container } = serving(withBackend('c14', { env }), 'plain-b')
  const engine = container(entry, 'engine')
  assert.deepEqual(names(engine.env), ['POD_NAME', 'VLLM_USE_V1', ...injected.filter((name) => !/POD|V1/.test(name))])
  assert.deepEqual(engine.env?.[0]?.valueFrom, { fieldRef: { fieldPath: 'metadata.name' } })
  assert.equal(engine.env?.[1]?.value, '0')
  assert.deepEqual(names(role.workerTemplate.spec.containers[0]?.env), ['VLLM_USE_V1'])
})

test('a name that is too long for a container is shortened, with a hash of the model', () => {
  const name = `m${'o'.repeat(46)}`
  const object = withBackend('c14', {
    loraAdapters: [{ name: 'fr', artifactURL: 'hf://a/b' }],
    workers: [{ image: 'i' }],
  })
  const { entry } = serving({ ...object, metadata: { ...object.metadata, name } }, `${name}-b`)
  const found = entry.initContainers?.map((one) => one.name) ?? []
  for (const one of found) assert.ok(one.length <= 63 && /^[a-z0-9-]+$/.test(one), one)
  assert.match(found[0] ?? '', /^mo+-[0-9a-f]{8}-model-downloader$/)
  assert.equal(new Set(found).size, 2)
})

test('a worker’s explicit zero replicas stay zero', () => {
  assert.equal(serving(withBackend('c14', { workers: [{ image: 'i', replicas: 0 }] }), 'plain-b').role.replicas, 0)
})

for (const type of ['MindIE']) {
  test(`${type} is admitted but cannot be converted yet`, () => {
    const conversion = convert(withBackend('c14', { type }), kthena.images)
    assert.ok(!conversion.ok)
    assert.deepEqual(
      conversion.errors.map(({ field }) => field),
      ['spec.backend.type'],
    )
    assert.match(conversion.errors[0]?.detail ?? '', new RegExp(`${type} is not supported yet; use vLLM`))
  })
}
