import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import { startControlPlane } from '../cluster/control-plane.ts'
import type { ApiTarget } from '../suites/api-target.ts'

/** Who asks the real server, and so whoever else is asked. */
export const administrator = {
  username: 'administrator',
  uid: 'administrator',
  groups: ['system:masters', 'system:authenticated'],
}

export interface BareServer extends AsyncDisposable {
  readonly target: ApiTarget
}

/**
 * A real API server alone, without controllers that would change what it holds, and without a past: it has forgotten all
 * versions before the present one.
 */
export async function startBareApiServer(env: NodeJS.ProcessEnv): Promise<BareServer> {
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await startControlPlane(env, { bare: true }))
  await cluster.compact()
  await cluster.killApiServer()
  await cluster.startApiServer()
  const access = loadClusterAccess({ env: {}, path: cluster.kubeconfig })
  const connection = stack.use(connect(access))
  const started = stack.move()
  return {
    target: { url: access.server, fetch: connection.fetch },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
