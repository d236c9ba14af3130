/** Makes a cluster ready for the suites, as an installation would. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Identity } from '#cli/identity.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import type { ClusterTarget } from './target.ts'

const root = join(import.meta.dirname, '../..')

export async function prepareCluster({
  kubeconfig,
  identity,
}: {
  readonly kubeconfig: string
  readonly identity?: Identity
}): Promise<ClusterTarget> {
  const kubectl = (...args: string[]): string =>
    execFileSync('kubectl', ['--kubeconfig', kubeconfig, ...args], { cwd: root, encoding: 'utf8' })
  kubectl('apply', '--server-side', '-f', 'config/crd')
  kubectl('wait', '--for=condition=Established', '--timeout=60s', '-f', 'config/crd')
  await collectorKnows(kubeconfig)
  const access = loadClusterAccess({ env: {}, path: kubeconfig })
  return {
    kubeconfig,
    url: access.server,
    ...(identity !== undefined && { identity }),
    tokens: { manager: identity?.token ?? '', router: identity?.token ?? '' },
  }
}

/** The garbage collector looks for new kinds twice a minute: before it has found ours, nothing of theirs follows its owner. */
async function collectorKnows(kubeconfig: string): Promise<void> {
  await using connection = connect(loadClusterAccess({ env: {}, path: kubeconfig }))
}
