/** What `plan` says is what the controller does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { ModelBooster } from '#api/model-booster.ts'
import { kthena } from '#api/dialects.ts'
import { childKindsOf } from '#booster/observe.ts'
import { ImaginedCluster } from '#cli/imagined-cluster.ts'
import { surroundings } from '#cli/plan-cluster.ts'
import { controllerOf, planChildren } from '#cli/planned.ts'
import { afterApply } from '#controller/would-change.ts'
import { thorough } from '#base/thorough.testkit.ts'
import { canonicalJson } from '#base/json.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { boosters } from './boosters.ts'
import { kindOf } from './tools.ts'
import { startWorld, type World } from './world.ts'

const childKinds = childKindsOf(kthena)
const place = { namespace: 'default', name: 'chat' }

/** What the API has of the children, but for what only a server, or another controller, writes. */
async function childrenIn(world: World): Promise<string[]> {
  const lists = await Promise.all(
    childKinds.map(async (kind) => {
      const { items } = await world.client.list(kind, { namespace: 'default' })
      return items.map((item) => ({ ...item, apiVersion: apiVersionOf(kind), kind: kind.kind }))
    }),
  )
  return lists.flat().map(text).toSorted()
}

function text(object: Resource): string {
  const { apiVersion, kind, metadata, spec } = object as AnyResource
  const { name, namespace, labels, ownerReferences } = metadata
  return canonicalJson({ apiVersion, kind, metadata: { name, namespace, labels, ownerReferences }, spec })
}

async function settledWith(world: World, object: AnyResource): Promise<ModelBooster> {
  await world.apply(object)
  await world.settled()
  return world.client.get(ModelBooster, place)
}

test('whatever the booster, planned and written are the same objects, byte for byte', async (t) => {
  const world = await startWorld(t)
  for (const booster of fc.sample(boosters('chat'), { numRuns: thorough ? 60 : 6, seed: 7 })) {
    const stored = await settledWith(world, booster)
    const { changes, errors } = planChildren(stored, new ImaginedCluster(), undefined, Date.now())
    assert.deepEqual(errors, [])
    const planned = changes.map(({ object }) => afterApply(kindOf(object), undefined, object, controllerOf(object)))
    assert.deepEqual(planned.map(text).toSorted(), await childrenIn(world))
    await world.client.delete(ModelBooster, place)
    await world.until('the children to go', async () => (await childrenIn(world)).length === 0)
  }
})

test('whatever is changed into what, the plan leads to what the controller makes of it', async (t) => {
  const world = await startWorld(t)
  for (const [before, after] of fc.sample(fc.tuple(boosters('chat'), boosters('chat')), {
    numRuns: thorough ? 40 : 4,
    seed: 11,
  })) {
    await settledWith(world, before)
    const dryRun = await world.client.apply(ModelBooster, after, {
      fieldManager: 'test',
      force: true,
      dryRun: true,
    })
    const { cluster } = await surroundings(world.client, dryRun)
    const { changes } = planChildren(dryRun, cluster, undefined, Date.now())
    await settledWith(world, after)
    const planned = childKinds.flatMap((kind) => cluster.list(kind, { controllerUid: dryRun.metadata.uid ?? '' }))
    const complete = planned.map((object) =>
      afterApply(kindOf(object), object, { ...object, metadata: withoutManagers(object) }, controllerOf(object)),
    )
    const want = complete.map(text).toSorted()
    // What leaves stays until routers have heard of it.
    const isThere = async () => isDeepStrictEqual(await childrenIn(world), want)
    await world.until('what leaves to go', isThere).catch(() => {})
    assert.deepEqual(want, await childrenIn(world))
    assert.ok(changes.every(({ why }) => why.reason !== '' && why.note !== ''))
    await world.client.delete(ModelBooster, place)
    await world.until('the children to go', async () => (await childrenIn(world)).length === 0)
  }
})

function withoutManagers({ metadata: { managedFields: _, ...metadata } }: Resource): Resource['metadata'] {
  return metadata
}
