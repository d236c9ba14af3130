import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import { checkModelServing, warnModelServing } from './model-serving-rules.ts'
import type { ModelServingSpec, ModelServingStatus } from './schemas/model-serving.ts'
export type {
  NetworkTopology,
  ModelServingRole,
  ModelServingSpec,
  ModelServingSpecInput,
  ModelServingStatus,
} from './schemas/model-serving.ts'

export const recoveryPolicies = ['ServingGroupRecreate', 'RoleRecreate', 'None'] as const
export type RecoveryPolicy = (typeof recoveryPolicies)[number]

export const rolloutTypes = ['ServingGroupRollingUpdate', 'RoleRollingUpdate'] as const
export type RolloutType = (typeof rolloutTypes)[number]

export const replicaPhases = ['Creating', 'Created', 'Running', 'Degraded', 'Recreating', 'Deleting'] as const
export type ReplicaPhase = (typeof replicaPhases)[number]

export const pluginNames = ['demo-pod-tweaks', 'lws-standard-labels'] as const
export type PluginName = (typeof pluginNames)[number]

export type ModelServing = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: ModelServingSpec
  status?: ModelServingStatus
}

/** Groups of pods that together serve one model: made, kept, replaced and scaled as one. */
export const ModelServing: Kind<ModelServing> = defineKind<ModelServing>({
  group: groups.workload,
  kind: 'ModelServing',
  plural: 'modelservings',
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.labelSelector',
  },
  columns: [
    { name: 'Replicas', type: 'integer', jsonPath: '.status.replicas' },
    { name: 'Available', type: 'integer', jsonPath: '.status.availableReplicas' },
    { name: 'Updated', type: 'integer', jsonPath: '.status.updatedReplicas' },
    { name: 'Revision', type: 'string', jsonPath: '.status.updateRevision', priority: 1 },
    {
      name: 'State',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Available")].message',
      priority: 1,
    },
  ],
  check: checkModelServing,
  warn: warnModelServing,
})
