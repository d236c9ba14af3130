/** What models cost a registry. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { aimClusterModel, aimModel } from './aim.ts'
import { startRegistry } from './registry.ts'
import { startWorld } from './world.ts'

test('each image is looked at once, however many models of both scopes are of it', async (t) => {
  await using registry = await startRegistry()
  const images = ['a', 'b', 'c'].map((name) => `amd/${name}:1`)
  for (const image of images) await registry.push(image, { labels: { 'aim.eai.amd.com/model.name': image } })
  const world = await startWorld(t)
  const models = images.flatMap((image, number): AnyResource[] =>
    Array.from({ length: 10 }, (_, index) => {
      const make = index % 2 === 0 ? aimModel : aimClusterModel
      return make(`of-${number}-${index}`, { image: `${registry.host}/${image}` })
    }),
  )
  await Promise.all(models.map((model) => world.apply(model)))
  await world.until('all are ready', async () => {
    const all = [...(await world.list(AIMModel)), ...(await world.list(AIMClusterModel))]
    return all.length === models.length && all.every(({ status }) => status?.status === 'Ready')
  })
  const asked = Map.groupBy(registry.requests, (request) =>
    request.includes('/blobs/') ? 'configuration' : 'manifest',
  )
  assert.equal(asked.get('configuration')?.length, images.length)
  assert.equal(asked.get('manifest')?.length, images.length)
})
