import { equalJson, isObject } from '#base/json.ts'
import { type FieldError, type FieldErrorType, tooLongField } from './field-error.ts'
import { childPath } from './field-path.ts'
import { listTypeErrors } from './list-type.ts'
import { resourceSchemaOf } from './object-meta-schema.ts'
import { compileRe2 } from './re2.ts'
import { stringFormat } from './schema-formats.ts'
import { memberSchema } from './schema-prune.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * Value validation without CEL. Each schema node becomes one closure at its first use, so that the parts of a large
 * schema that no object touches cost nothing. The wording is that of kube-openapi, `pkg/validation`, as
 * apiextensions-apiserver turns it into field errors (`pkg/apiserver/validation`). A member that is the very one of
 * `old`, as the spec in a write of the status, was checked when it came.
 */
export type Check = (value: unknown, path: string, errors: FieldError[], old?: unknown) => void

const checks = new WeakMap<StructuralSchema, Check>()

export function checkOf(schema: StructuralSchema): Check {
  let check = checks.get(schema)
  if (check === undefined) {
    check = compile(schema)
    checks.set(schema, check)
  }
  return check
}

/** Checks of the keywords that apply to one JSON type; run only when the value is of that type. */
function compile(schema: StructuralSchema): Check {
  const types = typesOf(schema)
  const junctions = junctionChecks(schema)
  const strings = stringChecks(schema)
  const numbers = numberChecks(schema)
  const arrays = arrayChecks(schema)
  const objects = objectChecks(schema)
  const { enum: allowed } = schema
  return (value, path, errors, old) => {
    if (value === null) {
      if (schema.nullable !== true && types.length > 0) errors.push(typeError(schema, types, value, path))
      else if (allowed !== undefined && !allowed.includes(null)) errors.push(notSupported(path, value, allowed))
      return
    }
    const type = jsonType(value)
    if (types.length > 0 && !types.includes(type) && !isNumberLike(types, type)) {
      errors.push(typeError(schema, types, value, path))
      if (type === 'number') for (const check of numbers) check(value as number, path, errors)
      return
    }
    for (const check of junctions) check(value, path, errors)
    if (type === 'string') for (const check of strings) check(value as string, path, errors)
    else if (type === 'integer' || type === 'number') for (const check of numbers) check(value as number, path, errors)
    else if (type === 'array') for (const check of arrays) check(value as unknown[], path, errors)
    if (allowed !== undefined && !allowed.some((one) => equalJson(one, value))) {
      errors.push(notSupported(path, value, allowed))
    }
    if (type === 'object') for (const check of objects) check(value as Record<string, unknown>, path, errors, old)
  }
}

function typesOf(schema: StructuralSchema): readonly string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string']
  return schema.type === undefined ? [] : [schema.type]
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return value === null ? 'null' : typeof value
}

/** 1.0 and 1 are the same in JSON. */
function isNumberLike(types: readonly string[], type: string): boolean {
  return type === 'integer' && types.includes('number')
}

function typeError(schema: StructuralSchema, types: readonly string[], value: unknown, path: string): FieldError {
  const type = jsonType(value)
  // Where a format is set and the value is a number, boolean or object, the API server names formats, not types.
  const byFormat = schema.format !== undefined && !['string', 'array', 'null'].includes(type)
  const wanted = byFormat ? schema.format : types.join(',')
  const found = byFormat ? ({ integer: 'int64', number: 'float64' }[type] ?? '') : type
  return fault('FieldValueTypeInvalid', path, found, `must be of type ${wanted}: ${JSON.stringify(found)}`)
}

function notSupported(path: string, value: unknown, allowed: readonly unknown[]): FieldError {
  const texts = allowed.map((one) => JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)))
  return { field: path, type: 'FieldValueNotSupported', value, detail: `supported values: ${texts.join(', ')}` }
}

/** An error whose detail repeats the path, as those of kube-openapi do. */
function fault(type: FieldErrorType, path: string, value: unknown, rest: string): FieldError {
  return { field: path, type, value, detail: `${path} in body ${rest}` }
}

const invalid = (path: string, value: unknown, rest: string) => fault('FieldValueInvalid', path, value, rest)

function codePoints(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0xd800 && unit <= 0xdbff && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--
  }
  return count
}

type TypedCheck<T> = (value: T, path: string, errors: FieldError[], old?: unknown) => void

