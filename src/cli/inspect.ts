import { type FieldError, formatFieldError } from '#machinery/field-error.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { dns1123SubdomainErrors } from '#machinery/names.ts'
import { compileSchema } from '#machinery/schema.ts'
import type { UserDocument } from './documents.ts'
import { kindOfObject } from './known-kinds.ts'
import { unknownDetail } from './spelling.ts'

export interface Finding {
  readonly severity: 'error' | 'warning'
  /** `file:line:column`. */
  readonly at: string
  readonly error: FieldError
}

export interface Inspected {
  /** Pruned and with defaults, as an API server would keep it. */
  readonly object: AnyResource
  readonly kind: Kind | undefined
  readonly findings: readonly Finding[]
}

/** All that is wrong with one object, by the same schema and rules that the API server and the planner use. */
export function inspect({ object, at }: UserDocument): Inspected {
  const kind = kindOfObject(object)
  if (kind === undefined) {
    const detail = `fairlead does not know this kind of ${object.apiVersion}, so only an API server can check it`
    return {
      object,
      kind,
      findings: [
        {
          severity: 'warning',
          at: at('kind'),
          error: { field: 'kind', type: 'FieldValueNotSupported', value: object.kind, detail },
        },
      ],
    }
  }
  const schema = compileSchema(kind.schema())
  const { value, unknown } = schema.prune(object)
  const complete = schema.default<AnyResource>(value)
  const strangers = unknown.map(
    (field): FieldError => ({
      field,
      type: 'FieldValueForbidden',
      detail: unknownDetail(field, kind.schema()),
    }),
  )
  const invalid = schema.validate(complete)
  // Rules may rely on the types that the schema promises.
  const mistyped = invalid.some(({ field }) => field === wholeObject)
  const broken = mistyped ? [] : (kind.check?.(complete) ?? [])
  const errors = [
    ...nameErrors(object),
    ...strangers,
    ...invalid.filter((error) => error.field !== wholeObject && !broken.some((exact) => saysMore(exact, error))),
    ...broken,
  ]
  const warnings = invalid.length > 0 ? [] : (kind.warn?.(complete) ?? [])
  return {
    object: complete,
    kind,
    findings: [
      ...errors.map((error): Finding => ({ severity: 'error', at: at(error.field), error })),
      ...warnings.map((error): Finding => ({ severity: 'warning', at: at(error.field), error })),
    ],
  }
}

/** Where the schema says that rules must wait until it is satisfied; what it is not satisfied with stands beside it. */
const wholeObject = '<nil>'

/** A rule in CEL blames what carries it and gives no value; the check in code has better words for that field or one in it. */
function saysMore(exact: FieldError, { field, value }: FieldError): boolean {
  return value === undefined && [`${field}.`, `${field}[`].some((start) => `${exact.field}.`.startsWith(start))
}

function nameErrors({ metadata: { name, generateName } }: AnyResource): FieldError[] {
  if (name === undefined && generateName !== undefined) return []
  if (name === undefined)
    return [{ field: 'metadata.name', type: 'FieldValueRequired', detail: 'give the object a name' }]
  return dns1123SubdomainErrors(name).map((detail) => ({
    field: 'metadata.name',
    type: 'FieldValueInvalid',
    value: name,
    detail,
  }))
}

export function errorsOf(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity === 'error')
}

export const lineOf = ({ at, error }: Pick<Finding, 'at' | 'error'>): string => `${at}: ${formatFieldError(error)}`
