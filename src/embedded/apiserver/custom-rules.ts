import type { FieldError } from '#machinery/field-error.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import type { ServedKind } from './served-kind.ts'

/** What a custom kind's definition has against an object. */
export function checkCustom({ kind }: ServedKind, object: AnyResource, old: AnyResource | undefined): FieldError[] {
  return compileSchema(kind.schema()).validate(object, old)
}
