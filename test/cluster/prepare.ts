/** Makes a cluster ready for the suites, as an installation would. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Identity } from '#cli/identity.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import type { ClusterTarget } from './target.ts'

const root = join(import.meta.dirname, '../..')

const onDemand = ['config/matrixinfer/roles.yaml', 'config/leader-worker-sets/rights.yaml']

export interface Unprepared {
  readonly kubeconfig: string
  readonly identity?: Identity
  readonly auditLog?: string
  /** A program that is new enough. */
  readonly kubectl: string
}

/**
 * Installs `config/default`, whose deployments nobody runs there, and lends the tests its service accounts. These have their
 * rights to kinds that are served on demand before a test installs those: whoever asks sooner is refused.
 */
export function prepareCluster({ kubeconfig, identity, auditLog, kubectl: program }: Unprepared): ClusterTarget {
  const kubectl = (args: readonly string[], input = ''): string =>
    execFileSync(program, ['--kubeconfig', kubeconfig, ...args], { cwd: root, encoding: 'utf8', input })
  kubectl(['apply', '--server-side', '-k', 'config/default'])
  for (const file of onDemand) kubectl(['apply', '--server-side', '-f', file])
  kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all'])
  untilCollected(kubectl)
  const token = (account: string): string =>
    kubectl(['create', 'token', account, '--namespace=fairlead-system', '--duration=24h']).trim()
  return {
    kubeconfig,
    url: loadClusterAccess({ env: {}, path: kubeconfig }).server,
    ...(identity !== undefined && { identity }),
    ...(auditLog !== undefined && { auditLog }),
    tokens: { manager: token('fairlead-manager'), router: token('fairlead-router') },
  }
}

/** A garbage collector looks for new kinds twice a minute: before it has found ours, nothing of theirs follows its owner. */
function untilCollected(kubectl: (args: readonly string[], input?: string) => string): void {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'never-was', uid: '00000000-0000-0000-0000-000000000000' }
  const orphan = {
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelServer',
    metadata: { name: 'orphan', namespace: 'default', ownerReferences: [owner] },
    spec: { inferenceEngine: 'vLLM', workloadSelector: { matchLabels: { app: 'none' } }, workloadPort: { port: 8000 } },
  }
  kubectl(['create', '-f', '-'], JSON.stringify(orphan))
  kubectl(['wait', '--for=delete', '--timeout=120s', 'modelserver/orphan'])
}
