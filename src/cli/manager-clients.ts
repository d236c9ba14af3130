import { systemClock } from '#base/clock.ts'
import { isFault } from '#base/fault.ts'
import type { Fence } from '#controller/fence.ts'
import type { ControllerMetrics } from '#controller/metrics.ts'
import type { Client } from '#kube/client.ts'
import { type ClientOptions, createClient } from '#kube/create-client.ts'
import type { ClusterAccess } from '#kube/kubeconfig.ts'
import { Limiter } from '#kube/limiter.ts'
import { connect } from '#kube/transport.ts'
import type { Fetch } from '#machinery/http.ts'
import { packageVersion } from './version.ts'

export interface ManagerClientsOptions {
  readonly access: ClusterAccess
  /** Of this process; the server's audit log tells it by that from others of the same account. */
  readonly identity: string
  /** Undefined where nobody else may lead. */
  readonly fence: Fence | undefined
  readonly qps: number
  readonly burst: number
  readonly metrics: Pick<ControllerMetrics, 'called' | 'paced'>
}

export interface ManagerClients extends AsyncDisposable {
  readonly caches: Client
  /**
   * By a connection of its own, in HTTP/1.1: no answer waits behind others there, a call that is given up takes its
   * connection with it, and the next one does not run into the same silence. Neither paced nor repeated.
   */
  readonly election: Client
  /** Writes only while the fence is open; what is under way when it closes ends. */
  controller(name: string): Client
}

export function managerClients({ access, identity, fence, ...options }: ManagerClientsOptions): ManagerClients {
  const { metrics, qps, burst } = options
  const line = connect(access, fence === undefined ? {} : { admit: (request) => fence.admit(request) })
  const electionLine = connect(access)
  const limiter = new Limiter({ clock: systemClock, qps, burst, onTurn: (waitedMs) => metrics.paced(waitedMs) })
  const client = (name: string, fetch: Fetch, rest: Partial<ClientOptions>): Client =>
    createClient({
      fetch: counted(fetch, metrics),
      baseUrl: access.server,
      userAgent: `${name}/${packageVersion()} (${identity})`,
      clock: systemClock,
      ...rest,
    })
  return {
    caches: client('fairlead-manager', line.fetch, { flow: limiter.flow() }),
    election: client('fairlead-election', electionLine.fetch, { retries: 0 }),
    controller: (name) =>
      client(name, line.fetch, { flow: limiter.flow(), ...(fence !== undefined && { signal: fence.closed }) }),
    async [Symbol.asyncDispose]() {
      await line[Symbol.asyncDispose]()
      await electionLine[Symbol.asyncDispose]()
    },
  }
}

/** What the fence refused was never a call. */
function counted(fetch: Fetch, { called }: ManagerClientsOptions['metrics']): Fetch {
  return async (request) => {
    const { method } = request
    const { host } = new URL(request.url)
    try {
      const response = await fetch(request)
      called({ status: response.status, method, host })
      return response
    } catch (error) {
      if (!isFault(error) || error.code !== 'NotLeading') called({ status: undefined, method, host })
      throw error
    }
  }
}
