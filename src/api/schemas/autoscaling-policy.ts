import { z } from 'zod'
import { AutoscalingPolicy } from '../autoscaling-policy.ts'
import type { LabelSelector, ObjectReference } from '../core/types.generated.ts'
import { unitStatus, scalingTrace } from './autoscaling-status.ts'
import { atomicList, conditions, coreField, halfHour, keyedBy, quantity, replicaCount, rules } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

export const AutoscalingMetric = z
  .object({
    metricName: z.string().min(1).max(253).optional().describe('Name of the metric, as the engine exposes it.'),
    name: z.string().min(1).max(253).optional().describe('Later spelling of `metricName`; give one of the two.'),
    targetValue: quantity()
      .describe('Value for each instance that scaling aims at; above 0.')
      .meta({
        maxLength: 32,
        ...rules({
          rule: `type(self) == int ? self > 0 : !isQuantity(self) || quantity(self).isGreaterThan(quantity('0'))`,
          message: 'must be above 0',
        }),
      }),
  })
  .describe('One metric and the value it should have.')
  .meta(
    rules({ rule: 'has(self.metricName) != has(self.name)', message: 'give metricName (or its later spelling, name)' }),
  )
export type AutoscalingMetric = z.output<typeof AutoscalingMetric>

const StablePolicy = z.object({
  instances: z.int32().min(0).optional().describe('Instances that may be added or removed in one period.'),
  percent: z.int32().min(0).max(1000).optional().describe('The same, as a percentage of the present instances.'),
  period: halfHour().optional().describe('Length of the period.'),
  selectPolicy: z
    .enum(['Or', 'And'])
    .optional()
    .describe('`Or` takes the looser of the two limits, `And` the stricter.'),
  stabilizationWindow: halfHour().optional().describe('How long a recommendation must last before it is followed.'),
})

/** No defaults here: those of the controller apply, the same for generated and hand-written policies. */
export const AutoscalingBehavior = z
  .object({
    scaleUp: z
      .object({
        stablePolicy: StablePolicy.optional().describe('Pace in ordinary times.'),
        panicPolicy: z
          .object({
            percent: z.int32().min(0).max(1000).optional().describe('Growth allowed in one period.'),
            period: halfHour().describe('Length of the period; `0s` lifts the limit.'),
            panicThresholdPercent: z
              .int32()
              .min(110)
              .max(1000)
              .optional()
              .describe('Load, as a percentage of what is there, at which panic begins.'),
            panicModeHold: halfHour()
              .optional()
              .describe('How long panic lasts after the last cause; `0s` turns it off.'),
          })
          .optional()
          .describe('Pace when load jumps.'),
      })
      .optional()
      .describe('How fast instances are added.'),
    scaleDown: StablePolicy.optional().describe('How fast instances are removed.'),
  })
  .describe('How fast instances come and go.')
export type AutoscalingBehavior = z.output<typeof AutoscalingBehavior>

const policyFields = {
  tolerancePercent: z
    .int32()
    .min(0)
    .max(100)
    .default(10)
    .describe('Deviation from the target, in percent, that changes nothing.'),
  behavior: AutoscalingBehavior.optional(),
}

/** A policy without a target: what a ModelBooster embeds. */
export const EmbeddedAutoscalingPolicy = z
  .object({
    ...policyFields,
    metrics: z
      .array(AutoscalingMetric)
      .min(1)
      .max(16)
      .describe('What to look at; the metric that asks for most wins.')
      .meta(atomicList),
  })
  .describe('When and how fast to scale.')
export type EmbeddedAutoscalingPolicy = z.output<typeof EmbeddedAutoscalingPolicy>

export const ScaleTargetRef = coreField<ObjectReference>('io.k8s.api.core.v1.ObjectReference')
  .describe('What to scale: a ModelServing unless `kind` says otherwise, or any object with a scale subresource.')
  .meta(
    rules(
      {
        rule: `has(self.name) && self.name != ''`,
        message: 'give the name of a ModelServing',
        fieldPath: '.name',
        reason: 'FieldValueRequired',
      },
      {
        rule: `!has(self.kind) || self.kind in ['', 'ModelServing'] || (has(self.apiVersion) && self.apiVersion != '')`,
        message: 'give apiVersion too for a kind other than ModelServing',
        fieldPath: '.apiVersion',
        reason: 'FieldValueRequired',
      },
    ),
  )

