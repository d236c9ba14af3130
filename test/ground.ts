/**
 * What worlds stand on: an API server, Kubernetes' own controllers, and nodes that run pods on this machine. Embedded,
 * unless `npm run test:cluster` names a real cluster; a test cannot tell which.
 */
import { tokenAuthenticator } from '#cli/identity.ts'
import { startLocalCluster, type LocalClusterOptions } from '#cli/local-cluster.ts'
import { systemClock } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { Informer } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { clusterTarget } from './cluster/target.ts'
import { standOnCluster } from './cluster/stand.ts'

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

export function openGround(options: GroundOptions = {}): Promise<Ground> {
  const target = clusterTarget()
  return target === undefined ? standOnEmbedded(options) : standOnCluster(target, options)
}

const token = 'test-token'

async function standOnEmbedded(options: GroundOptions): Promise<Ground> {
  const requests: AnsweredRequest[] = []
  const cluster = await startLocalCluster({
    authenticate: tokenAuthenticator(token),
    authorization: `Bearer ${token}`,
    clock: systemClock,
    log: problemsOnly,
    controllers: [],
    freeze: true,
    onRequest: (request) => requests.push(request),
    ...options,
  })
  const authorized: Fetch = (request) => {
    request.headers.set('authorization', `Bearer ${token}`)
    return cluster.fetch(request)
  }
  return {
    lineOf: () => authorized,
    url: 'http://api',
    requests,
    idle: () => cluster.controllers.every((controller) => controller.idle()),
    caughtUp: () => Promise.resolve(true),
    patienceMs: 20_000,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}
