/** A pod that cannot start is told in the status of whoever wants it: object, container, reason and mend, within seconds. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { backend, modelBooster, modelServing, podTemplate, role } from './builders.ts'
import { startWorld, type World, type WorldOptions } from './world.ts'

const tellWithinMs = 5_000

interface Trouble {
  readonly bad: AnyResource
  /** Applied, or created beside it: what puts it right. */
  readonly mend: AnyResource
  /** What the message must say, in this order: object and container, reason, cause, mend. */
  readonly says: readonly RegExp[]
  /** Time may mend it: the container runs, and may only be slow. Told in `Active`, not as `Failed`. */
  readonly perhaps?: true
  readonly options?: WorldOptions
}

const booster = (change: Record<string, unknown> = {}) => modelBooster('bad', { backends: [backend('vllm', change)] })
const worker = (change: Record<string, unknown>) =>
  booster({ workers: [{ type: 'server', image: 'vllm/vllm-openai:v1', ...change }] })
const serving = (...roles: Record<string, unknown>[]) => modelServing('bad', { template: { roles } })
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'default' },
  stringData: { ACCESS_KEY: 'a', SECRET_KEY: 'b' },
}

const entry = /pod bad-vllm-0-leader-0-0/

const ofBoosters: Record<string, Trouble> = {
  'a bad argument of the engine': {
    bad: worker({ config: { 'max-model-len': 'long' } }),
    mend: worker({ config: { 'max-model-len': 4096 } }),
    says: [
      entry,
      /container bad-vllm-engine|container [a-z-]+/,
      /CrashLoopBackOff|Error/,
      /max-model-len/,
      /correct its command/,
    ],
  },
  'a secret that is not there': {
    bad: booster({ envFrom: [{ secretRef: { name: 'keys' } }] }),
    mend: secret,
    says: [entry, /container/, /CreateContainerConfigError/, /secret "keys" not found/, /create what is missing/],
  },
  'an image that nobody can run': {
    bad: worker({ image: 'acme/unknown:1' }),
    mend: worker({ image: 'vllm/vllm-openai:v2' }),
    says: [
      entry,
      /container/,
      /NoRuntime: no runtime for image "acme\/unknown:1"/,
      /correct the image, or add \{"image": "acme\/unknown:1", "runtime": "simulated"\}/,
      /\(known: simulated: .*\)$/,
    ],
  },
  'a probe that fails': {
    bad: booster({ env: [{ name: 'FAIRLEAD_SIMULATE_FAIL_HEALTH', value: '1' }] }),
    mend: booster(),
    says: [entry, /container/, /ProbeFailing/, /probe GET :8000\/health/, /correct the probe/],
    perhaps: true,
  },
  'an init container that fails': {
    bad: booster({ modelURI: 's3://zoo/llm' }),
    mend: booster(),
    says: [entry, /container bad-model-downloader/, /CrashLoopBackOff|Error/, /ACCESS_KEY/, /see its log/],
  },
  'a pod that fits on no node': {
    bad: worker({ resources: { limits: { 'amd.com/gpu': '8' } } }),
    mend: worker({ resources: { limits: { 'amd.com/gpu': '1' } } }),
    says: [entry, /Unschedulable/, /Insufficient amd.com\/gpu/, /add nodes that fit/],
    options: { nodes: [{ name: 'one', capacity: { 'amd.com/gpu': '1', cpu: '64', memory: '256Gi', pods: '100' } }] },
  },
}

const ofServings: Record<string, Trouble> = {
  'a command that there is not': {
    bad: serving(role('leader', { entryTemplate: podTemplate({ command: ['vlmm', 'serve'] }) })),
    mend: serving(role('leader')),
    says: [/pod bad-0-leader-0-0/, /container engine/, /RunContainerError|StartError/, /vlmm/, /correct the command/],
  },
  'a key that the secret does not have, in a worker': {
    bad: serving(
      role('leader', {
        workerReplicas: 1,
        workerTemplate: podTemplate({
          env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'ACCESS_KEY' } } }],
        }),
      }),
    ),
    mend: secret,
    says: [/pod bad-0-leader-0-1/, /container engine/, /CreateContainerConfigError/, /"keys" not found/, /create what/],
  },
}

