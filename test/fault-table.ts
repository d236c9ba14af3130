/**
 * Faults that can be injected into what a ModelBooster needs: what its status must say of each, and the mend. Run by
 * `test/fault-table.test.ts`; printed as a table by `npm run faults`.
 */
import { ModelBooster } from '#api/model-booster.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { placeOf } from '#machinery/kind.ts'
import { backend, modelBooster } from './builders.ts'
import { kindOf } from './tools.ts'
import type { World, WorldOptions } from './world.ts'

export interface Fault {
  /** Applied in this order; the last is the booster. */
  readonly broken: (name: string) => readonly AnyResource[]
  /** Applied, or deleted. */
  readonly mend: (name: string) => Mend
  /** The condition that tells, and what its message must say, in order: what, why, and what to do. */
  readonly tells: readonly [type: string, status: Condition['status']]
  readonly says: readonly RegExp[]
}

type Mend = { readonly apply: readonly AnyResource[] } | { readonly remove: AnyResource }
type Fields = Record<string, unknown>

const booster = (name: string, change: Fields = {}, spec: Fields = {}) =>
  modelBooster(name, { backends: [backend('vllm', change)], ...spec })
const worker = (change: Fields): Fields => ({ workers: [{ type: 'server', image: 'vllm/vllm-openai:v1', ...change }] })
const object = (apiVersion: string, kind: string, name: string, rest: Fields): AnyResource => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default' },
  ...rest,
})
const secret = (name: string, ...keys: string[]) =>
  object('v1', 'Secret', name, { stringData: Object.fromEntries(keys.map((key) => [key, 'x'])) })
const configMap = (name: string) => object('v1', 'ConfigMap', name, { data: { HF_ENDPOINT: 'http://x' } })
const claim = (name: string) =>
  object('v1', 'PersistentVolumeClaim', name, {
    spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
  })
const route = (name: string, spec: Fields) =>
  object('networking.serving.volcano.sh/v1alpha1', 'ModelRoute', name, {
    spec: { rules: [{ targetModels: [{ modelServerName: 'other' }] }], ...spec },
  })
const pair = (prefill: Fields, decode: Fields): Fields => ({
  type: 'vLLMDisaggregated',
  workers: [
    { type: 'prefill', image: 'vllm/vllm-openai:v1', config: prefill },
    { type: 'decode', image: 'vllm/vllm-openai:v1', config: decode },
  ],
})
const connector = (name: string, role: string): Fields => ({
  'kv-transfer-config': JSON.stringify({ kv_connector: name, kv_role: role }),
})
const simulate = (name: string, value: string): Fields => ({ env: [{ name: `FAIRLEAD_SIMULATE_${name}`, value }] })

/** Wrong by one change of the backend, and mended by another. */
function change(bad: Fields, good: Fields = {}, ...says: readonly RegExp[]): Fault {
  return {
    broken: (name) => [booster(name, bad)],
    mend: (name) => ({ apply: [booster(name, good)] }),
    tells: ['Failed', 'True'],
    says,
  }
}

/** Wrong for want of an object, and mended by making it. */
function missing(
  bad: (name: string) => Fields,
  needed: (name: string) => AnyResource,
  ...says: readonly RegExp[]
): Fault {
  return {
    broken: (name) => [booster(name, bad(name))],
    mend: (name) => ({ apply: [needed(name)] }),
    tells: ['Failed', 'True'],
    says,
  }
}

/** Wrong because of an object that is there, and mended by removing it. */
function inTheWay(
  other: (name: string) => AnyResource,
  tells: Fault['tells'],
  says: readonly RegExp[],
  change: (name: string) => Fields = () => ({}),
): Fault {
  return {
    broken: (name) => [other(name), booster(name, change(name))],
    mend: (name) => ({ remove: other(name) }),
    tells,
    says,
  }
}

const entry = /pod \S+-vllm-0-leader-0-0/
const crash = /CrashLoopBackOff|Error/

