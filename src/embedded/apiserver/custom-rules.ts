import { isObject } from '#base/json.ts'
import { type FieldError, invalidField } from '#machinery/field-error.ts'
import { goPrint, goType } from '#machinery/go-print.ts'
import type { ScalePaths } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import type { ServedKind } from './served-kind.ts'

/**
 * What a custom kind's definition has against an object; a write of the status is judged by its status and by all rules.
 * Source: apiextensions-apiserver, `pkg/registry/customresource/validator.go`.
 */
export function checkCustom(
  { kind }: ServedKind,
  object: AnyResource,
  old: AnyResource | undefined,
  subresource = '',
): FieldError[] {
  const schema = compileSchema(kind.schema())
  const isStatus = subresource === 'status'
  const errors = isStatus ? statusErrors(object, old, kind.schema().properties?.['status']) : schema.check(object, old)
  const { scale } = kind
  if (scale !== undefined) errors.push(...scaleErrors(object, scale, isStatus))
  return [...errors, ...schema.rules(object, old, errors)]
}

type Schema = Parameters<typeof compileSchema>[0]

/** Paths in the texts are those below the status. */
function statusErrors({ status }: AnyResource, old: AnyResource | undefined, schema: Schema | undefined): FieldError[] {
  if (status === undefined || schema === undefined) return []
  const errors = compileSchema({ type: 'object', properties: { status: schema } }).check(
    { status },
    { status: old?.status },
  )
  return errors.map((error) => ({ ...error, detail: error.detail.replace(/^status\.(?=.* in body )/, '') }))
}

const maxInt32 = 2 ** 31 - 1

/** What its scale is read from must be counts. */
function scaleErrors(object: AnyResource, scale: ScalePaths, isStatus: boolean): FieldError[] {
  const paths = [...(isStatus ? [] : [scale.specReplicasPath]), scale.statusReplicasPath]
  return [
    ...paths.flatMap((path) => countErrors(object, path)),
    ...(scale.labelSelectorPath === undefined ? [] : selectorErrors(object, scale.labelSelectorPath)),
  ]
}

function countErrors(object: AnyResource, path: string): FieldError[] {
  const { value = 0, error } = nested(object, path)
  if (error !== undefined) return invalidField(path, 0, error)
  if (typeof value !== 'number' || !Number.isInteger(value)) return invalidField(path, 0, ofType(path, value, 'int64'))
  if (value < 0) return invalidField(path, value, 'should be a non-negative integer')
  return value > maxInt32 ? invalidField(path, value, `should be less than or equal to ${maxInt32}`) : []
}

function selectorErrors(object: AnyResource, path: string): FieldError[] {
  const { value = '', error } = nested(object, path)
  if (error !== undefined) return invalidField(path, '', error)
  return typeof value === 'string' ? [] : invalidField(path, '', ofType(path, value, 'string'))
}

function nested(object: AnyResource, path: string): { readonly value?: unknown; readonly error?: string } {
  let value: unknown = object
  const steps = path.replace(/^\./, '').split('.')
  for (const [i, name] of steps.entries()) {
    if (value === undefined) return {}
    if (!isObject(value))
      return { error: ofType(`.${steps.slice(0, i + 1).join('.')}`, value, 'map[string]interface{}') }
    value = Object.hasOwn(value, name) ? value[name] : undefined
  }
  return { value }
}

/** As Go's accessors of nested fields complain. */
function ofType(path: string, value: unknown, wanted: string): string {
  return `${path} accessor error: ${goPrint(value)} is of the type ${goType(value)}, expected ${wanted}`
}
