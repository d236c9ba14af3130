import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '#base/fault.ts'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { loadKubeconfig } from '#kube/kubeconfig.ts'
import { openTransport } from '#kube/transport.ts'
import type { Io } from './io.ts'

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
export const defaultDataDir = '.fairlead'

export async function connect(options: ConnectOptions, io: Io): Promise<Cluster> {
  const files = kubeconfigFiles(options, io)
  const config = await loadKubeconfig({ files, ...(options.context !== undefined && { context: options.context }) })
  const transport = openTransport(config)
  return {
    client: createClient({ fetch: transport.fetch, baseUrl: config.server, userAgent: 'fairlead-cli' }),
    namespace: options.namespace ?? config.namespace ?? 'default',
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  }
}

/** The first of: the flag, `KUBECONFIG`, what `fairlead up` wrote below this folder, kubectl's own. */
export function kubeconfigFiles({ kubeconfig }: ConnectOptions, { env }: Io): string[] {
  if (kubeconfig !== undefined) return [kubeconfig]
  const listed = (env['KUBECONFIG'] ?? '').split(':').filter(Boolean)
  if (listed.length > 0) return listed
  const usual = [join(defaultDataDir, 'kubeconfig'), join(homedir(), '.kube/config')]
  const found = usual.find((file) => existsSync(file))
  if (found === undefined) {
    throw new Fault('missing', 'NoKubeconfig', `no kubeconfig: looked at ${usual.join(' and ')}; start \`fairlead up\` or give --kubeconfig`)
  }
  return [found]
}
