import { z } from 'zod'
import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import type { PodSpec } from './core/types.generated.ts'
import { defineKind } from './define-kind.ts'
import { atomicList, conditions, coreField, freeForm, intOrPercent, keyedBy, rules } from './fields.ts'
import { groups } from './labels.ts'
import { checkModelServing, warnModelServing } from './model-serving-rules.ts'

export const recoveryPolicies = ['ServingGroupRecreate', 'RoleRecreate', 'None'] as const
export type RecoveryPolicy = (typeof recoveryPolicies)[number]

export const rolloutTypes = ['ServingGroupRollingUpdate', 'RoleRollingUpdate'] as const
export type RolloutType = (typeof rolloutTypes)[number]

export const replicaPhases = ['Creating', 'Created', 'Running', 'Degraded', 'Recreating', 'Deleting'] as const
export type ReplicaPhase = (typeof replicaPhases)[number]

const PodTemplate = z
  .object({
    metadata: z
      .object({
        labels: z.record(z.string(), z.string()).exactOptional().describe('Labels of the pods.'),
        annotations: z.record(z.string(), z.string()).exactOptional().describe('Annotations of the pods.'),
      })
      .exactOptional()
      .describe('What the pods carry besides the labels that the controller gives them.'),
    spec: coreField<PodSpec>('io.k8s.api.core.v1.PodSpec').describe('The pods, as Kubernetes itself describes them.'),
  })
  .describe('The shape of a pod.')

const TopologyPolicy = z
  .object({
    mode: z
      .enum(['hard', 'soft'])
      .default('hard')
      .describe('`hard`: not scheduled unless everything fits the tier. `soft`: as near to each other as can be.'),
    highestTierAllowed: z
      .int32()
      .min(0)
      .optional()
      .describe('Highest tier of the network that the pods may span; 1 is the nearest.'),
    highestTierName: z.string().max(253).optional().describe('The same by the name of the tier.'),
  })
  .meta(
    rules({
      rule: '!(has(self.highestTierAllowed) && has(self.highestTierName))',
      message: 'give highestTierAllowed or highestTierName, not both',
    }),
  )

/** Both released shapes: policies for group and role, or the older flat one for the group. */
export const NetworkTopology = z
  .object({
    groupPolicy: TopologyPolicy.optional().describe('How near the pods of one group must be.'),
    rolePolicy: TopologyPolicy.optional().describe('How near the pods of one role replica must be.'),
    mode: z.enum(['hard', 'soft']).optional().describe('Older form of `groupPolicy.mode`.'),
    highestTierAllowed: z.int32().min(0).optional().describe('Older form of `groupPolicy.highestTierAllowed`.'),
  })
  .describe('Where in the network the pods may be placed; needs the Volcano scheduler.')
  .meta(
    rules({
      rule: '!(has(self.mode) || has(self.highestTierAllowed)) || !(has(self.groupPolicy) || has(self.rolePolicy))',
      message: 'mode and highestTierAllowed are the older form of groupPolicy; write groupPolicy alone',
    }),
  )
export type NetworkTopology = z.output<typeof NetworkTopology>

const GangPolicy = z
  .object({
    minRoleReplicas: z
      .record(z.string(), z.int32().min(0))
      .optional()
      .describe('For a role, how many of its replicas must be schedulable together. Absent roles count in full.')
      .meta({ maxProperties: 4 }),
  })
  .describe('Pods of a group are scheduled all or none; needs the Volcano scheduler. Its presence turns this on.')

export const ModelServingRole = z
  .object({
    name: z
      .string()
      .max(12)
      .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
      .describe('Name of the role, part of the names of its pods: lower case, digits and dashes, first a letter.'),
    replicas: z.int32().min(0).max(1_000_000).default(1).describe('Instances of this role in each group.'),
    entryTemplate: PodTemplate.describe('The first pod of each instance; the one that answers requests.'),
    workerReplicas: z.int32().min(0).max(1_000_000).default(0).describe('Further pods of each instance.'),
    workerTemplate: PodTemplate.optional().describe('The further pods; needed when `workerReplicas` is above 0.'),
    maxUnavailable: intOrPercent()
      .default(1)
      .describe(
        'With `RoleRollingUpdate`: instances that may be missing during an update; percentages round down. Accepted, and not acted on yet.',
      ),
    partition: intOrPercent()
      .optional()
      .describe(
        'With `RoleRollingUpdate`: instances with a lower ordinal stay as they are; percentages round up. Accepted, and not acted on yet.',
      ),
  })
  .describe('One part of a group, such as `prefill`.')
  .meta(
    rules({
      rule: 'self.workerReplicas == 0 || has(self.workerTemplate)',
      message: 'workerTemplate is required when workerReplicas is above 0',
      fieldPath: '.workerTemplate',
      reason: 'FieldValueRequired',
    }),
  )
