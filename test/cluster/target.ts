/** The real cluster that `npm run test:cluster` tells its test processes of. */
import { readFileSync } from 'node:fs'
import type { Identity } from '#cli/identity.ts'

export interface ClusterTarget {
  /** Of an administrator. */
  readonly kubeconfig: string
  readonly url: string
  /** What a kubelet serves its logs with, so that the API server believes it; without one there are no logs. */
  readonly identity?: Identity
  /** What the server says of its requests, where it does. */
  readonly auditLog?: string
  /** Bearer tokens of the service accounts that our programs have in an installation. */
  readonly tokens: { readonly manager: string; readonly router: string }
}

/** Names the file that holds the target as JSON. */
export const targetVariable = 'FAIRLEAD_TEST_CLUSTER'

/** Undefined where tests run on the embedded server. */
export function clusterTarget(): ClusterTarget | undefined {
  const file = process.env[targetVariable]
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as ClusterTarget)
}
