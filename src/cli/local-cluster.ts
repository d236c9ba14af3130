/**
 * A whole cluster in one process, but for the router: API server, Kubernetes' own controllers, ours, and a node. They
 * meet only through the API; here, and nowhere else, they are put together.
 */
import { join } from 'node:path'
import { coreKinds } from '#api/core/kinds.ts'
import { coreDocument } from '#api/core/document.ts'
import { crdOf } from '#api/crd.ts'
import { ownKinds } from '#api/kinds.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { boosterController } from '#booster/controller.ts'
import type { RunningController, Runtime } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import { type ApiServer, createApiServer } from '#embedded/apiserver/server.ts'
import { startBuiltin } from '#embedded/builtin/start-builtin.ts'
import { type Node, startNode } from '#embedded/node/start-node.ts'
import { openStore } from '#embedded/store/store.ts'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Informers } from '#kube/informer.ts'
import { routingControllers } from '#routing/controller.ts'
import { servingController } from '#serving/controller.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { bearerCheck, type Identity, loadIdentity, writeKubeconfig } from './identity.ts'
import { type Listener, serveFetch } from './serve.ts'

export interface LocalClusterOptions {
  readonly dataDir: string
  readonly apiPort: number
  readonly durability: 'full' | 'normal'
  readonly clock: Clock
  readonly log: Log
}

export interface LocalCluster extends AsyncDisposable {
  readonly client: Client
  readonly informers: Informers
  readonly apiUrl: string
  readonly kubeconfig: string
  readonly controllers: readonly RunningController[]
  readonly server: ApiServer
}
