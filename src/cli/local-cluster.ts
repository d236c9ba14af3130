/**
 * A whole cluster in one process, but for the router: API server, Kubernetes' own controllers, ours, and nodes. They
 * meet only through the API; here, and nowhere else, they are put together.
 */
import { join } from 'node:path'
import { defaultAimNamespace } from '#api/aim-labels.ts'
import { coreKinds } from '#api/core/kinds.ts'
import { crdOf } from '#api/crd.ts'
import { legacyKinds } from '#api/family-kinds.ts'
import { ownKinds } from '#api/kinds.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { RunningController, Runtime } from '#controller/controller.ts'
import type { Authenticate } from '#embedded/apiserver/identify.ts'
import { type AnsweredRequest, createApiServer } from '#embedded/apiserver/server.ts'
import { startBuiltin } from '#embedded/builtin/start-builtin.ts'
import { type LocalNode, startNode } from '#embedded/node/node.ts'
import type { RuntimesConfig } from '#embedded/node/runtimes-config.ts'
import type { SimulationHandle } from '#embedded/node/simulated-runtime.ts'
import { openStore } from '#embedded/store/store.ts'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Informers } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Routers } from '#serving/routers.ts'
import { startSimulation } from '#simulator/simulation.ts'
import type { AutoscalingOptions } from './autoscaling.ts'
import type { CatalogOptions } from './catalog.ts'
import { type ControllerName, startControllers } from './controllers.ts'

export interface LocalClusterOptions {
  /** A directory; `undefined` keeps nothing. */
  readonly dataDir?: string
  readonly durability?: 'full' | 'normal'
  readonly authenticate: Authenticate
  /** The `Authorization` header of our own programs. */
  readonly authorization: string
  readonly nodes?: readonly NodeEntry[]
  readonly runtimes?: RuntimesConfig
  readonly clock: Clock
  readonly log: Log
  /** Told of every request that the server answered. */
  readonly onRequest?: (request: AnsweredRequest) => void
  /** Which of our controllers to start; default all. */
  readonly controllers?: readonly ControllerName[]
  /** Who sends requests to pods, for rollouts to wait for; nobody by default. */
  readonly routers?: Routers
  readonly autoscaling?: AutoscalingOptions
  readonly catalog?: CatalogOptions
  /** One that others use too; by default the cluster has its own. */
  readonly simulation?: SimulationHandle
  /** Makes a change to a cached object throw: for tests. */
  readonly freeze?: boolean
}

/** A node with limits of its own; without any entry one node takes every pod. */
export interface NodeEntry {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly capacity?: Readonly<Record<string, string>>
}

export interface LocalCluster extends AsyncDisposable {
  readonly fetch: Fetch
  /** As the controllers have it. */
  readonly client: Client
  readonly informers: Informers
  /** Of this very process; nothing is left to do when all of them are idle. */
  readonly controllers: readonly RunningController[]
}

export async function startLocalCluster(options: LocalClusterOptions): Promise<LocalCluster> {
  const { dataDir, clock, log, authorization, freeze = false } = options
  await using stack = new AsyncDisposableStack()
  const path = dataDir === undefined ? ':memory:' : join(dataDir, 'fairlead.db')
  const store = stack.use(openStore({ path, clock, durability: options.durability ?? 'full' }))
  const nodes = new Map<string, LocalNode>()
  const server = stack.use(
    await createApiServer({
      store,
      kinds: coreKinds,
      customKinds: customKinds(options.controllers ?? []).map(crdOf),
      namespaces: [options.catalog?.systemNamespace ?? defaultAimNamespace],
      authenticate: options.authenticate,
      kubelet: (name) => nodes.get(name)?.fetch,
      clock,
      log,
      ...(options.onRequest !== undefined && { onRequest: options.onRequest }),
    }),
  )
  const fetch = authorized(server.fetch, authorization)
  const as = (userAgent: string): Client => createClient({ fetch, userAgent, clock })
  const client = as('fairlead')
  const informers = stack.use(createInformers({ client, clock, log, freeze }))
  const runtime = (name: string): Runtime => ({
    client: as(name),
    informers,
    clock,
    log: log.with({ part: name }),
  })

  const simulation = options.simulation ?? stack.use(startSimulation())
  for (const entry of options.nodes ?? [{ name: 'local', acceptsAll: true }]) {
    const node = await startNode({
      ...runtime(`kubelet-${entry.name}`),
      acceptsAll: false,
      ...entry,
      dataDir: dataDir ?? join(process.cwd(), '.fairlead'),
      simulation,
      ...(options.runtimes !== undefined && { runtimes: options.runtimes }),
    })
    nodes.set(entry.name, stack.use(node))
  }
  const ours = startControllers(runtime, options.controllers, {
    ...(options.routers !== undefined && { routers: options.routers }),
    ...(options.autoscaling !== undefined && { autoscaling: options.autoscaling }),
    ...(options.catalog !== undefined && { catalog: options.catalog }),
  })
  for (const controller of ours) stack.use(controller)
  // Last, so that it shares the caches of the others.
  const builtin = stack.use(startBuiltin({ ...runtime('kubernetes'), kinds: coreKinds }))
  const started = stack.move()
  return {
    fetch: server.fetch,
    client,
    informers,
    controllers: [builtin, ...ours],
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

/** Those of another family only where somebody acts on them: `kubectl get modelroutes` would mean theirs. */
function customKinds(controllers: readonly ControllerName[]): readonly Kind[] {
  return controllers.includes('matrixinfer') ? [...ownKinds, ...legacyKinds] : ownKinds
}

function authorized(fetch: Fetch, authorization: string): Fetch {
  return (request) => {
    request.headers.set('authorization', authorization)
    return fetch(request)
  }
}
