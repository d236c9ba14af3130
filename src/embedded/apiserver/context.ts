import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Store } from '#embedded/store/store.ts'
import type { ClusterIps } from './cluster-ips.ts'
import type { NodePorts } from './node-ports.ts'
import type { User } from './identify.ts'
import type { Target } from './route.ts'
import type { KindRegistry } from './served-kind.ts'

/** What all stages share for the life of a server. */
export interface Context {
  readonly store: Store
  readonly kinds: KindRegistry
  readonly clock: Clock
  readonly log: Log
  readonly clusterIps: ClusterIps
  readonly nodePorts: NodePorts
  readonly kubelet: (nodeName: string) => Fetch | undefined
  /** Aborts when the server is disposed. */
  readonly closing: AbortSignal
}

/** One request to a resource on its way through the stages. */
export interface Call {
  readonly request: Request
  readonly query: URLSearchParams
  readonly user: User
  readonly target: Target
  /** Texts for `Warning:` headers of the answer. */
  readonly warnings: string[]
}