function stringChecks(schema: StructuralSchema): TypedCheck<string>[] {
  const { maxLength, minLength, pattern } = schema
  const found: TypedCheck<string>[] = []
  if (maxLength !== undefined || minLength !== undefined || pattern !== undefined) {
    const regexp = pattern === undefined ? undefined : compileRe2(pattern)
    // The API server stops at the first of these three.
    found.push((value, path, errors) => {
      const length = codePoints(value)
      if (maxLength !== undefined && length > maxLength) {
        errors.push(tooLongField(path, maxLength))
      } else if (minLength !== undefined && length < minLength) {
        errors.push(invalid(path, value, `should be at least ${minLength} chars long`))
      } else if (pattern !== undefined && regexp?.test(value) !== true) {
        errors.push(invalid(path, value, `should match '${pattern}'`))
      }
    })
  }
  const isFormat = schema.format === undefined ? undefined : stringFormat(schema.format)
  if (isFormat !== undefined) {
    found.push((value, path, errors) => {
      if (isFormat(value)) return
      const rest = `must be of type ${schema.format}: ${JSON.stringify(value)}`
      errors.push(fault('FieldValueTypeInvalid', path, value, rest))
    })
  }
  return found
}

function numberChecks(schema: StructuralSchema): TypedCheck<number>[] {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema
  const found: TypedCheck<number>[] = []
  const limit = schema.type === 'integer' ? { int32: 2 ** 31, int64: 2 ** 63 }[schema.format ?? ''] : undefined
  if (limit !== undefined) {
    found.push((value, path, errors) => {
      if (Number.isInteger(value) && value >= -limit && value < limit) return
      const detail = `Checked value must be of type integer with format ${schema.format} in ${path}`
      errors.push({ field: '<nil>', type: 'FieldValueInvalid', value: '', detail })
    })
  }
  if (multipleOf !== undefined) {
    found.push((value, path, errors) => {
      // Of a whole number only the whole part of the factor counts.
      const factor = Number.isInteger(value) ? Math.trunc(multipleOf) : multipleOf
      const times = factor < 1 ? (1 / factor) * value : value / factor
      if (factor === 0) {
        const detail = `factor MultipleOf declared for ${path} must be positive: 0`
        errors.push({ field: path, type: 'FieldValueInvalid', value: 0, detail })
      } else if (!Number.isInteger(times)) errors.push(invalid(path, value, `should be a multiple of ${factor}`))
    })
  }
  if (minimum !== undefined) {
    const words = exclusiveMinimum === true ? 'greater than' : 'greater than or equal to'
    found.push((value, path, errors) => {
      if (value > minimum || (value === minimum && exclusiveMinimum !== true)) return
      errors.push(invalid(path, value, `should be ${words} ${minimum}`))
    })
  }
  if (maximum !== undefined) {
    const words = exclusiveMaximum === true ? 'less than' : 'less than or equal to'
    found.push((value, path, errors) => {
      if (value < maximum || (value === maximum && exclusiveMaximum !== true)) return
      errors.push(invalid(path, value, `should be ${words} ${maximum}`))
    })
  }
  return found
}

function arrayChecks(schema: StructuralSchema): TypedCheck<readonly unknown[]>[] {
  const { items, minItems, maxItems, uniqueItems } = schema
  const found: TypedCheck<readonly unknown[]>[] = []
  if (items !== undefined) {
    found.push((value, path, errors) => {
      const check = checkOf(items)
      for (let i = 0; i < value.length; i++) check(value[i], `${path}[${i}]`, errors)
    })
  }
  if (minItems !== undefined) {
    found.push(({ length }, path, errors) => {
      if (length < minItems) errors.push(invalid(path, length, `should have at least ${minItems} items`))
    })
  }
  if (maxItems !== undefined) found.push(({ length }, path, errors) => tooMany(path, length, maxItems, errors))
  if (uniqueItems === true) {
    found.push((value, path, errors) => {
      const repeated = value.some((item, i) => value.slice(0, i).some((other) => equalJson(other, item)))
      if (repeated) errors.push(invalid(path, '', "shouldn't contain duplicates"))
    })
  }
  if (schema['x-kubernetes-list-type'] === 'set' || schema['x-kubernetes-list-type'] === 'map') {
    found.push((value, path, errors) => errors.push(...listTypeErrors(value, schema, path)))
  }
  return found
}

