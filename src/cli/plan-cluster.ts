/** A cluster as the ground of a plan; apart, so that a plan without one need not load what talks to servers. */
import { ConfigMap } from '#api/core/kinds.ts'
import { type Dialect, dialectOf } from '#api/dialects.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { isFault } from '#base/fault.ts'
import { childKindsOf } from '#booster/observe.ts'
import type { Client } from '#kube/client.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { applyDocument } from './apply.ts'
import { clusterAccess, type ConnectOptions, connect } from './connect.ts'
import { crossChecks } from './cross-checks.ts'
import { ImaginedCluster } from './imagined-cluster.ts'
import type { Io } from './io.ts'
import type { Ground, Surroundings } from './plan-ground.ts'

/** The server checks and defaults what is applied, and keeps nothing of it. */
export async function clusterGround(options: ConnectOptions, io: Io): Promise<Ground> {
  const cluster = connect(options, io)
  const { client, namespace } = cluster
  return {
    against: clusterAccess(options, io).server,
    async apply(document, kind) {
      const choices = { namespace, dryRun: true, forceConflicts: true }
      const { before, applied } = await applyDocument(client, document, choices)
      return { before, after: { ...applied, apiVersion: apiVersionOf(kind), kind: kind.kind } }
    },
    surroundings: (booster) => surroundings(client, booster),
    warnings: (children) => crossChecks(client, children),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

export async function surroundings(client: Client, booster: ModelBooster): Promise<Surroundings> {
  const dialect = dialectOf(booster)
  const { namespace = 'default' } = booster.metadata
  const [images, ...lists] = await Promise.all([
    imagesIn(client, dialect),
    ...childKindsOf(dialect).map((kind) => listed(client, kind, { namespace })),
  ])
  const objects = [...lists.flat(), ...(images === undefined ? [] : [images])]
  return { cluster: new ImaginedCluster(objects), home: images?.metadata.namespace }
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
async function imagesIn(client: Client, { configMap }: Dialect): Promise<Resource | undefined> {
  try {
    return (await listed(client, ConfigMap, { fieldSelector: `metadata.name=${configMap.name}` }))[0]
  } catch (error) {
    if (isFault(error, 'denied')) return undefined
    throw error
  }
}
