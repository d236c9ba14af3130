/** What a plan is compared with: nothing, other files, or a cluster. */
import { ConfigMap } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { isFault } from '#base/fault.ts'
import { family } from '#booster/names.ts'
import { childKinds } from '#booster/observe.ts'
import { afterApply } from '#controller/would-change.ts'
import type { Client } from '#kube/client.ts'
import { apiVersionOf, isOfKind, type Kind, placeOf } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { applyDocument, fieldManager } from './apply.ts'
import { clusterAccess, type ConnectOptions, connect } from './connect.ts'
import { readDocuments, type UserDocument } from './documents.ts'
import { ImaginedCluster } from './imagined-cluster.ts'
import { inspect } from './inspect.ts'
import type { Io } from './io.ts'
import { kindOfObject } from './known-kinds.ts'
import { planChildren } from './planned.ts'
import { offlineUid } from './render.ts'

export interface Ground extends AsyncDisposable {
  /** In words. */
  readonly against: string
  /** Namespace of the ConfigMap with the platform's images, where one was found. */
  readonly home: string | undefined
  /** The object as it is, and as it would be. */
  apply(document: UserDocument, kind: Kind): Promise<{ before: Resource | undefined; after: Resource }>
  /** All that the planner of a booster may want to see. */
  clusterFor(booster: ModelBooster): Promise<ImaginedCluster>
}

/** Without `files` nothing is there; else what they hold was applied, and acted on. */
export function offlineGround(files: readonly string[]): Ground {
  const cluster = new ImaginedCluster()
  const apply = (document: UserDocument, kind: Kind) => {
    const { object } = inspect(document)
    const namespace = kind.namespaced ? { namespace: object.metadata.namespace ?? 'default' } : {}
    const placed = { ...object, metadata: { ...object.metadata, ...namespace } }
    const before = cluster.get(kind, placeOf(placed))
    const applied = afterApply(kind, before, placed, { manager: fieldManager })
    const after = { ...applied, metadata: { ...applied.metadata, uid: offlineUid, generation: 1 } }
    cluster.put(after)
    return { before, after }
  }
  for (const document of files.length === 0 ? [] : readDocuments(files)) {
    const kind = kindOfObject(document.object)
    if (kind === undefined) continue
    const { after } = apply(document, kind)
    if (isOfKind(after, ModelBooster)) planChildren(after, cluster, undefined, 0)
  }
  return {
    against:
      files.length === 0 ? 'offline, as if nothing were there' : `offline, as if ${files.join(', ')} were applied`,
    home: undefined,
    apply: (document, kind) => Promise.resolve(apply(document, kind)),
    clusterFor: () => Promise.resolve(cluster),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** The server checks and defaults what is applied, and keeps nothing of it. */
export async function clusterGround(options: ConnectOptions, io: Io): Promise<Ground> {
  const cluster = connect(options, io)
  const { client, namespace } = cluster
  const images = await imagesIn(client)
  return {
    against: clusterAccess(options, io).server,
    home: images?.metadata.namespace,
    async apply(document, kind) {
      const { before, applied } = await applyDocument(client, document, {
        namespace,
        dryRun: true,
        forceConflicts: true,
      })
      return { before, after: { ...applied, apiVersion: apiVersionOf(kind), kind: kind.kind } }
    },
    async clusterFor(booster) {
      const place = booster.metadata.namespace === undefined ? {} : { namespace: booster.metadata.namespace }
      const lists = await Promise.all(childKinds.map((kind: Kind) => listed(client, kind, place)))
      return new ImaginedCluster([...lists.flat(), ...(images === undefined ? [] : [images])])
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

async function listed(
  client: Client,
  kind: Kind,
  query: { namespace?: string; fieldSelector?: string },
): Promise<Resource[]> {
  const { items } = await client.list(kind, query)
  // Items of a list need not carry their type.
  return items.map((item) => ({ ...item, apiVersion: apiVersionOf(kind), kind: kind.kind }))
}

/** Who may not look in all namespaces plans with the images that hold where none are named. */
async function imagesIn(client: Client): Promise<AnyResource | undefined> {
  try {
    const [found] = await listed(client, ConfigMap, { fieldSelector: `metadata.name=${family.configMap.name}` })
    return found as AnyResource | undefined
  } catch (error) {
    if (isFault(error, 'denied')) return undefined
    throw error
  }
}
