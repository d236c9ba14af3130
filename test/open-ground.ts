import { tokenAuthenticator } from '#cli/identity.ts'
import { startLocalCluster } from '#cli/local-cluster.ts'
import { systemClock } from '#base/clock.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { Fetch } from '#machinery/http.ts'
import { standOnCluster } from './cluster/stand.ts'
import { clusterTarget } from './cluster/target.ts'
import { type Ground, type GroundOptions, problemsOnly } from './ground.ts'

/** Embedded, unless `npm run test:cluster` names a real cluster; a test cannot tell which. */
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