for (const [name, trouble] of Object.entries(ofBoosters)) {
  test(`${name}: told by the ModelBooster within 5 s, clears when mended, and costs the others nothing`, async (t) => {
    const world = await startWorld(t, trouble.options)
    await world.apply(modelBooster('good'))
    await world.condition(ModelBooster, 'good', 'Active')
    await world.settled()
    const before = await stateOf(world, 'good')
    await toldAndMended(t, world, trouble)
    assert.deepEqual(await stateOf(world, 'good'), before)
  })
}

for (const [name, trouble] of Object.entries(ofServings)) {
  test(`${name}: told by a ModelServing written by hand within 5 s, and clears when mended`, async (t) => {
    await toldAndMended(t, await startWorld(t), trouble)
  })
}

/** A booster, its serving and its pods in their versions: of what nobody wrote to, all stay. */
async function stateOf(world: World, name: string): Promise<unknown> {
  const objects = [
    ...(await world.list(ModelBooster)),
    ...(await world.list(ModelServing)),
    ...(await world.list(Pod)),
  ].filter(({ metadata }) => metadata.name?.startsWith(name))
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`)
}

async function toldAndMended(t: TestContext, world: World, { bad, mend, says, perhaps }: Trouble): Promise<void> {
  const places = placesOf(bad)
  const startedMs = performance.now()
  await world.apply(bad)
  for (const { kind, name, ...types } of places) {
    const [type, status] = perhaps ? types.perhaps : types.surely
    const { message } = await saying(world, { kind, name, type, status }, says)
    const tookMs = Math.round(performance.now() - startedMs)
    t.diagnostic(`${kind.kind} after ${tookMs} ms: ${message}`)
    assert.ok(tookMs < tellWithinMs, `${kind.kind} took ${tookMs} ms to tell`)
  }

  await world.apply(mend)
  for (const { kind, name, surely, ready } of places) {
    await world.condition(kind, name, ready)
    const { status } = (await world.client.get(kind, { namespace: 'default', name })) as unknown as AnyResource
    const conditions = status?.['conditions'] as Condition[]
    assert.notEqual(conditions.find(({ type }) => type === surely[0])?.status ?? 'False', 'True')
    assert.ok(!conditions.some(({ message }) => /container/.test(message)), JSON.stringify(conditions))
  }
  await world.settled()
}

interface Teller {
  readonly kind: Kind
  readonly name: string
  /** Condition and status in which a certain failure is told, and a possible one. */
  readonly surely: readonly [string, Condition['status']]
  readonly perhaps: readonly [string, Condition['status']]
  readonly ready: string
}

function placesOf({ kind, metadata: { name = '' } }: AnyResource): Teller[] {
  const serving = (of: string): Teller => ({
    kind: ModelServing,
    name: of,
    surely: ['PodsFailing', 'True'],
    perhaps: ['PodsFailing', 'Unknown'],
    ready: 'Available',
  })
  if (kind === 'ModelServing') return [serving(name)]
  const booster: Teller = {
    kind: ModelBooster,
    name,
    surely: ['Failed', 'True'],
    perhaps: ['Active', 'False'],
    ready: 'Active',
  }
  return [serving(`${name}-vllm`), booster]
}

/** Waits until the condition has the status and says all of it, in order; says what it said last when it never does. */
async function saying(
  world: World,
  { kind, name, type, status }: { kind: Kind; name: string; type: string; status: Condition['status'] },
  says: readonly RegExp[],
): Promise<Condition> {
  const inOrder = new RegExp(says.map(({ source }) => `(?:${source})`).join('[^]*'))
  let last: unknown
  try {
    return await world.until(`${kind.kind} ${name} ${type}=${status} saying ${inOrder}`, async () => {
      const object = (await world.find(kind, { namespace: 'default', name })) as AnyResource | undefined
      last = object?.status?.['conditions']
      const found = (last as Condition[] | undefined)?.find((each) => each.type === type)
      return found?.status === status && inOrder.test(found.message) ? found : undefined
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}; last seen: ${JSON.stringify(last)}`, { cause: error })
  }
}