export type ModelServingRole = z.output<typeof ModelServingRole>

const ServingTemplate = z
  .object({
    restartGracePeriodSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(0)
      .describe('How long a pod whose container restarted may take to be ready again before it counts as failed.'),
    gangPolicy: GangPolicy.optional(),
    networkTopology: NetworkTopology.optional(),
    roles: z
      .array(ModelServingRole)
      .min(1)
      .max(4)
      .describe('The parts of a group; their order is the order of creation.')
      .meta({
        ...atomicList,
        ...rules({
          rule: 'self.all(a, self.exists_one(b, a.name == b.name))',
          message: 'each role needs a name of its own',
        }),
      }),
  })
  .describe('What one group consists of.')
  .meta(
    rules({
      rule: `!has(self.gangPolicy) || !has(self.gangPolicy.minRoleReplicas) || self.gangPolicy.minRoleReplicas.all(name, self.roles.exists(role, role.name == name && self.gangPolicy.minRoleReplicas[name] <= role.replicas))`,
      message: 'each key must name a role, and its value may not be above the replicas of that role',
      fieldPath: '.gangPolicy.minRoleReplicas',
    }),
  )

const RollingUpdate = z.object({
  maxUnavailable: intOrPercent()
    .default(1)
    .describe(
      'Groups that may be missing during an update; percentages of `replicas`, rounded down. Accepted, and not acted on yet: it is one.',
    ),
  maxSurge: intOrPercent()
    .optional()
    .describe('Groups above `replicas` during an update. Accepted, and not acted on yet.'),
  partition: intOrPercent()
    .optional()
    .describe(
      'Groups with a lower ordinal stay as they are; percentages of `replicas`, rounded up. Accepted, and not acted on yet: all groups are replaced.',
    ),
})

const Plugin = z.object({
  name: z.string().max(253).describe('Name of a built-in plugin.'),
  type: z.enum(['BuiltIn']).default('BuiltIn').describe('Where the plugin comes from.'),
  config: freeForm().optional().describe('Settings of the plugin.'),
  scope: z
    .object({
      roles: z
        .array(z.string().max(12))
        .max(4)
        .optional()
        .describe('Roles it acts on; all when empty.')
        .meta(atomicList),
      target: z.enum(['All', 'Entry', 'Worker']).optional().describe('Pods it acts on; all by default.'),
    })
    .optional()
    .describe('Where the plugin acts.'),
})