export const scaleToZeroGracePeriod = halfHour()
  .optional()
  .describe('Idle time before the last instance goes; `30s` when absent. Only with `minReplicas` 0.')

export const instanceCapacity = z
  .int32()
  .min(1)
  .max(1000)
  .optional()
  .describe('Load that one instance takes, in instances of the weakest member; 1 when absent.')

const MetricSource = z
  .object({
    pod: z
      .object({
        name: z
          .string()
          .max(253)
          .optional()
          .describe('Name of the metric on the pod; the key of this source by default.'),
        uri: z.string().max(1024).regex(/^\//).default('/metrics').describe('Path of the metrics.'),
        port: z.int32().min(1).max(65_535).default(8100).describe('Port of the metrics.'),
        labelSelector: coreField<LabelSelector>('io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector')
          .optional()
          .describe('Which of the pods to ask.'),
        merge: z
          .enum(['Sum', 'Mean', 'Max'])
          .optional()
          .describe(
            'What several series of one pod come to. `Sum` when absent; `Mean` for what engines give as a ratio.',
          ),
      })
      .optional()
      .describe('Read from the pods themselves.'),
    prometheus: z
      .object({
        serverURL: z
          .string()
          .max(2048)
          .regex(/^https?:\/\//)
          .describe('Base URL of the Prometheus server.'),
        query: z.string().min(1).max(4096).describe('A query that yields one number.'),
        type: z
          .enum(['Value', 'AverageValue'])
          .optional()
          .describe(
            'What the number is: with `AverageValue` the total of all instances, with `Value` an average or a ratio. `AverageValue` when absent.',
          ),
      })
      .optional()
      .describe('Read from a Prometheus server.'),
    router: z
      .object({
        load: z
          .enum(['requests', 'waiting'])
          .optional()
          .describe('All requests of the target, or only those that wait for a pod. `requests` when absent.'),
      })
      .optional()
      .describe('Told by the routers in front of the target.'),
  })
  .describe('Where one metric comes from.')
  .meta(
    rules({
      rule: '(has(self.pod) ? 1 : 0) + (has(self.prometheus) ? 1 : 0) + (has(self.router) ? 1 : 0) == 1',
      message: 'give one of pod, prometheus and router',
    }),
  )

const metricSources = z
  .record(z.string().max(253), MetricSource)
  .optional()
  .describe('Where each metric comes from, by its name.')
  .meta({ maxProperties: 16 })

const Target = z
  .object({ targetRef: ScaleTargetRef, metricSources })
  .describe('What to scale, and where its metrics come from.')

const bounds = {
  minReplicas: replicaCount().describe('Never fewer than this.'),
  maxReplicas: replicaCount(1).describe('Never more than this.'),
}

const ordered = {
  rule: 'self.minReplicas <= self.maxReplicas',
  message: 'minReplicas may not be above maxReplicas',
  fieldPath: '.minReplicas',
} as const

const RoleScaling = z
  .object({
    ...bounds,
    metrics: z
      .array(AutoscalingMetric)
      .min(1)
      .max(16)
      .optional()
      .describe('Metrics of this role, in place of those of the policy.')
      .meta(atomicList),
    metricSources,
    scaleToZeroGracePeriod,
  })
  .describe('Bounds and metrics of one role.')
  .meta(rules(ordered))

const RatioConstraint = z
  .object({
    numeratorRole: z.string().max(12).describe('Role above the line.'),
    denominatorRole: z.string().max(12).describe('Role below the line.'),
    minRatio: quantity().describe('Least instances of the one for each of the other.'),
    maxRatio: quantity().describe('Most instances of the one for each of the other.'),
  })
  .describe('How the instances of two roles relate.')
  .meta(rules({ rule: 'self.numeratorRole != self.denominatorRole', message: 'name two different roles' }))

export const AutoscalingPolicySpec = z
  .object({
    ...policyFields,
    metrics: z
      .array(AutoscalingMetric)
      .max(16)
      .optional()
      .describe('What to look at; the metric that asks for most wins.')
      .meta(atomicList),
    homogeneousTarget: z
      .object({ target: Target, ...bounds, scaleToZeroGracePeriod })
      .optional()
      .describe('Scales one ModelServing by whole groups.')
      .meta(rules(ordered)),
    heterogeneousTarget: z
      .object({
        params: z
          .array(
            z
              .object({
                target: Target,
                cost: z.int32().min(0).default(0).describe('Cost of one instance, compared with the others.'),
                capacity: instanceCapacity,
                scaleToZeroGracePeriod,
                ...bounds,
              })
              .meta(rules(ordered)),
          )
          .min(1)
          .max(16)
          .describe('The ModelServings of the pool.')
          .meta(atomicList),
        costExpansionRatePercent: z.int32().min(0).default(200).describe('How far costlier instances are mixed in.'),
      })
      .optional()
      .describe('Scales several ModelServings as one pool, the cheapest first.'),
    disaggregatedTarget: z
      .object({
        targetRef: ScaleTargetRef,
        roles: z
          .record(z.string().max(12), RoleScaling)
          .describe('Scaling of each role, by its name.')
          .meta({ minProperties: 1, maxProperties: 2 }),
        ratioConstraint: RatioConstraint.optional(),
      })
      .optional()
      .describe('Scales the roles of one ModelServing by themselves.')
      .meta(
        rules({
          rule: '!has(self.ratioConstraint) || (self.ratioConstraint.numeratorRole in self.roles && self.ratioConstraint.denominatorRole in self.roles)',
          message: 'both roles of the ratio must be listed under roles',
          fieldPath: '.ratioConstraint',
        }),
      ),
  })
  .describe('When and how fast to scale, and, where no binding says so, what.')
  .meta(
    rules(
      {
        rule: '(has(self.homogeneousTarget) ? 1 : 0) + (has(self.heterogeneousTarget) ? 1 : 0) + (has(self.disaggregatedTarget) ? 1 : 0) <= 1',
        message: 'give at most one of homogeneousTarget, heterogeneousTarget and disaggregatedTarget',
      },
      {
        rule: 'has(self.disaggregatedTarget) || (has(self.metrics) && size(self.metrics) > 0)',
        message: 'give at least one metric',
        fieldPath: '.metrics',
        reason: 'FieldValueRequired',
      },
    ),
  )
export type AutoscalingPolicySpec = z.output<typeof AutoscalingPolicySpec>

export const AutoscalingPolicyStatus = z
  .object({
    observedGeneration: z.int().optional().describe('Generation of the spec that this status speaks of.'),
    conditions: conditions().optional(),
    homogeneousStatus: z.object(unitStatus).optional().describe('Of the homogeneous target.'),
    heterogeneousStatus: z
      .array(z.object(unitStatus))
      .optional()
      .describe('Of each member of the pool.')
      .meta(keyedBy('name')),
    disaggregatedStatus: z
      .object({
        roles: z.array(z.object(unitStatus)).optional().describe('Of each role.').meta(keyedBy('name')),
        ratioStatus: z
          .object({
            numeratorRole: z.string().describe('Role above the line.'),
            denominatorRole: z.string().describe('Role below the line.'),
            currentRatio: z.string().describe('Instances of the one for each of the other.'),
          })
          .optional()
          .describe('How the roles relate.'),
        ratioAdjusted: z
          .boolean()
          .optional()
          .describe('Whether the ratio moved a number away from what metrics asked for.'),
      })
      .optional()
      .describe('Of the disaggregated target.'),
    ...scalingTrace,
  })
  .describe('Observed state of scaling.')
export type AutoscalingPolicyStatus = z.output<typeof AutoscalingPolicyStatus>

export const autoscalingPolicy: KindSchema = {
  kind: AutoscalingPolicy,
  description: 'Metrics, their targets and the pace of scaling. What it scales is said here, or by a binding.',
  spec: AutoscalingPolicySpec,
  status: AutoscalingPolicyStatus,
}