function tooMany(path: string, count: number, limit: number, errors: FieldError[]): void {
  if (count <= limit) return
  errors.push({
    field: path,
    type: 'FieldValueTooMany',
    value: count,
    detail: `must have at most ${limit} ${limit === 1 ? 'item' : 'items'}`,
  })
}

function objectChecks(declared: StructuralSchema): TypedCheck<Record<string, unknown>>[] {
  const embedded = declared['x-kubernetes-embedded-resource'] === true
  const schema = embedded ? resourceSchemaOf(declared) : declared
  const { minProperties, maxProperties, additionalProperties } = schema
  const required = embedded ? [...new Set(['apiVersion', 'kind', ...(schema.required ?? [])])] : (schema.required ?? [])
  const found: TypedCheck<Record<string, unknown>>[] = []
  if (minProperties !== undefined) {
    found.push((value, path, errors) => {
      const count = Object.keys(value).length
      if (count < minProperties) errors.push(invalid(path, count, `should have at least ${minProperties} properties`))
    })
  }
  if (maxProperties !== undefined) {
    found.push((value, path, errors) => tooMany(path, Object.keys(value).length, maxProperties, errors))
  }
  if (schema.properties !== undefined || additionalProperties !== undefined) {
    found.push((value, path, errors, old) => {
      const former = isObject(old) ? old : {}
      for (const [name, member] of Object.entries(value)) {
        if (member === undefined || (member === former[name] && typeof member === 'object')) continue
        const below = memberSchema(schema, name)
        if (below !== undefined) checkOf(below)(member, childPath(path, name), errors, former[name])
        else if (additionalProperties === false) {
          const detail = `${childPath(path, name)} in body is a forbidden property`
          errors.push({ field: path, type: 'FieldValueInvalid', value: name, detail })
        }
      }
    })
  }
  if (required.length > 0) {
    found.push((value, path, errors) => {
      for (const name of required) {
        if (Object.hasOwn(value, name) && value[name] !== undefined) continue
        errors.push({ field: childPath(path, name), type: 'FieldValueRequired', detail: '' })
      }
    })
  }
  return found
}

/** `allOf`, `anyOf`, `oneOf` and `not`, which may only narrow the values that the schema around them allows. */
function junctionChecks({ anyOf, oneOf, allOf, not }: StructuralSchema): Check[] {
  const found: Check[] = []
  if (anyOf !== undefined && anyOf.length > 0) {
    found.push((value, path, errors) => {
      const { passed, nearest } = tryAll(anyOf, value, path)
      if (passed > 0) return
      errors.push(junction(path, 'must validate at least one schema (anyOf)'), ...nearest)
    })
  }
  if (oneOf !== undefined && oneOf.length > 0) {
    found.push((value, path, errors) => {
      const { passed, nearest } = tryAll(oneOf, value, path)
      if (passed === 1) return
      const count = passed === 0 ? 'Found none valid' : `Found ${passed} valid alternatives`
      errors.push(junction(path, `must validate one and only one schema (oneOf). ${count}`))
      if (passed === 0) errors.push(...nearest)
    })
  }
  if (allOf !== undefined && allOf.length > 0) {
    found.push((value, path, errors) => {
      const results = allOf.map((schema) => errorsOf(schema, value, path))
      const failed = results.filter((one) => one.length > 0)
      if (failed.length === 0) return
      const none = failed.length === allOf.length ? '. None validated' : ''
      errors.push(...failed.flat(), junction(path, `must validate all the schemas (allOf)${none}`))
    })
  }
  if (not !== undefined) {
    found.push((value, path, errors) => {
      if (errorsOf(not, value, path).length === 0) errors.push(junction(path, 'must not validate the schema (not)'))
    })
  }
  return found
}

function junction(path: string, rest: string): FieldError {
  return { field: '<nil>', type: 'FieldValueInvalid', value: '', detail: `${JSON.stringify(path)} ${rest}` }
}

function errorsOf(schema: StructuralSchema, value: unknown, path: string): FieldError[] {
  const errors: FieldError[] = []
  checkOf(schema)(value, path, errors)
  return errors
}

/** How many alternatives hold, and what is wrong with the one that came nearest. */
function tryAll(
  schemas: readonly StructuralSchema[],
  value: unknown,
  path: string,
): { passed: number; nearest: FieldError[] } {
  const results = schemas.map((schema) => errorsOf(schema, value, path))
  const nearest = results.reduce((best, one) => (one.length < best.length ? one : best))
  return { passed: results.filter((one) => one.length === 0).length, nearest }
}
