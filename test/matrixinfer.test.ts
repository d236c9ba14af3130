/** MatrixInfer's kinds, where they are served: what is promised of a model holds of one written in them. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { crdOf } from '#api/crd.ts'
import { matrixinfer } from '#api/dialects.ts'
import { families, kindsOf, legacyKinds, Model, ModelInfer } from '#api/family-kinds.ts'
import { controllerNames } from '#cli/controllers.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { startClients } from './asking.ts'
import { backend, modelBooster, modelServing } from './builders.ts'
import { boosterPromises } from './suites/booster-promises.ts'
import { startWorld, type World } from './world.ts'

/** A world with both families. */
async function startBoth(t: TestContext): Promise<World> {
  const world = await startWorld(t, { controllers: [...controllerNames, 'matrixinfer'] })
  for (const kind of legacyKinds) await world.apply(crdOf(kind) as unknown as AnyResource)
  const { client } = world
  await world.until('the kinds to be served', async () => {
    const lists = legacyKinds.map((kind) => client.list(kind, { namespace: 'default' }).catch(() => undefined))
    return (await Promise.all(lists)).every((list) => list !== undefined)
  })
  return world
}

boosterPromises(matrixinfer, startBoth)

const model = (spec: Record<string, unknown> = {}, name = 'chat'): AnyResource => ({
  ...modelBooster(name, spec),
  apiVersion: apiVersionOf(Model),
  kind: Model.kind,
})

test('C16: a Model and a ModelBooster of one name live side by side, and both answer', async (t) => {
  const world = await startBoth(t)
  const clients = await startClients(t, world, families)
  await world.apply(model({ name: 'theirs' }))
  await world.apply(modelBooster('chat', { name: 'ours', backends: [backend('main')] }))
  await clients.answered('theirs')
  await clients.answered('ours')
  const serving = await world.client.get(ModelInfer, { namespace: 'default', name: 'chat-vllm' })
  assert.equal(String(serving.spec.recoveryPolicy), 'InferGroupRecreate')
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

test('a lost pod takes its group with it, as their policy says', async (t) => {
  const world = await startBoth(t)
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

test('what came after the first family is no field of a Model, and a single backend is none', async (t) => {
  const world = await startBoth(t)
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
