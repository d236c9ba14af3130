/** A LeaderWorkerSet as input, where it is asked for. */
import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { LeaderWorkerSet } from '#api/leader-worker-set.ts'
import { ModelServing } from '#api/model-serving.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { modelServing, podTemplate } from './builders.ts'
import { objectsIn } from './install/objects.ts'
import { namesOf, servingOf } from './serving-tools.ts'
import { startWorld, type World } from './world.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

/** As much of that project's definition as the API server needs to serve the kind. */
const definition: AnyResource = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'leaderworkersets.leaderworkerset.x-k8s.io' },
  spec: {
    group: LeaderWorkerSet.group,
    scope: 'Namespaced',
    names: {
      kind: 'LeaderWorkerSet',
      listKind: 'LeaderWorkerSetList',
      plural: 'leaderworkersets',
      singular: 'leaderworkerset',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
}

async function startBridged(t: TestContext): Promise<World> {
  const controllers = ['model-serving', 'leader-worker-set'] as const
  const world = await startWorld(t, { simulation, controllers })
  for (const object of [definition, ...objectsIn('leader-worker-sets')]) await world.apply(object)
  return world
}

const set = (replicas: number) => ({
  apiVersion: apiVersionOf(LeaderWorkerSet),
  kind: LeaderWorkerSet.kind,
  metadata: { name: 'big', namespace: 'default' },
  spec: { replicas, leaderWorkerTemplate: { size: 3, workerTemplate: podTemplate() } },
})

/** Created and changed as a user would, whatever the kinds that the tools know. */
async function write(world: World, object: ReturnType<typeof set>): Promise<void> {
  await world.until('the kind to be served', () =>
    world.client.apply(LeaderWorkerSet, object as never, { fieldManager: 'test', force: true }).catch(() => undefined),
  )
}

const readSet = (world: World) => world.client.get(LeaderWorkerSet, { namespace: 'default', name: 'big' })

test('S24 a LeaderWorkerSet becomes a ModelServing, its pods carry its labels, it is told how they are, and takes them with it', async (t) => {
  const world = await startBridged(t)
  await write(world, set(2))
  await world.until('two ready', async () => (await readSet(world)).status?.readyReplicas === 2)
  assert.deepEqual(
    await namesOf(world),
    [0, 1].flatMap((group) => [0, 1, 2].map((index) => `big-${group}-default-0-${index}`)),
  )
  const labels = (await world.list(Pod)).map(({ metadata }) => metadata.labels ?? {})
  const indexes = labels.map((each) =>
    ['name', 'group-index', 'worker-index'].map((key) => each[`leaderworkerset.sigs.k8s.io/${key}`]).join('/'),
  )
  assert.deepEqual(
    indexes.sort((one, other) => one.localeCompare(other)),
    ['big/0/0', 'big/0/1', 'big/0/2', 'big/1/0', 'big/1/1', 'big/1/2'],
  )
  assert.equal((await readSet(world)).status?.conditions[0]?.status, 'True')
  await world.client.delete(LeaderWorkerSet, { namespace: 'default', name: 'big' })
  await world.until('all to go', async () => (await world.list(Pod)).length === 0)
})

test('B-35 it is scaled by whoever scales it last, and a ModelServing of the same name that is not its own stays untouched', async (t) => {
  const world = await startBridged(t)
  await write(world, set(1))
  await world.until('one ready', async () => (await readSet(world)).status?.readyReplicas === 1)
  const place = { namespace: 'default', name: 'big' }
  await world.client.patch(
    ModelServing,
    place,
    { type: 'merge', patch: { spec: { replicas: 2 } } },
    { subresource: 'scale' },
  )
  await world.until('two ready', async () => (await readSet(world)).status?.readyReplicas === 2)
  await write(world, set(3))
  await world.until('three ready', async () => (await readSet(world)).status?.readyReplicas === 3)
  await world.client.delete(LeaderWorkerSet, place)
  await world.until('all to go', async () => (await world.find(ModelServing, place)) === undefined)

  await world.apply(modelServing('big'))
  const { metadata } = await servingOf(world, 'big')
  await write(world, set(1))
  const refused = await world.until('the refusal', async () =>
    (await readSet(world)).status?.conditions.find(({ reason }) => reason === 'ModelServingRefused'),
  )
  assert.match(refused.message, /ModelServing default\/big was not made by us; rename or delete it/)
  assert.equal((await servingOf(world, 'big')).metadata.generation, metadata.generation)
})
