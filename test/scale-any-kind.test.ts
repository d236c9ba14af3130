import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { Scale } from '#api/core/kinds.ts'
import type { Kind } from '#machinery/kind.ts'
import { atOnce, scalingBinding, scalingPolicy, startScalingWorld } from './scaling.ts'

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

test('any object with a scale subresource can be scaled, wherever its number stands', async (t) => {
  const world = await startScalingWorld(t)
  await world.apply(definition)
  const engine = {
    apiVersion: 'example.com/v1',
    kind: 'Engine',
    metadata: { name: 'big', namespace: 'default' },
    spec: { size: 1 },
  }
  await world.until('the kind is served', () =>
    world.client.create(Engine, engine).then(
      () => true,
      () => false,
    ),
  )
  world.boot()
  await world.apply(scalingPolicy('chat', { behavior: atOnce }))
  await world.apply(
    scalingBinding(
      'chat',
      { minReplicas: 3 },
      { targetRef: { apiVersion: 'example.com/v1', kind: 'Engine', name: 'big' } },
    ),
  )
  await world.tick()
  const scaled = (await world.client.get(Engine, { namespace: 'default', name: 'big' })) as typeof engine
  assert.equal(scaled.spec.size, 3)
  const binding = await world.find(AutoscalingPolicyBinding, { namespace: 'default', name: 'chat' })
  assert.deepEqual(
    binding?.status?.targets?.map(({ name, desiredReplicas }) => [name, desiredReplicas]),
    [['Engine/big', 3]],
  )
})
