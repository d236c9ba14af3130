import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { type ClusterAccess, loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect as open } from '#kube/transport.ts'
import type { Io } from './io.ts'
import { packageVersion } from './version.ts'

export interface ConnectOptions {
  readonly namespace?: string
  readonly kubeconfig?: string
  readonly context?: string
}

export interface Cluster extends AsyncDisposable {
  readonly client: Client
  /** The namespace that is meant when none is said. */
  readonly namespace: string
}

/** Where the data of `fairlead up` is unless `--data-dir` says otherwise. */
const defaultDataDir = '.fairlead'

export function connect(options: ConnectOptions, io: Io): Cluster {
  const access = clusterAccess(options, io)
  const connection = open(access)
  return {
    client: createClient({
      fetch: connection.fetch,
      baseUrl: access.server,
      userAgent: `fairlead/${packageVersion()}`,
    }),
    namespace: options.namespace ?? access.namespace,
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

/** The cluster that is meant, and who we are to it. */
export function clusterAccess(options: Omit<ConnectOptions, 'namespace'>, io: Io): ClusterAccess {
  const path = kubeconfigPath(options, io)
  return loadClusterAccess({
    env: io.env,
    ...(path !== undefined && { path }),
    ...(options.context !== undefined && { context: options.context }),
  })
}

/** The flag, else what KUBECONFIG names, else what `fairlead up` wrote below this folder, else kubectl's own. */
function kubeconfigPath({ kubeconfig }: ConnectOptions, { env }: Io): string | undefined {
  if (kubeconfig !== undefined || (env['KUBECONFIG'] ?? '') !== '') return kubeconfig
  const ours = join(defaultDataDir, 'kubeconfig')
  return existsSync(ours) ? ours : undefined
}
