import { hash } from 'node:crypto'
import { groupName } from '../names.ts'
import type { Plugin } from './plugin.ts'

const prefix = 'leaderworkerset.sigs.k8s.io'

/** The labels that users of LeaderWorkerSets select by. */
export const lwsLabels: Plugin = {
  check: () => [],
  onPodCreate(pod, _, { serving, position: { group, index } }) {
    const labels = {
      ...pod.metadata.labels,
      [`${prefix}/name`]: serving,
      [`${prefix}/group-index`]: String(group),
      [`${prefix}/worker-index`]: String(index),
      [`${prefix}/group-key`]: hash('sha1', groupName(serving, group), 'hex'),
    }
    return { ...pod, metadata: { ...pod.metadata, labels } }
  },
}
