/** MatrixInfer's kinds, where they are served: what is promised of a model holds of one written in them. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { matrixinfer } from '#api/dialects.ts'
import { families, kindsOf, legacyKinds, Model, ModelInfer } from '#api/family-kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { controllerNames } from '#cli/controllers.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { startClients } from './asking.ts'
import { backend, modelBooster, modelServing } from './builders.ts'
import { objectsIn } from './install/objects.ts'
import { startMachine } from './machine.ts'
import { boosterPromises } from './suites/booster-promises.ts'
import type { World } from './world.ts'

/**
 * A world with both families, for the whole file: three kinds of everything take their time to be served. Kthena's have been in
 * use: a real server that has looked up what owns them does not take the new kinds as owners at once.
 */
async function startBoth(): Promise<World> {
  const machine = await startMachine({ after: () => {} }, { controllers: [...controllerNames, 'matrixinfer'] })
  const former = machine.start()
  await machine.apply(modelBooster('chat', { backends: [backend('main')] }))
  await machine.condition(ModelBooster, 'chat', 'Initialized')
  await former.kill()
  for (const object of objectsIn('matrixinfer')) await machine.apply(object)
  await machine.until('the kinds to be served', async () => {
    const lists = legacyKinds.map((kind) => machine.client.list(kind, { namespace: 'default' }).catch(() => undefined))
    return (await Promise.all(lists)).every((list) => list !== undefined)
  })
  const { informers } = machine.start(undefined, { tickMs: 1_000 })
  return { ...machine, informers }
}

let starting: Promise<World> | undefined
after(async () => (await starting)?.[Symbol.asyncDispose]())

/** Without anything that the test before has left. */
async function cleanWorld(): Promise<World> {
  const world = await (starting ??= startBoth())
  const left = async () => (await Promise.all(owners.map((kind) => world.list(kind)))).flat()
  for (const { kind, metadata } of await left()) {
    const found = owners.find((each) => each.kind === kind)
    if (found !== undefined && metadata.ownerReferences === undefined)
      await world.client.delete(found, { namespace: 'default', name: metadata.name ?? '' })
  }
  await world.until('all to go', async () => (await left()).length + (await world.list(Pod)).length === 0)
  return world
}
const owners = families.flatMap(({ booster, serving }): readonly Kind[] => [booster, serving])

boosterPromises(matrixinfer, cleanWorld)

const model = (spec: Record<string, unknown> = {}, name = 'chat'): AnyResource => ({
  ...modelBooster(name, spec),
  apiVersion: apiVersionOf(Model),
  kind: Model.kind,
})

test('C16: a Model and a ModelBooster of one name live side by side, and both answer', async (t) => {
  const world = await cleanWorld()
  const clients = await startClients(t, world, families)
  await world.apply(model({ name: 'theirs' }))
  await world.apply(modelBooster('chat', { name: 'ours', backends: [backend('main')] }))
  await clients.answered('theirs')
  await clients.answered('ours')
  const serving = await world.client.get(ModelInfer, { namespace: 'default', name: 'chat-vllm' })
  assert.deepEqual(serving.spec.recoveryPolicy, 'InferGroupRecreate')
  const types = serving.status?.conditions?.map(({ type }) => type) ?? []
  assert.ok(types.includes('Progerssing') && !types.includes('Progressing'), types.join())
  const pods = await world.list(Pod)
  const theirs = pods.filter(({ metadata }) => metadata.labels?.['modelinfer.matrixinfer.ai/entry'] === 'true')
  assert.deepEqual(
    theirs.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind),
    ['ModelInfer'],
  )
  assert.ok(theirs[0]?.spec?.containers.at(-1)?.command?.includes('--enforce-eager'))
  const route = await world.client.get(kindsOf(matrixinfer).route, { namespace: 'default', name: 'chat' })
  assert.equal(route.status?.conditions?.find(({ type }) => type === 'ResolvedRefs')?.status, 'True')
})

