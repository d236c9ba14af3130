/**
 * A whole cluster in one process, but for the router: API server, Kubernetes' own controllers, ours, and a node. They
 * meet only through the API; here, and nowhere else, they are put together.
 */
import { join } from 'node:path'
import { coreDocument } from '#api/core/document.ts'
import { coreKinds } from '#api/core/kinds.ts'
import { crdOf } from '#api/crd.ts'
import { ownKinds } from '#api/kinds.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { boosterController } from '#booster/controller.ts'
import type { RunningController, Runtime } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import { type ApiServer, createApiServer } from '#embedded/apiserver/server.ts'
import { startBuiltin } from '#embedded/builtin/start-builtin.ts'
import { type Node, type NodeOptions, startNode } from '#embedded/node/start-node.ts'
import { openStore } from '#embedded/store/store.ts'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Informers } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'
import { modelRouteController, modelServerController } from '#routing/controller.ts'
import { servingController } from '#serving/controller.ts'
import { startSimulation } from '#simulator/simulation.ts'

export interface LocalClusterOptions {
  /** A directory, or `:memory:` to keep nothing. */
  readonly dataDir: string
  readonly durability?: 'full' | 'normal'
  /** Lets in whom it returns true for. */
  readonly authenticate: (request: Request) => boolean
  /** What our own client sends to be let in. */
  readonly authorization: string
  readonly clock: Clock
  readonly log: Log
  /** Makes changes to cached objects throw; for tests. */
  readonly freeze?: boolean
  /** Stands between the controllers and the server; for tests that inject faults. */
  readonly between?: (fetch: Fetch) => Fetch
}

export interface LocalCluster extends AsyncDisposable {
  readonly server: ApiServer
  readonly client: Client
  readonly informers: Informers
  readonly controllers: readonly RunningController[]
}
