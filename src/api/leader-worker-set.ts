/**
 * What we read of a LeaderWorkerSet, a kind of another project that describes groups of pods much as a ModelServing does.
 * Its definition is that project's; ours is told what we write to its status.
 */
import type { Kind } from '#machinery/kind.ts'
import type { Condition, ObjectMeta } from '#machinery/meta.ts'
import type { PodTemplateSpec } from './core/types.generated.ts'

export type LeaderWorkerSet = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec?: {
    replicas?: number
    leaderWorkerTemplate: {
      size?: number
      leaderTemplate?: PodTemplateSpec
      workerTemplate: PodTemplateSpec
      restartPolicy?: string
    }
    rolloutStrategy?: {
      rollingUpdateConfiguration?: { partition?: number; maxUnavailable?: number | string; maxSurge?: number | string }
    }
    startupPolicy?: string
    networkConfig?: unknown
  }
  status?: LeaderWorkerSetStatus
}

export interface LeaderWorkerSetStatus {
  replicas: number
  readyReplicas: number
  updatedReplicas: number
  hpaPodSelector: string
  conditions: Condition[]
}

export const LeaderWorkerSet: Kind<LeaderWorkerSet> = {
  group: 'leaderworkerset.x-k8s.io',
  version: 'v1',
  kind: 'LeaderWorkerSet',
  plural: 'leaderworkersets',
  singular: 'leaderworkerset',
  listKind: 'LeaderWorkerSetList',
  shortNames: ['lws'],
  categories: [],
  namespaced: true,
  status: true,
  columns: [],
  builtin: false,
  schema: () => ({
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      status: {
        type: 'object',
        properties: {
          replicas: { type: 'integer' },
          readyReplicas: { type: 'integer' },
          updatedReplicas: { type: 'integer' },
          hpaPodSelector: { type: 'string' },
          conditions: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['type'],
            items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    },
  }),
}
