import { z } from 'zod'
import { AutoscalingPolicyBinding } from '../autoscaling-policy-binding.ts'
import { instanceCapacity, ScaleTargetRef, scaleToZeroGracePeriod } from './autoscaling-policy.ts'
import { unitStatus, scalingTrace } from './autoscaling-status.ts'
import { atomicList, conditions, keyedBy, labelMap, replicaCount, rules } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

const BindingTarget = z
  .object({
    targetRef: ScaleTargetRef,
    subTargets: z
      .object({
        kind: z.enum(['Role']).default('Role').describe('What is counted.'),
        name: z.string().min(1).max(12).describe('Name of the role.'),
      })
      .optional()
      .describe('Scales one role within every group of the ModelServing, in place of whole groups.'),
    additionalMatchLabels: labelMap().optional().describe('Ask only pods that carry these labels too.'),
    metricEndpoint: z
      .object({
        uri: z.string().max(1024).regex(/^\//).default('/metrics').describe('Path of the metrics.'),
        port: z.int32().min(1).max(65_535).default(8100).describe('Port of the metrics.'),
      })
      .prefault({})
      .describe('Where the pods tell their metrics.'),
  })
  .describe('What to scale, and where its metrics come from.')

const bounds = {
  target: BindingTarget,
  minReplicas: replicaCount().describe('Never fewer than this.'),
  maxReplicas: replicaCount(1).describe('Never more than this.'),
  scaleToZeroGracePeriod,
}

const ordered = rules({
  rule: 'self.minReplicas <= self.maxReplicas',
  message: 'minReplicas may not be above maxReplicas',
  fieldPath: '.minReplicas',
})

export const AutoscalingPolicyBindingSpec = z
  .object({
    policyRef: z
      .object({ name: z.string().min(1).max(253).describe('Name of an AutoscalingPolicy in the same namespace.') })
      .describe('The policy that applies.'),
    scalingConfiguration: z.object(bounds).optional().describe('Scales one ModelServing.').meta(ordered),
    optimizerConfiguration: z
      .object({
        params: z
          .array(
            z
              .object({
                ...bounds,
                cost: z.int32().min(0).default(0).describe('Cost of one instance, compared with the others.'),
                capacity: instanceCapacity,
              })
              .meta(ordered),
          )
          .min(1)
          .max(16)
          .describe('The ModelServings of the pool.')
          .meta(atomicList),
        costExpansionRatePercent: z.int32().min(0).default(200).describe('How far costlier instances are mixed in.'),
      })
      .optional()
      .describe('Scales several ModelServings as one pool, the cheapest first.'),
  })
  .describe('What a policy is applied to.')
  .meta(
    rules({
      rule: 'has(self.scalingConfiguration) != has(self.optimizerConfiguration)',
      message: 'give one of scalingConfiguration and optimizerConfiguration',
    }),
  )
export type AutoscalingPolicyBindingSpec = z.output<typeof AutoscalingPolicyBindingSpec>

export const AutoscalingPolicyBindingStatus = z
  .object({
    observedGeneration: z.int().optional().describe('Generation of the spec that this status speaks of.'),
    conditions: conditions().optional(),
    targets: z.array(z.object(unitStatus)).optional().describe('The numbers of each member.').meta(keyedBy('name')),
    ...scalingTrace,
  })
  .describe('Observed state of the binding.')
export type AutoscalingPolicyBindingStatus = z.output<typeof AutoscalingPolicyBindingStatus>

export const autoscalingPolicyBinding: KindSchema = {
  kind: AutoscalingPolicyBinding,
  description: 'Applies an AutoscalingPolicy to one ModelServing, or to several as one pool.',
  spec: AutoscalingPolicyBindingSpec,
  status: AutoscalingPolicyBindingStatus,
}
