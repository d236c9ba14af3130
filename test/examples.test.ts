/** Every file in `examples/` does what it says: it is valid, it becomes ready, and what it names answers. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Namespace } from '#api/core/kinds.ts'
import { families, isBooster } from '#api/family-kinds.ts'
import { controllerNames } from '#cli/controllers.ts'
import { readDocuments } from '#cli/documents.ts'
import { errorsOf, inspect } from '#cli/inspect.ts'
import { render } from '#cli/render.ts'
import { recordingIo } from '#cli/io.testkit.ts'
import { nodesIn } from '#cli/nodes-file.ts'
import { runtimesIn } from '#cli/runtimes-file.ts'
import { conditionsOf } from '#cli/object-state.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource, ObjectMeta } from '#machinery/meta.ts'
import type { RuntimesConfig } from '#embedded/node/runtimes-config.ts'
import { namesIn, startClients } from './asking.ts'
import { objectsIn } from './install/objects.ts'
import { kindOf } from './tools.ts'
import { startWorld, type World } from './world.ts'

const root = fileURLToPath(new URL('../examples', import.meta.url))
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .sort()
/** Files for `up`, not objects. */
const forUp = ['local-pods/nodes.yaml', 'local-pods/runtimes.yaml']
const manifests = files.filter((file) => !forUp.includes(file))
/** Those of the catalog need a registry: `aim-examples.test.ts` applies them. */
const served = manifests.filter((file) => !file.startsWith('aim/'))

test('each says in its first two lines what it shows', () => {
  for (const file of files) {
    const [first = '', second = '', third = ''] = readFileSync(`${root}/${file}`, 'utf8').split('\n')
    assert.match(first, /^# /, file)
    assert.match(second, /^# /, file)
    assert.doesNotMatch(third, /^#/, file)
  }
})

test('each is valid, and what is a booster can be rendered offline', () => {
  assert.ok(manifests.length >= 18)
  for (const file of manifests) {
    const path = `${root}/${file}`
    const documents = readDocuments([path])
    assert.deepEqual(
      documents.flatMap((document) => errorsOf(inspect(document).findings)),
      [],
      file,
    )
    if (!documents.some(({ object }) => isBooster(object))) continue
    const io = recordingIo()
    render({ filename: [path], output: 'yaml' }, io)
    assert.match(io.out(), /^kind: ModelRoute$/m, file)
  }
})

async function becomesTrue(world: World, kind: Kind, namespace: string, type: string): Promise<void> {
  await world.until(`${kind.kind} in ${namespace} ${type}`, async () => {
    const { items } = await world.client.list(kind, { namespace })
    return items.every((item) =>
      conditionsOf(item as AnyResource).some(
        (each) => each.type === type && each.status === 'True' && each.observedGeneration === item.metadata.generation,
      ),
    )
  })
}

test('applied, each becomes ready and answers by all of its names', async (t) => {
  const world = await startWorld(t, { runtimes: exampleRuntimes(), controllers: [...controllerNames, 'matrixinfer'] })
  for (const object of objectsIn('matrixinfer')) await world.apply(object)
  const clients = await startClients(t, world, families)
  const answered: string[] = []
  for (const [at, file] of served.entries()) {
    const namespace = `example-${at}`
    await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    const objects = readDocuments([`${root}/${file}`]).map(({ object }) => ({
      ...object,
      metadata: { ...object.metadata, ...(kindOf(object).namespaced && { namespace }) },
    }))
    for (const object of objects) await world.apply(object)
    for (const { booster, serving } of families) {
      await becomesTrue(world, booster, namespace, 'Active')
      await becomesTrue(world, serving, namespace, 'Available')
    }
    for (const { name, headers } of await namesIn(world, namespace)) {
      await clients.answered(name, headers)
      answered.push(name)
    }
    // Said again, it changes nothing; but once it may change the order of managers, which goes by their times.
    await world.settled()
    for (const object of objects) {
      const { metadata: stored } = await world.apply(object)
      const { metadata } = await world.apply(object)
      assert.deepEqual(ownEntry(metadata), ownEntry(stored), `${file} ${object.kind}`)
    }
    // Two examples have a name in common.
    await world.client.delete(Namespace, { name: namespace })
  }
  const routed = manifests.filter((file) =>
    readDocuments([`${root}/${file}`]).some(({ object }) => /^Model(Booster|Route|)$/.test(object.kind)),
  )
  assert.ok(answered.length >= routed.length, answered.join(' '))
  for (const name of [
    'quickstart',
    'test-model',
    'Qwen/Qwen2.5',
    'sql',
    'french',
    'gold',
    'tiny',
    'tiered',
    'echo',
    'veteran',
    'seasoned-sql',
  ])
    assert.ok(answered.includes(name), name)
})

/** The example's own, with the Node.js that runs this test in front of others. */
function exampleRuntimes(): RuntimesConfig {
  const { runtimes } = runtimesIn(`${root}/local-pods/runtimes.yaml`)
  const PATH = dirname(process.execPath)
  return {
    runtimes: runtimes.map((entry) =>
      entry.runtime === 'process' ? { ...entry, env: { ...entry.env, PATH } } : entry,
    ),
  }
}

/** What the server keeps of our own apply, with the time when it last changed anything. */
function ownEntry({ managedFields }: ObjectMeta): unknown {
  return managedFields?.find(({ manager, operation }) => manager === 'test' && operation === 'Apply')
}

test('the nodes file is what up takes', () => {
  const nodes = nodesIn(`${root}/local-pods/nodes.yaml`)
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ['gpu-1', 'cpu-1'],
  )
})
