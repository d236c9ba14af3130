import { systemClock } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import type { Log } from '#base/log.ts'
import type { Routers } from '#serving/routers.ts'
import type { ControllerName } from './controllers.ts'
import type { AutoscalingOptions } from './autoscaling.ts'
import type { CatalogOptions } from './catalog.ts'
import { claimDataDir } from './data-dir.ts'
import { loadIdentity, tokenAuthenticator, writeKubeconfig } from './identity.ts'
import { type LocalCluster, type LocalClusterOptions, startLocalCluster } from './local-cluster.ts'
import { portTaken } from './port-taken.ts'
import { serveFetch } from './serve.ts'

export interface ListeningClusterOptions extends Pick<LocalClusterOptions, 'controllers' | 'onRequest'> {
  readonly dataDir: string
  readonly apiPort: number
  readonly durability: 'full' | 'normal'
  readonly nodes?: string
  readonly runtimes?: string
  /** Which of our controllers to start; default all. */
  readonly controllers?: readonly ControllerName[]
  /** Who sends requests to pods. */
  readonly routers?: Routers
  readonly autoscaling?: AutoscalingOptions
  readonly catalog?: CatalogOptions
  readonly log: Log
}

export interface ListeningCluster extends LocalCluster {
  readonly apiUrl: string
  readonly kubeconfig: string
}

/** A local cluster that listens on loopback, over TLS, for those who have its kubeconfig. */
export async function startListeningCluster(options: ListeningClusterOptions): Promise<ListeningCluster> {
  const { log } = options
  const dataDir = claimDataDir(options.dataDir)
  await using stack = new AsyncDisposableStack()
  const identity = await loadIdentity(dataDir, Date.now())
  const cluster = stack.use(
    await startLocalCluster({
      dataDir,
      durability: options.durability,
      authenticate: tokenAuthenticator(identity.token),
      authorization: `Bearer ${identity.token}`,
      clock: systemClock,
      log,
      ...(options.controllers !== undefined && { controllers: options.controllers }),
      ...(options.routers !== undefined && { routers: options.routers }),
      ...(options.onRequest !== undefined && { onRequest: options.onRequest }),
      ...(options.autoscaling !== undefined && { autoscaling: options.autoscaling }),
      ...(options.catalog !== undefined && { catalog: options.catalog }),
      ...(options.nodes !== undefined && { nodes: (await import('./nodes-file.ts')).nodesIn(options.nodes) }),
      ...(options.runtimes !== undefined && {
        runtimes: (await import('./runtimes-file.ts')).runtimesIn(options.runtimes),
      }),
    }),
  )
  const listen = { fetch: cluster.fetch, host: '127.0.0.1', port: options.apiPort, tls: identity }
  const listener = await serveFetch(listen).catch((error: unknown) => {
    throw isObject(error) && error['code'] === 'EADDRINUSE'
      ? portTaken({ flag: 'api-port', port: options.apiPort }, error)
      : error
  })
  stack.defer(() => listener.close())
  const apiUrl = `https://127.0.0.1:${listener.port}`
  const kubeconfig = writeKubeconfig(dataDir, identity, apiUrl)
  const started = stack.move()
  return {
    ...cluster,
    apiUrl,
    kubeconfig,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
