import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import type {
  AutoscalingPolicyBindingSpec,
  AutoscalingPolicyBindingStatus,
} from './schemas/autoscaling-policy-binding.ts'
export type {
  AutoscalingPolicyBindingSpec,
  AutoscalingPolicyBindingStatus,
} from './schemas/autoscaling-policy-binding.ts'

export type AutoscalingPolicyBinding = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: AutoscalingPolicyBindingSpec
  status?: AutoscalingPolicyBindingStatus
}

export const AutoscalingPolicyBinding: Kind<AutoscalingPolicyBinding> = defineKind<AutoscalingPolicyBinding>({
  group: groups.workload,
  kind: 'AutoscalingPolicyBinding',
  plural: 'autoscalingpolicybindings',
  columns: [
    { name: 'Policy', type: 'string', jsonPath: '.spec.policyRef.name' },
    { name: 'Current', type: 'integer', jsonPath: '.status.decisions[0].current' },
    { name: 'Desired', type: 'integer', jsonPath: '.status.decisions[0].desired' },
    { name: 'Rule', type: 'string', jsonPath: '.status.decisions[0].rule' },
  ],
})
