import type { FieldError } from '#machinery/field-error.ts'
import type { AutoscalingPolicy } from './autoscaling-policy.ts'

export function checkAutoscalingPolicy(_object: AutoscalingPolicy): FieldError[] {
  return []
}
