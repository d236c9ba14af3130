/** A cluster as the ground of a plan; apart, so that a plan without one need not load what talks to servers. */
import { ConfigMap } from '#api/core/kinds.ts'
import { isFault } from '#base/fault.ts'
import { family } from '#booster/names.ts'
import { childKinds } from '#booster/observe.ts'
import type { Client } from '#kube/client.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { applyDocument } from './apply.ts'
import { clusterAccess, type ConnectOptions, connect } from './connect.ts'
import { crossChecks } from './cross-checks.ts'
import { ImaginedCluster } from './imagined-cluster.ts'
import type { Io } from './io.ts'
import type { Ground } from './plan-ground.ts'

/** The server checks and defaults what is applied, and keeps nothing of it. */
export async function clusterGround(options: ConnectOptions, io: Io): Promise<Ground> {
  const cluster = connect(options, io)
  const { client, namespace } = cluster
  const { home, load } = await clusterAround(client)
  return {
    against: clusterAccess(options, io).server,
    home,
    async apply(document, kind) {
      const choices = { namespace, dryRun: true, forceConflicts: true }
      const { before, applied } = await applyDocument(client, document, choices)
      return { before, after: { ...applied, apiVersion: apiVersionOf(kind), kind: kind.kind } }
    },
    clusterFor: ({ metadata }) => load(metadata.namespace ?? namespace),
    warnings: (children) => crossChecks(client, children),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

interface Around {
  readonly home: string | undefined
  /** All that the planner of a booster in this namespace may want to see. */
  load(namespace: string): Promise<ImaginedCluster>
}

export async function clusterAround(client: Client): Promise<Around> {
  const images = await imagesIn(client)
  return {
    home: images?.metadata.namespace,
    async load(namespace) {
      const lists = await Promise.all(childKinds.map((kind: Kind) => listed(client, kind, { namespace })))
      return new ImaginedCluster([...lists.flat(), ...(images === undefined ? [] : [images])])
    },
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
