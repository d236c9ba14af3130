/** Takes away what an earlier test left on a cluster, so that the next one finds it as new. */
import {
  coreKinds,
  CustomResourceDefinition,
  EndpointSlice,
  Event,
  EventsEvent,
  Namespace,
  Node,
  Pod,
  PersistentVolume,
  Secret,
  Service,
  ServiceAccount,
  Job,
} from '#api/core/kinds.ts'
import { defaultAimNamespace } from '#api/aim-labels.ts'
import { ownKinds } from '#api/kinds.ts'
import { isFault } from '#base/fault.ts'
import type { Client } from '#kube/client.ts'
import { collectionPath, keyOf, type Kind, placeOf } from '#machinery/kind.ts'
import type { ObjectMeta, Resource } from '#machinery/meta.ts'

/** The cluster's own, and what installs us. */
const keptNamespaces: ReadonlySet<string> = new Set([
  'default',
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'fairlead-system',
  'aim-system',
])
/** Made by the cluster in every namespace, and at once again. */
const madeByCluster: Readonly<Record<string, string>> = { Service: 'kubernetes', ConfigMap: 'kube-root-ca.crt' }
const notOurs: readonly Kind[] = [EndpointSlice, EventsEvent, ServiceAccount] as readonly Kind[]
const inDefault = [...ownKinds, ...coreKinds].filter((kind) => kind.namespaced && !notOurs.includes(kind))
/** What tests list over all namespaces. */
const anywhere: readonly Kind[] = [...ownKinds, Event, Pod, Service] as readonly Kind[]
const patienceMs = 60_000

/**
 * Resolves when the default namespace is empty, nothing of ours is anywhere, and there is no node. Namespaces of tests are on
 * their way out then: that takes a cluster many seconds each, and no two tests have one of the same name.
 */
export async function clear(client: Client): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (let first = true; ; first = false) {
    await removeNamespaces(client)
    const content = [
      ...inDefault.map((kind) => empty(client, kind, 'default')),
      ...anywhere.map((kind) => empty(client, kind)),
      ...[Secret, Job].map((kind) => empty(client, kind, defaultAimNamespace)),
    ]
    const left = (await Promise.all([...content, ...clusterScoped(client)])).flat()
    if (left.length === 0) return
    if (Date.now() > deadline) throw new Error(`would not go: ${left.join(', ')}`)
    if (!first) await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function removeNamespaces(client: Client): Promise<void> {
  const { items } = await client.list(Namespace)
  const stays = ({ name = '', deletionTimestamp }: ObjectMeta): boolean =>
    keptNamespaces.has(name) || deletionTimestamp !== undefined
  const ofTests = items.filter(({ metadata }) => !stays(metadata))
  await Promise.all(ofTests.map((item) => missingIsFine(client.delete(Namespace, placeOf(item)))))
}

/** Names what was still there, in this namespace or in all. */
async function empty(client: Client, kind: Kind, namespace?: string): Promise<string[]> {
  const items = await itemsOf(client, kind, namespace)
  await Promise.all(
    [...new Set(items.map(({ metadata }) => metadata.namespace))].map((each) => deleteAll(client, kind, each)),
  )
  await Promise.all(items.map((item) => release(client, kind, item)))
  return items.map((item) => `${kind.kind} ${keyOf(placeOf(item))}`)
}

async function deleteAll(client: Client, kind: Kind, namespace: string | undefined): Promise<void> {
  const kept = madeByCluster[kind.kind]
  const query = kept === undefined ? '' : `?fieldSelector=metadata.name!=${kept}`
  await client.raw(`${collectionPath(kind, namespace)}${query}`, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(kind.kind === Pod.kind && { gracePeriodSeconds: 0 }), // no node is left that would end them
    }),
  })
}

async function itemsOf<T extends Resource>(client: Client, kind: Kind<T>, namespace?: string): Promise<T[]> {
  const { items } = await client.list(kind, namespace === undefined ? {} : { namespace }).catch((error: unknown) => {
    if (isFault(error, 'missing')) return { items: [] } // its definition is not installed
    throw error
  })
  return items.filter(({ metadata }) => metadata.name !== madeByCluster[kind.kind])
}

/** What nobody is left to finalize. */
async function release(client: Client, kind: Kind, item: Resource): Promise<void> {
  const { deletionTimestamp, finalizers = [] } = item.metadata
  if (deletionTimestamp === undefined || finalizers.length === 0) return
  await missingIsFine(client.patch(kind, placeOf(item), { type: 'merge', patch: { metadata: { finalizers: null } } }))
}

function clusterScoped(client: Client): Promise<string[]>[] {
  const remove = async <T extends Resource>(kind: Kind<T>, isOurs: (item: T) => boolean): Promise<string[]> => {
    const items = (await itemsOf(client, kind)).filter(isOurs)
    await Promise.all(
      items.map(async (item) => {
        await missingIsFine(client.delete(kind, placeOf(item)))
        await release(client, kind, item)
      }),
    )
    return items.map(({ metadata }) => `${kind.kind} ${metadata.name}`)
  }
  return [
    remove(Node, () => true),
    remove(PersistentVolume, () => true),
    remove(CustomResourceDefinition, ({ spec }) => !ownKinds.some(({ group }) => group === spec.group)),
  ]
}

async function missingIsFine(done: Promise<unknown>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!isFault(error, 'missing') && !isFault(error, 'conflict')) throw error
  })
}
