/** Takes away what an earlier test left on a cluster, so that the next one finds it as new. */
import {
  coreKinds,
  CustomResourceDefinition,
  EndpointSlice,
  EventsEvent,
  Namespace,
  Node,
  Pod,
  PersistentVolume,
  ServiceAccount,
} from '#api/core/kinds.ts'
import { ownKinds } from '#api/kinds.ts'
import { isFault } from '#base/fault.ts'
import type { Client } from '#kube/client.ts'
import { collectionPath, type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'

/** The cluster's own, and what installs us. */
const keptNamespaces: ReadonlySet<string> = new Set([
  'default',
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'fairlead-system',
])
/** Made by the cluster in every namespace, and at once again. */
const madeByCluster: Readonly<Record<string, string>> = { Service: 'kubernetes', ConfigMap: 'kube-root-ca.crt' }
const notOurs: readonly Kind[] = [EndpointSlice, EventsEvent, ServiceAccount] as readonly Kind[]
const namespaced = [...ownKinds, ...coreKinds].filter((kind) => kind.namespaced && !notOurs.includes(kind))
const patienceMs = 60_000

/** Resolves when the default namespace is empty, and there is neither a node nor a namespace of a test. */
export async function clear(client: Client): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (let first = true; ; first = false) {
    const content = namespaced.map((kind) => empty(client, kind, 'default'))
    const left = (await Promise.all([...content, ...clusterScoped(client)])).flat()
    if (left.length === 0) return
    if (Date.now() > deadline) throw new Error(`would not go: ${left.join(', ')}`)
    if (!first) await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Names what was still there. */
async function empty(client: Client, kind: Kind, namespace: string): Promise<string[]> {
  const items = await itemsOf(client, kind, namespace)
  if (items.length === 0) return []
  const kept = madeByCluster[kind.kind]
  const query = kept === undefined ? '' : `?fieldSelector=metadata.name!=${kept}`
  await client.raw(`${collectionPath(kind, namespace)}${query}`, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(kind === (Pod as Kind) && { gracePeriodSeconds: 0 }), // no node is left that would end them
    }),
  })
  await Promise.all(items.map((item) => release(client, kind, item)))
  return items.map(({ metadata }) => `${kind.kind} ${metadata.name}`)
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
        await release(client, kind as Kind, item)
        if (item.kind === Namespace.kind) await empty(client, Pod as Kind, item.metadata.name ?? '')
      }),
    )
    return items.map(({ metadata }) => `${kind.kind} ${metadata.name}`)
  }
  return [
    remove(Node, () => true),
    remove(PersistentVolume, () => true),
    remove(Namespace, ({ metadata }) => !keptNamespaces.has(metadata.name ?? '')),
    remove(CustomResourceDefinition, ({ spec }) => !ownKinds.some(({ group }) => group === spec.group)),
  ]
}

async function missingIsFine(done: Promise<unknown>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!isFault(error, 'missing') && !isFault(error, 'conflict')) throw error
  })
}
