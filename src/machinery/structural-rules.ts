import { equalJson, isObject } from '#base/json.ts'
import { type FieldError, forbiddenField, formatFieldError, invalidField, requiredField } from './field-error.ts'
import { re2Error } from './re2.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * What keeps a schema from being structural: it must say by itself what types its values have, and its alternatives may only
 * narrow them. Sorted by text, as an API server sorts them. Pure. Source: apiextensions-apiserver, `pkg/apiserver/schema`.
 */
export function structuralErrors(field: string, schema: StructuralSchema): FieldError[] {
  const errors = [...shapeErrors(schema, 'root', field), ...completeErrors(schema, schema, field, field)]
  const texts = new Map(errors.map((error) => [error, formatFieldError(error)]))
  return errors.sort((a, b) => ((texts.get(a) ?? '') < (texts.get(b) ?? '') ? -1 : 1))
}

type Level = 'root' | 'item' | 'field'

const typeless: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function shapeErrors(schema: StructuralSchema, level: Level, field: string): FieldError[] {
  const { type, items, properties = {}, additionalProperties } = schema
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  const errors: FieldError[] = []
  if (type === 'array' && items === undefined) errors.push(requiredField(`${field}.items`, 'must be specified'))
  if (items !== undefined) errors.push(...shapeErrors(items, 'item', `${field}.items`))
  for (const [name, member] of Object.entries(properties)) {
    errors.push(...shapeErrors(member, 'field', `${field}.properties[${name}]`))
  }
  if (additionalProperties !== undefined && level === 'root') {
    errors.push(forbiddenField(`${field}.additionalProperties`, 'must not be used at the root'))
  }
  if (isObject(additionalProperties)) {
    errors.push(...shapeErrors(additionalProperties, 'field', `${field}.additionalProperties`))
  }
  errors.push(...extensionErrors(schema, field), ...valueErrors(schema, field, isEitherType(schema)))
  const mustBeObject = 'must be object if x-kubernetes-embedded-resource is true'
  if (isEmbedded && type === undefined) errors.push(requiredField(`${field}.type`, mustBeObject))
  else if (isEmbedded && type !== 'object') errors.push(...invalidField(`${field}.type`, type, mustBeObject))
  else if (type === undefined && schema['x-kubernetes-int-or-string'] !== true && !isOpen) {
    errors.push(requiredField(`${field}.type`, typeless[level]))
  }
  if (isEmbedded && additionalProperties !== undefined) {
    errors.push(
      forbiddenField(`${field}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'),
    )
  }
  if (level === 'root' && type !== undefined && type !== 'object') {
    errors.push(...invalidField(`${field}.type`, type, 'must be object at the root'))
  }
  errors.push(...wholeErrors(schema, level, field))
  if (isEmbedded && !isOpen && Object.keys(properties).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(requiredField(`${field}.properties`, detail))
  }
  return errors
}

function extensionErrors(schema: StructuralSchema, field: string): FieldError[] {
  if (schema['x-kubernetes-int-or-string'] !== true) return []
  const names = ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const
  return names.flatMap((name) =>
    schema[name] === true
      ? invalidField(`${field}.${name}`, true, 'must be false if x-kubernetes-int-or-string is true')
      : [],
  )
}

/** What every whole object has may be restricted only so far. */
function wholeErrors({ properties = {}, ...schema }: StructuralSchema, level: Level, field: string): FieldError[] {
  const isWhole = level === 'root' || schema['x-kubernetes-embedded-resource'] === true
  const { metadata } = properties
  const errors: FieldError[] = []
  for (const name of isWhole ? ['kind', 'apiVersion'] : []) {
    const type = properties[name]?.type
    if (properties[name] !== undefined && type !== 'string') {
      errors.push(...invalidField(`${field}.properties[${name}].type`, type ?? '', 'must be string'))
    }
  }
  if (metadata === undefined) return errors
  const at = `${field}.properties[metadata]`
  if (isWhole && metadata.type !== 'object')
    errors.push(...invalidField(`${at}.type`, metadata.type ?? '', 'must be object'))
  if (level !== 'root') return errors
  const { type: _, default: __, properties: members = {}, ...more } = metadata
  const others = Object.keys(members).filter((name) => name !== 'name' && name !== 'generateName')
  if (others.length === 0 && Object.keys(more).length === 0) return errors
  const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
  return [...errors, forbiddenField(at, detail)]
}

const eitherType = [{ type: 'integer' }, { type: 'string' }]

/** The one alternative of types that there may be, for what is a number or a text. */
function isEitherType({ anyOf, allOf }: StructuralSchema): 'anyOf' | 'allOf' | undefined {
  if (equalJson(anyOf, eitherType)) return 'anyOf'
  return equalJson(allOf?.[0]?.anyOf, eitherType) ? 'allOf' : undefined
}

function valueErrors(schema: StructuralSchema, field: string, either?: 'anyOf' | 'allOf'): FieldError[] {
  const { anyOf = [], allOf = [], oneOf = [], not, pattern } = schema
  const badPattern = pattern === undefined || pattern === '' ? undefined : re2Error(pattern)
  return [
    ...(either === 'anyOf' ? [] : anyOf.flatMap((each, i) => narrowErrors(each, `${field}.anyOf[${i}]`))),
    ...allOf.flatMap((each, i) => narrowErrors(each, `${field}.allOf[${i}]`, either === 'allOf' && i === 0)),
    ...oneOf.flatMap((each, i) => narrowErrors(each, `${field}.oneOf[${i}]`)),
    ...(not === undefined ? [] : narrowErrors(not, `${field}.not`)),
    ...(badPattern === undefined
      ? []
      : invalidField(`${field}.pattern`, pattern, `must be a valid regular expression, but isn't: ${badPattern}`)),
  ]
}

/** What an alternative may not say, and how it may say nothing. */
const forbidden: readonly (readonly [keyof StructuralSchema, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function narrowErrors(schema: StructuralSchema, field: string, mayBeEither = false): FieldError[] {
  const { items, properties = {} } = schema
  return [
    ...valueErrors(schema, field, mayBeEither ? 'anyOf' : undefined),
    ...(items === undefined ? [] : narrowErrors(items, `${field}.items`)),
    ...Object.entries(properties).flatMap(([name, member]) => narrowErrors(member, `${field}.properties[${name}]`)),
    ...forbidden.flatMap(([name, detail]) =>
      schema[name] === undefined || schema[name] === false ? [] : [forbiddenField(`${field}.${name}`, detail)],
    ),
    ...(properties['metadata'] === undefined
      ? []
      : [forbiddenField(`${field}.properties[metadata]`, 'must not be specified in a nested context')]),
  ]
}

/** All that alternatives speak of must be in the schema itself. */
function completeErrors(
  value: StructuralSchema,
  schema: StructuralSchema | undefined,
  field: string,
  from: string,
): FieldError[] {
  if (schema === undefined) return [requiredField(field, `because it is defined in ${from}`)]
  const alternatives = [
    ...(value.not === undefined ? [] : [[value.not, 'not'] as const]),
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((name) =>
      (value[name] ?? []).map((each, i) => [each, `${name}[${i}]`] as const),
    ),
  ]
  return alternatives.flatMap(([each, name]) => coveredErrors(each, schema, field, `${from}.${name}`))
}

function coveredErrors(
  value: StructuralSchema,
  schema: StructuralSchema | undefined,
  field: string,
  from: string,
): FieldError[] {
  const own = completeErrors(value, schema, field, from)
  if (schema === undefined) return own
  const { items, properties = {} } = value
  return [
    ...own,
    ...(items === undefined ? [] : coveredErrors(items, schema.items, `${field}.items`, `${from}.items`)),
    ...Object.entries(properties).flatMap(([name, member]) =>
      coveredErrors(member, schema.properties?.[name], `${field}.properties[${name}]`, `${from}.properties[${name}]`),
    ),
  ]
}
