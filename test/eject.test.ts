/** What `eject` prints goes on without the booster: applied by itself, it answers the same request. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Namespace } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServing } from '#api/model-serving.ts'
import { dialects } from '#api/dialects.ts'
import { ejectBooster } from '#cli/eject.ts'
import { parseDocuments, readDocuments } from '#cli/documents.ts'
import { errorsOf, inspect } from '#cli/inspect.ts'
import { recordingIo } from '#cli/io.testkit.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { leavesOf } from '#machinery/field-changes.ts'
import { startClients } from './asking.ts'
import { startWorld, type World } from './world.ts'

const examples = fileURLToPath(new URL('../examples/model-booster', import.meta.url))
const files = [examples, join(examples, '../model')].flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => join(folder, file)),
)

async function ejected(file: string): Promise<AnyResource[]> {
  const io = recordingIo()
  await ejectBooster({ filename: [file], names: [], output: 'yaml' }, io)
  return parseDocuments(io.out(), file).map((document) => {
    assert.deepEqual(errorsOf(inspect(document).findings), [], file)
    return document.object
  })
}

const management: ReadonlySet<string> = new Set(dialects.flatMap(({ labels }) => Object.values(labels)))

test('of every example it is valid, and nothing in it says that it was managed', async () => {
  for (const file of files) {
    const objects = await ejected(file)
    assert.ok(objects.length >= 3, file)
    for (const object of objects) {
      assert.deepEqual(Object.keys(object.metadata), ['name', 'namespace'], file)
      const named = leavesOf(object).flatMap(({ path, value }) => [...path, value])
      assert.ok(!named.some((word) => management.has(String(word))), `${file} ${object.kind}`)
      assert.ok(!named.includes('uid-comes-from-the-server'), `${file} ${object.kind}`)
    }
  }
})

async function serves(world: World, namespace: string, objects: readonly AnyResource[]): Promise<void> {
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  for (const object of objects) await world.apply({ ...object, metadata: { ...object.metadata, namespace } })
  await world.until(`what serves in ${namespace}`, async () => {
    const { items } = await world.client.list(ModelServing, { namespace })
    const isAvailable = ({ status }: ModelServing) =>
      status?.conditions?.some(({ type, status: value }) => type === 'Available' && value === 'True') === true
    return items.length > 0 && items.every(isAvailable)
  })
}

test('applied without the booster, it answers the same request', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  for (const name of ['lora-adapters', 'weighted-backends', 'prefill-decode']) {
    const file = join(examples, `${name}.yaml`)
    const answers: unknown[] = []
    for (const [how, objects] of [
      ['booster', readDocuments([file]).map(({ object }) => object)],
      ['ejected', await ejected(file)],
    ] as const) {
      const namespace = `${name}-${how}`
      await serves(world, namespace, objects)
      const answered: Record<string, unknown> = {}
      const routes = (await world.client.list(ModelRoute, { namespace })).items
      for (const model of routes.flatMap(({ spec }) => [spec.modelName ?? '', ...(spec.loraAdapters ?? [])]))
        answered[model] = await clients.answered(model)
      assert.equal((await world.client.list(ModelBooster, { namespace })).items.length, how === 'booster' ? 1 : 0)
      assert.ok(Object.keys(answered).length > 0)
      answers.push(answered)
      await world.client.delete(Namespace, { name: namespace })
      await world.settled()
    }
    assert.deepEqual(answers[1], answers[0], name)
  }
})
