import type { FieldError } from '#machinery/field-error.ts'
import type { ModelServer } from './model-server.ts'

export function checkModelServer(_object: ModelServer): FieldError[] {
  return []
}
