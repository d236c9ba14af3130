/** What a user of an AIMModel is promised, seen from outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMModel } from '#api/aim-model.ts'
import { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { aimModel, gpuNode, mi300x, recommending } from './aim.ts'
import { startWorld } from './world.ts'

test('scenario 4 an air-gapped model has its templates without a request to any registry', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  const image = 'registry.internal/models/llama-3-8b:v1.0.0'
  await world.apply(
    aimModel('llama-3-8b', {
      image,
      imageMetadata: recommending({ ...mi300x, gpuCount: 8, precision: 'fp8', metric: 'latency' }),
    }),
  )
  await world.condition(AIMModel, 'llama-3-8b', 'Ready')
  const [template] = await world.list(AIMServiceTemplate)
  assert.equal(template?.metadata.name, 'registry-internal-models-llama-3-8b-v1-0-8x-mi300x-lat-fp8-ccf9')
  console.log(JSON.stringify(template, null, 1))
  console.log(JSON.stringify(await world.find(AIMModel, { namespace: 'default', name: 'llama-3-8b' }), null, 1))
})
