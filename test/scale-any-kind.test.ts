import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { Scale } from '#api/core/kinds.ts'
import type { Kind } from '#machinery/kind.ts'
import { failureStatus } from '#machinery/status.ts'
import { atOnce, scalingBinding, scalingPolicy, type ScalingWorld, startScalingWorld } from './scaling.ts'

/** A kind that nobody here knows, with its number where it likes. */
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'engines.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'engines', singular: 'engine', kind: 'Engine' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
        subresources: { scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
      },
    ],
  },
}
const Engine: Kind = { ...Scale, group: 'example.com', version: 'v1', kind: 'Engine', plural: 'engines' }

/** A world in which one of them can be made. */
async function startWithEngines(t: TestContext): Promise<ScalingWorld> {
  const world = await startScalingWorld(t)
  await world.apply(definition)
  await world.until('the kind is served', () =>
    world.client.create(Engine, engine).then(
      () => true,
      () => false,
    ),
  )
  return world
}

const engine = {
  apiVersion: 'example.com/v1',
  kind: 'Engine',
  metadata: { name: 'big', namespace: 'default' },
  spec: { size: 1 },
}

async function bind(world: ScalingWorld, name = 'big'): Promise<void> {
  await world.apply(scalingPolicy('chat', { behavior: atOnce }))
  const targetRef = { apiVersion: 'example.com/v1', kind: 'Engine', name }
  await world.apply(scalingBinding('chat', { minReplicas: 3 }, { targetRef }))
}

const sizeOf = async (world: ScalingWorld): Promise<unknown> =>
  ((await world.client.get(Engine, { namespace: 'default', name: 'big' })) as typeof engine).spec.size

const statusOf = async (world: ScalingWorld) =>
  (await world.find(AutoscalingPolicyBinding, { namespace: 'default', name: 'chat' }))?.status

const readiness = async (world: ScalingWorld) =>
  (await statusOf(world))?.conditions?.find(({ type }) => type === 'Ready')

/** What an API server says to who has no right to read a scale. */
function refusal(): Response {
  const message = 'engines.example.com "big" is forbidden: cannot get resource "engines/scale"'
  return Response.json(failureStatus(403, 'Forbidden', message), { status: 403 })
}

test('any object with a scale subresource can be scaled, wherever its number stands', async (t) => {
  const world = await startWithEngines(t)
  world.boot()
  await bind(world)
  await world.tick()
  assert.equal(await sizeOf(world), 3)
  assert.deepEqual(
    (await statusOf(world))?.targets?.map(({ name, desiredReplicas }) => [name, desiredReplicas]),
    [['Engine/big', 3]],
  )
})

test('one whose scale may not be read is none at zero: what is missing is told', async (t) => {
  const world = await startWithEngines(t)
  world.boot({}, (fetch) => async (request) => (request.url.endsWith('/scale') ? refusal() : fetch(request)))
  await bind(world)
  await world.tick()
  const ready = await readiness(world)
  assert.deepEqual([ready?.status, ready?.reason], ['False', 'TargetForbidden'])
  assert.match(ready?.message ?? '', /the right to get and patch engines\/scale/)
  assert.equal(await sizeOf(world), 1)
})

test('one that is not there is told', async (t) => {
  const world = await startWithEngines(t)
  world.boot()
  await bind(world, 'nobody')
  await world.tick()
  const ready = await readiness(world)
  assert.deepEqual([ready?.reason, ready?.message], ['TargetNotFound', 'there is no Engine nobody in default'])
})
