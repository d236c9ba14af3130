/** What worlds stand on: an API server, Kubernetes' own controllers, and nodes that run pods on this machine. */
import type { LocalClusterOptions } from '#cli/local-cluster.ts'
import { type Log, silentLog } from '#base/log.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { Informer } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'

/** Who asks: a user, who may do everything, or one of our programs with the rights of its service account. */
export type Who = 'user' | 'manager' | 'router'

export interface Ground extends AsyncDisposable {
  /** The way to the API server as somebody. */
  lineOf(who: Who): Fetch
  /** Scheme and authority of the server. */
  readonly url: string
  /** Every request that was answered, oldest first. */
  readonly requests: readonly AnsweredRequest[]
  /** Kubernetes' controllers have acted on all they saw. */
  idle(): boolean
  /** Whether caches hold what the server holds. Embedded they cannot lag behind an idle event loop. */
  caughtUp(caches: ReadonlyMap<Kind, Informer<Resource>>): Promise<boolean>
  /** As long as anything may take before a test gives up; far more than anything takes. */
  readonly patienceMs: number
}

export type GroundOptions = Partial<Pick<LocalClusterOptions, 'dataDir' | 'nodes' | 'runtimes' | 'simulation' | 'log'>>

export const problemsOnly: Log = {
  ...silentLog,
  error: (message, fields) => console.error(message, JSON.stringify(fields)),
  with: () => problemsOnly,
}