export const ModelServingSpec = z
  .object({
    replicas: z.int32().min(0).max(1_000_000).default(1).describe('Number of groups; each serves the whole model.'),
    schedulerName: z
      .string()
      .max(253)
      .optional()
      .describe('Scheduler of all pods. Unset: `volcano` where gang or topology is asked for, else the cluster’s own.'),
    plugins: z
      .array(Plugin)
      .max(16)
      .optional()
      .describe('Built-in plugins that change pods before they are created, in order. Accepted, and not acted on yet.')
      .meta(atomicList),
    template: ServingTemplate,
    rolloutStrategy: z
      .object({
        type: z
          .enum(rolloutTypes)
          .default('ServingGroupRollingUpdate')
          .describe(
            'Whether whole groups are replaced, or the instances of changed roles inside them. Whole groups are, so far.',
          ),
        rollingUpdateConfiguration: RollingUpdate.optional().describe('The pace of `ServingGroupRollingUpdate`.'),
      })
      .optional()
      .describe('How a change of the template reaches the pods.')
      .meta(
        rules({
          rule: `self.type != 'RoleRollingUpdate' || !has(self.rollingUpdateConfiguration)`,
          message: 'belongs to ServingGroupRollingUpdate; with RoleRollingUpdate set maxUnavailable of each role',
          fieldPath: '.rollingUpdateConfiguration',
          reason: 'FieldValueForbidden',
        }),
      ),
    recoveryPolicy: z
      .enum(recoveryPolicies)
      .default('RoleRecreate')
      .describe('What one failed pod takes down with it.'),
  })
  .describe('Desired state of one served model.')
  .meta(
    rules(
      {
        rule: `!has(self.rolloutStrategy) || !has(self.rolloutStrategy.rollingUpdateConfiguration) || self.replicas == 0 || (type(self.rolloutStrategy.rollingUpdateConfiguration.maxUnavailable) == int ? self.rolloutStrategy.rollingUpdateConfiguration.maxUnavailable != 0 : int(string(self.rolloutStrategy.rollingUpdateConfiguration.maxUnavailable).replace('%', '')) * self.replicas >= 100)`,
        message: 'maxUnavailable comes to no group at all, so no update could move; raise it',
        fieldPath: '.rolloutStrategy.rollingUpdateConfiguration.maxUnavailable',
      },
      {
        rule: `has(self.rolloutStrategy) && self.rolloutStrategy.type == 'RoleRollingUpdate' ? self.template.roles.all(role, role.replicas == 0 || (type(role.maxUnavailable) == int ? role.maxUnavailable != 0 : int(string(role.maxUnavailable).replace('%', '')) * role.replicas >= 100)) : self.template.roles.all(role, !has(role.partition))`,
        message:
          'partition of a role is for RoleRollingUpdate alone; and with it, maxUnavailable of each role must come to at least one instance',
        fieldPath: '.template.roles',
      },
      {
        rule: `self.recoveryPolicy != 'ServingGroupRecreate' || !has(self.rolloutStrategy) || self.rolloutStrategy.type != 'RoleRollingUpdate'`,
        message: 'ServingGroupRecreate does not go with RoleRollingUpdate; choose RoleRecreate or None',
        fieldPath: '.recoveryPolicy',
      },
    ),
  )
export type ModelServingSpec = z.output<typeof ModelServingSpec>
export type ModelServingSpecInput = z.input<typeof ModelServingSpec>

export const ModelServingStatus = z
  .object({
    observedGeneration: z.int().optional().describe('Generation of the spec that this status speaks of.'),
    replicas: z.int32().optional().describe('Groups there are, those being deleted included.'),
    updatedReplicas: z.int32().optional().describe('Groups of the present template.'),
    currentReplicas: z.int32().optional().describe('Groups of `currentRevision`.'),
    availableReplicas: z.int32().optional().describe('Groups that are ready, of any revision.'),
    currentRevision: z.string().optional().describe('Revision that is being left, or the only one.'),
    updateRevision: z.string().optional().describe('Revision of the present template.'),
    labelSelector: z.string().optional().describe('Selects one pod of each group, for autoscalers.'),
    groups: z
      .array(
        z.object({
          ordinal: z.int32().describe('Number of the group, part of the names of its pods.'),
          revision: z.string().optional().describe('Revision of its pods; absent while they differ.'),
          roles: z
            .array(
              z.object({
                name: z.string().describe('Name of the instance, `<role>-<ordinal>`.'),
                phase: z.enum(replicaPhases).describe('How far the instance has come.'),
              }),
            )
            .describe('The instances of its roles.')
            .meta(keyedBy('name')),
        }),
      )
      .optional()
      .describe('How far each group has come.')
      .meta(keyedBy('ordinal')),
    conditions: conditions().optional(),
  })
  .describe('Observed state of one served model.')
export type ModelServingStatus = z.output<typeof ModelServingStatus>

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
  description: 'Groups of pods that together serve one model: made, kept, replaced and scaled as one.',
  spec: ModelServingSpec,
  status: ModelServingStatus,
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.labelSelector',
  },
  columns: [
    { name: 'Replicas', type: 'integer', jsonPath: '.status.replicas' },
    { name: 'Available', type: 'integer', jsonPath: '.status.availableReplicas' },
    { name: 'Updated', type: 'integer', jsonPath: '.status.updatedReplicas' },
  ],
  rules: [
    {
      rule: `self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')`,
      message: 'must be lower case letters, digits and dashes, and begin with a letter: pods are named after it',
      fieldPath: '.metadata.name',
    },
    {
      rule: 'self.spec.template.roles.all(role, size(self.metadata.name) + size(string(self.spec.replicas)) + size(role.name) + size(string(role.replicas)) + size(string(role.workerReplicas)) + 4 <= 63)',
      message: 'is too long: <name>-<group>-<role>-<instance>-<pod> may have at most 63 characters',
      fieldPath: '.metadata.name',
    },
  ],
  check: checkModelServing,
  warn: warnModelServing,
})
