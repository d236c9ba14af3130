import { z } from 'zod'
import type { PodSpec } from '../core/types.generated.ts'
import { recoveryPolicies, rolloutTypes, replicaPhases, pluginNames, ModelServing } from '../model-serving.ts'
import { atomicList, conditions, coreField, freeForm, intOrPercent, keyedBy, rules } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

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
        'With `RoleRollingUpdate`: instances that may be missing during an update; percentages round down, to one at least.',
      ),
    maxSurge: intOrPercent()
      .optional()
      .describe('With `RoleRollingUpdate`: instances above `replicas` during an update; percentages round up.'),
    partition: intOrPercent()
      .optional()
      .describe('With `RoleRollingUpdate`: instances with a lower ordinal stay as they are; percentages round up.'),
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

const RollingUpdate = z
  .object({
    maxUnavailable: intOrPercent()
      .default(1)
      .describe(
        'Groups that may be missing during an update; percentages of `replicas` round down, to one at least where `maxSurge` is none.',
      ),
    maxSurge: intOrPercent()
      .optional()
      .describe('Groups above `replicas` during an update; percentages of `replicas` round up. None by default.'),
    partition: intOrPercent()
      .optional()
      .describe('Groups with a lower ordinal stay as they are; percentages of `replicas` round up.'),
  })
  .meta(
    rules({
      rule: `!(string(self.maxUnavailable) in ['0', '0%']) || (has(self.maxSurge) && !(string(self.maxSurge) in ['0', '0%']))`,
      message: 'no group may be missing and none may be added, so no update could move; raise this or maxSurge',
      fieldPath: '.maxUnavailable',
    }),
  )

const Plugin = z.object({
  name: z
    .string()
    .max(253)
    .describe('Name of a built-in plugin: `demo-pod-tweaks` or `lws-standard-labels`.')
    .meta(
      rules({
        rule: `self in ['${pluginNames.join("', '")}']`,
        message: `there are the plugins ${pluginNames.join(' and ')}`,
      }),
    ),
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
      .describe(
        'Built-in plugins that change pods before they are created, in order. A change of them replaces no pod.',
      )
      .meta(atomicList),
    template: ServingTemplate,
    rolloutStrategy: z
      .object({
        type: z
          .enum(rolloutTypes)
          .default('ServingGroupRollingUpdate')
          .describe('Whether whole groups are replaced, or only the instances of changed roles inside them.'),
        rollingUpdateConfiguration: RollingUpdate.optional().describe('The pace of `ServingGroupRollingUpdate`.'),
        paused: z
          .boolean()
          .optional()
          .describe(
            'While true nothing is replaced and nothing new is of the changed template; recovery and scaling go on.',
          ),
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
    revisionHistoryLimit: z
      .int32()
      .min(0)
      .max(1000)
      .default(10)
      .describe('Former templates that are kept, beside those in use, to go back to.'),
  })
  .describe('Desired state of one served model.')
  .meta(
    rules(
      {
        rule: `has(self.rolloutStrategy) && self.rolloutStrategy.type == 'RoleRollingUpdate' ? self.template.roles.all(role, !(string(role.maxUnavailable) in ['0', '0%']) || (has(role.maxSurge) && !(string(role.maxSurge) in ['0', '0%']))) : self.template.roles.all(role, !has(role.partition) && !has(role.maxSurge))`,
        message:
          'partition and maxSurge of a role are for RoleRollingUpdate alone; and with it, maxUnavailable and maxSurge of a role must not both be none',
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
    replicas: z.int32().optional().describe('Groups there are, those being deleted apart.'),
    updatedReplicas: z.int32().optional().describe('Groups of the present template.'),
    currentReplicas: z.int32().optional().describe('Groups of `currentRevision`.'),
    availableReplicas: z.int32().optional().describe('Groups that are ready, of any revision.'),
    currentRevision: z.string().optional().describe('Revision that is being left, or the only one.'),
    updateRevision: z.string().optional().describe('Revision of the present template.'),
    servedRevision: z
      .string()
      .optional()
      .describe(
        'Newest revision of which a whole group has served. Until the present template has, its groups are few.',
      ),
    labelSelector: z.string().optional().describe('Selects one pod of each group, for autoscalers.'),
    roles: z
      .array(
        z.object({
          name: z.string().describe('Name of the role.'),
          replicas: z.int32().describe('Its instances in all groups.'),
          readyReplicas: z.int32().describe('Those that run and are ready.'),
          updatedReplicas: z.int32().describe('Those of the present template of the role.'),
          revision: z.string().describe('Names the present template of the role; the same in every pod that has it.'),
        }),
      )
      .optional()
      .describe('How far each role has come, over all groups.')
      .meta(keyedBy('name')),
    groups: z
      .array(
        z.object({
          ordinal: z.int32().describe('Number of the group, part of the names of its pods.'),
          revision: z.string().optional().describe('Revision of the group.'),
          ready: z.boolean().optional().describe('Whether all of its instances are there and running.'),
          roles: z
            .array(
              z.object({
                name: z.string().describe('Name of the instance, `<role>-<ordinal>`.'),
                phase: z.enum(replicaPhases).describe('How far the instance has come.'),
                revision: z.string().optional().describe('Its revision, where it is another than that of the group.'),
                incarnation: z
                  .int32()
                  .min(1)
                  .optional()
                  .describe('How often the instance has been made, where it is more than once.'),
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

export const modelServing: KindSchema = {
  kind: ModelServing,
  description: 'Groups of pods that together serve one model: made, kept, replaced and scaled as one.',
  spec: ModelServingSpec,
  status: ModelServingStatus,
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
}