test('their policies scale their servings, by metrics of their names', async () => {
  const world = await cleanWorld()
  const autoscalingPolicy = { metrics: [{ metricName: 'matrixinfer:num_requests_waiting', targetValue: 10 }] }
  const scaled = backend('vllm', { minReplicas: 2, maxReplicas: 3, autoscalingPolicy })
  await world.apply(model({ backends: [scaled] }))
  await world.condition(Model, 'chat', 'Active')
  await world.condition(Model, 'chat', 'AutoscalingActive')
  const place = { namespace: 'default', name: 'chat-vllm' }
  await world.client.patch(
    ModelInfer,
    place,
    { type: 'merge', patch: { spec: { replicas: 3 } } },
    { subresource: 'scale' },
  )
  await world.apply(model({ backends: [{ ...scaled, workers: [{ type: 'server', image: 'vllm/vllm-openai:v2' }] }] }))
  const { spec } = await world.until('the new image', async () => {
    const found = await world.client.get(ModelInfer, place)
    return JSON.stringify(found.spec).includes('vllm-openai:v2') && found
  })
  assert.equal(spec.replicas, 3, 'what a scaler has set stays')
})

test('a target without a kind is a ModelInfer, and its roles can be scaled', async () => {
  const world = await cleanWorld()
  const { policy, binding } = kindsOf(matrixinfer)
  const of = (kind: Pick<Kind, 'group' | 'version' | 'kind'>, spec: Record<string, unknown>): AnyResource => ({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name: 'tall', namespace: 'default' },
    spec,
  })
  await world.apply(of(ModelInfer, modelServing('tall').spec ?? {}))
  await world.apply(of(policy, { metrics: [{ metricName: 'waiting', targetValue: 1 }] }))
  const target = { targetRef: { name: 'tall' }, subTargets: { name: 'leader' } }
  const scalingConfiguration = { target, minReplicas: 2, maxReplicas: 2 }
  await world.apply(of(binding, { policyRef: { name: 'tall' }, scalingConfiguration }))
  await world.until('two of the role', async () => {
    const { spec } = await world.client.get(ModelInfer, { namespace: 'default', name: 'tall' })
    return spec.template.roles[0]?.replicas === 2
  })
})

test('a lost pod takes its group with it, as their policy says', async () => {
  const world = await cleanWorld()
  const serving = modelServing('wide', {
    recoveryPolicy: 'InferGroupRecreate',
    replicas: 1,
    template: {
      roles: [1, 2].map((n) => ({
        ...(modelServing('x').spec?.['template'] as { roles: Record<string, unknown>[] }).roles[0],
        name: `r${n}`,
      })),
    },
  })
  await world.apply({ ...serving, apiVersion: apiVersionOf(ModelInfer), kind: ModelInfer.kind })
  await world.condition(ModelInfer, 'wide', 'Available')
  const before = new Set((await world.list(Pod)).map(({ metadata }) => metadata.uid))
  await world.client.delete(Pod, { namespace: 'default', name: 'wide-0-r1-0-0' })
  await world.until('two new pods', async () => {
    const pods = await world.list(Pod)
    return pods.length === 2 && pods.every(({ metadata }) => !before.has(metadata.uid))
  })
})

test('what came after the first family is no field of a Model, and a single backend is none', async () => {
  const world = await cleanWorld()
  const refused = async (spec: Record<string, unknown>) =>
    world.apply(model(spec)).then(
      () => 'taken',
      (error: Error) => error.message,
    )
  assert.match(await refused({ backends: undefined, backend: backend('a') }), /spec\.backend/)
  assert.match(await refused({ backends: [backend('a', { schedulerName: 'x' })] }), /schedulerName/)
  assert.match(await refused({ rateLimit: { inputTokensPerUnit: 1 } }), /rateLimit/)
  assert.equal(await refused({}), 'taken')
})
