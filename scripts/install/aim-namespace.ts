/** Where discovery Jobs of cluster-scoped models run, and the Secrets that they need are. */
import { defaultAimNamespace } from '#api/aim-labels.ts'
import { commonLabels, restricted } from './names.ts'
import type { Tree } from './tree.ts'

export const aimNamespace: Tree = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: defaultAimNamespace,
    labels: { ...commonLabels, ...restricted },
    // Users keep credentials there, which would go with it.
    annotations: { 'helm.sh/resource-policy': 'keep' },
  },
}
