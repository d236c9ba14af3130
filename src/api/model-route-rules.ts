import type { FieldError } from '#machinery/field-error.ts'
import type { ModelRoute } from './model-route.ts'

export function checkModelRoute(_object: ModelRoute): FieldError[] {
  return []
}
