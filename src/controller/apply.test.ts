import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import type { Client } from '#kube/client.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { Applier } from './apply.ts'
import type { Reader } from './domain.ts'
import type { PassWrites } from './expectations.ts'

const owner: Resource = { apiVersion: 'v1', kind: 'Owner', metadata: { name: 'o', uid: 'owner' } }
const ownerReferences = [{ apiVersion: 'v1', kind: 'Owner', name: 'o', uid: 'owner', controller: true }]
const desired = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', labels: { app: 'a' }, ownerReferences },
  spec: { containers: [], hostname: 'dropped' },
} as unknown as AnyResource

/** A server that takes no `hostname`, whatever the schema says: applying it again would change nothing, for ever. */
function setup() {
  let live: Resource | undefined
  let applies = 0
  const client = {
    async apply(_kind: unknown, object: AnyResource) {
      applies++
      const generation = live?.metadata.generation ?? 1
      const metadata = { ...object.metadata, uid: 'u', resourceVersion: String(applies), generation }
      return (live = { ...object, metadata, spec: { containers: [] } } as Resource)
    },
  } as unknown as Client // the rest is never called
  const reader = { get: () => live } as unknown as Reader // likewise
  const writes: PassWrites = { of() {}, landed() {}, deleted() {}, close() {} }
  const applier = new Applier({ client, reader, manager: 'm' })
  const why = { reason: 'Applied', note: '' }
  return {
    /** Applies once, and tells how many requests that took. */
    async pass(object: AnyResource = desired): Promise<number> {
      const before = applies
      const plan = { stages: [[{ do: 'apply', kind: Pod, object, why } as const]] }
      await applier.execute({ owner, plan, writes, signal: new AbortController().signal, priority: 'normal' })
      return applies - before
    },
    /** Somebody else writes. */
    touch(metadata: object) {
      assert.ok(live)
      live = { ...live, metadata: { ...live.metadata, resourceVersion: 'touched', ...metadata } }
    },
  }
}

test('what a server never takes is asked for once', async () => {
  const { pass, touch } = setup()
  assert.deepEqual([await pass(), await pass()], [1, 0])
  touch({}) // a status was written
  assert.equal(await pass(), 0)
})

test('it is asked for again when we want something else, or somebody changed the spec or the metadata', async () => {
  const { pass, touch } = setup()
  await pass()
  assert.equal(await pass({ ...desired, spec: { ...desired.spec, hostname: 'other' } }), 1)
  await pass()
  touch({ generation: 2 })
  assert.deepEqual([await pass(), await pass()], [1, 0])
  touch({ labels: {} })
  assert.deepEqual([await pass(), await pass()], [1, 0])
})
