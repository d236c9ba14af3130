import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { checkAutoscalingPolicy } from './autoscaling-rules.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import type { AutoscalingPolicySpec, AutoscalingPolicyStatus } from './schemas/autoscaling-policy.ts'
export type {
  AutoscalingMetric,
  AutoscalingBehavior,
  EmbeddedAutoscalingPolicy,
  AutoscalingPolicySpec,
  AutoscalingPolicyStatus,
} from './schemas/autoscaling-policy.ts'

/** Idle time before the last instance goes, where nothing is said. */
export const defaultScaleToZeroGracePeriod = '30s'

export type AutoscalingPolicy = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: AutoscalingPolicySpec
  status?: AutoscalingPolicyStatus
}

export const AutoscalingPolicy: Kind<AutoscalingPolicy> = defineKind<AutoscalingPolicy>({
  group: groups.workload,
  kind: 'AutoscalingPolicy',
  plural: 'autoscalingpolicies',
  columns: [],
  check: checkAutoscalingPolicy,
})
