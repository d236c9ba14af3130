import type { FieldError } from '#machinery/field-error.ts'
import type { ModelServing } from './model-serving.ts'

export function checkModelServing(_serving: ModelServing): FieldError[] {
  return []
}