export const faults: Readonly<Record<string, Fault>> = {
  'an argument of the engine with a bad value': change(
    worker({ config: { 'max-model-len': 'long' } }),
    worker({ config: { 'max-model-len': 4096 } }),
    entry,
    /container engine/,
    crash,
    /max-model-len/,
    /correct its command/,
  ),
  'an engine that ends soon after its start': change(
    simulate('CRASH_AFTER_SECONDS', '0.1'),
    {},
    entry,
    /container engine/,
    crash,
    /exit code 1/,
    /see its log/,
  ),
  'an engine that runs and is not healthy': {
    ...change(simulate('FAIL_HEALTH', '1'), {}, entry, /ProbeFailing/, /GET :8000\/health/, /correct the probe/),
    tells: ['Active', 'False'],
  },
  'an image that nobody can run': change(
    worker({ image: 'acme/unknown:1' }),
    worker({ image: 'vllm/vllm-openai:v2' }),
    entry,
    /container engine/,
    /NoRuntime/,
    /correct the image/,
  ),
  'an object store without keys': change(
    { modelURI: 's3://zoo/llm' },
    {},
    entry,
    /-model-downloader/,
    crash,
    /ACCESS_KEY and SECRET_KEY must be set/,
  ),
  'a Secret that is not there': missing(
    (name) => ({ envFrom: [{ secretRef: { name } }] }),
    (name) => secret(name, 'ACCESS_KEY'),
    entry,
    /CreateContainerConfigError: secret "\S+" not found/,
    /create what is missing/,
  ),
  'a ConfigMap that is not there': missing(
    (name) => ({ envFrom: [{ configMapRef: { name } }] }),
    configMap,
    entry,
    /CreateContainerConfigError: configmap "\S+" not found/,
    /create what is missing/,
  ),
  'a key that the Secret does not have': {
    broken: (name) => [
      secret(name, 'OTHER'),
      booster(name, { env: [{ name: 'HF_AUTH_TOKEN', valueFrom: { secretKeyRef: { name, key: 'TOKEN' } } }] }),
    ],
    mend: (name) => ({ apply: [secret(name, 'OTHER', 'TOKEN')] }),
    tells: ['Failed', 'True'],
    says: [entry, /CreateContainerConfigError/, /couldn't find key TOKEN/, /create what is missing/],
  },
  'a claim that is not there': missing(
    (name) => ({ cacheURI: `pvc://${name}` }),
    claim,
    entry,
    /Unschedulable/,
    /persistentvolumeclaim "\S+" not found/,
    /the claim that is missing/,
  ),
  'more GPUs than any node has': change(
    worker({ resources: { limits: { 'nvidia.com/gpu': '8' } } }),
    worker({ resources: { limits: { 'nvidia.com/gpu': '1' } } }),
    entry,
    /Unschedulable/,
    /Insufficient nvidia.com\/gpu/,
    /add nodes that fit/,
  ),
  'a resource that no node offers': change(
    worker({ resources: { limits: { 'amd.com/gpu': '1' } } }),
    worker({}),
    entry,
    /Unschedulable/,
    /Insufficient amd.com\/gpu/,
  ),
  'a label that no node has': change(
    worker({ nodeSelector: { gpu: 'h200' } }),
    worker({ nodeSelector: { gpu: 'h100' } }),
    entry,
    /Unschedulable/,
    /node selector or affinity/,
  ),
  'a port that is none': change(
    worker({ config: { port: 'banana' } }),
    worker({ config: { port: 8000 } }),
    /spec\.backends\[0\]\.workers\[0\]\.config\.port/,
    /leave it out for 8000/,
  ),
  'an engine that is not supported': change(
    { type: 'MindIE' },
    {},
    /spec\.backends\[0\]\.type/,
    /not supported yet/,
    /use vLLM/,
  ),
  'connectors that do not fit': change(
    pair(connector('NixlConnector', 'kv_both'), connector('MooncakeConnector', 'kv_consumer')),
    pair(connector('NixlConnector', 'kv_both'), connector('NixlConnector', 'kv_both')),
    /spec\.backends\[0\]\.workers/,
    /onnector/,
  ),
  'a connector that is no JSON': change(
    pair({ 'kv-transfer-config': '{kv_role' }, connector('NixlConnector', 'kv_both')),
    pair(connector('NixlConnector', 'kv_both'), connector('NixlConnector', 'kv_both')),
    /spec\.backends\[0\]\.workers/,
    /config\.kv-transfer-config must be a JSON object/,
  ),
  'a route of somebody else with its name': inTheWay(
    (name) => route(name, { modelName: `${name}-mine` }),
    ['Failed', 'True'],
    [/ModelRoute \S+/, /taken by an object of somebody else/, /rename or delete/],
  ),
  'a server of somebody else with its name': inTheWay(
    (name) =>
      object('networking.serving.volcano.sh/v1alpha1', 'ModelServer', `${name}-vllm`, {
        spec: {
          inferenceEngine: 'vLLM',
          workloadSelector: { matchLabels: { app: 'x' } },
          workloadPort: { port: 8000 },
        },
      }),
    ['Failed', 'True'],
    [/ModelServer \S+-vllm/, /taken by an object of somebody else/, /rename or delete/],
  ),
  'the same model name on another route': inTheWay(
    (name) => route(`before-${name}`, { modelName: name }),
    ['Degraded', 'True'],
    [/ModelRoute \S+/, /default\/before-\S+ goes first/, /Rename one of them/],
  ),
  'the same adapter on another route': inTheWay(
    (name) => route(`before-${name}`, { modelName: `${name}-other`, loraAdapters: [`${name}-sql`] }),
    ['Degraded', 'True'],
    [/ModelRoute \S+/, /default\/before-\S+ goes first for \S+-sql/, /Rename one of them/],
    (name) => ({ loraAdapters: [{ name: `${name}-sql`, artifactURL: 'hf://acme/sql' }] }),
  ),
  'gang scheduling without Volcano': {
    ...change({ gangPolicy: { enabled: true } }, {}, /ModelServing \S+-vllm/, /no PodGroups/, /install Volcano/),
    tells: ['Degraded', 'True'],
  },
  'a pod of somebody else with the name of one of its pods': inTheWay(
    (name) =>
      object('v1', 'Pod', `${name}-vllm-0-leader-0-0`, {
        spec: { containers: [{ name: 'c', image: 'vllm/vllm-openai:v1' }], terminationGracePeriodSeconds: 0 },
      }),
    ['Failed', 'True'],
    [/-vllm: Pod default\/\S+-vllm-0-leader-0-0 was not made by us; rename or delete it/],
  ),
}

export const worldOptions: WorldOptions = {
  nodes: [
    {
      name: 'one',
      labels: { gpu: 'h100' },
      capacity: { 'nvidia.com/gpu': '4', cpu: '640', memory: '2560Gi', pods: '500' },
    },
  ],
}

export interface Told {
  readonly fault: string
  readonly condition: string
  readonly message: string
  readonly toldMs: number
  readonly clearedMs: number
}

/** Injects one fault, waits until the status tells it, mends it, and waits until nothing tells it any more. */
export async function inject(world: World, fault: string, name: string): Promise<Told> {
  const row = faults[fault]
  if (row === undefined) throw new Error(`no fault ${fault}`)
  const { broken, mend, tells, says } = row
  const inOrder = new RegExp(says.map(({ source }) => `(?:${source})`).join('[^]*'))
  const [type, bad] = tells
  for (const each of broken(name)) await world.apply(each)
  const brokenMs = performance.now()
  const told = await looking(world, name, `${fault}: ${type}=${bad} saying ${inOrder}`, (conditions) =>
    conditions.find((each) => each.type === type && each.status === bad && inOrder.test(each.message)),
  )
  const toldMs = performance.now() - brokenMs
  const how = mend(name)
  if ('apply' in how) for (const each of how.apply) await world.apply(each)
  else await world.client.delete(kindOf(how.remove), placeOf(how.remove))
  const mendedMs = performance.now()
  await looking(world, name, `${fault}: nothing that tells it`, (conditions) => {
    const active = conditions.find((each) => each.type === 'Active')
    const still = conditions.some(
      (each) => each.status === (each.type === 'Active' ? 'False' : bad) && inOrder.test(each.message),
    )
    return active?.status === 'True' && !still ? active : undefined
  })
  const { reason, message } = told
  return { fault, condition: `${type}=${bad} ${reason}`, message, toldMs, clearedMs: performance.now() - mendedMs }
}

async function looking(
  world: World,
  name: string,
  what: string,
  find: (conditions: readonly Condition[]) => Condition | undefined,
): Promise<Condition> {
  let seen: unknown
  try {
    return await world.until(what, async () => {
      const booster = await world.client.get(ModelBooster, { namespace: 'default', name })
      seen = booster.status?.conditions
      return find(booster.status?.conditions ?? [])
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}; last seen: ${JSON.stringify(seen)}`, { cause: error })
  }
}
