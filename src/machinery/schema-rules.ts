import { equalJson, isObject } from '#base/json.ts'
import { checkRule } from './cel.ts'
import { type FieldError, forbiddenField, invalidField, requiredField, unlessOneOf } from './field-error.ts'
import { compileSchema } from './schema.ts'
import { structuralErrors } from './structural-rules.ts'
import type { StructuralSchema, ValidationRule } from './structural-schema.ts'

/**
 * What a CustomResourceDefinition's schema must be. Pure. Its type says what is right; what comes may be anything.
 * Source: apiextensions-apiserver, `pkg/apis/apiextensions/validation/validation.go` and `pkg/apiserver/schema/defaulting`.
 */
export function definitionSchemaErrors(field: string, schema: StructuralSchema): FieldError[] {
  const nullable =
    schema.nullable === true ? [forbiddenField(`${field}.nullable`, 'nullable cannot be true at the root')] : []
  const structural = isReadable(schema) ? structuralErrors(field, schema) : []
  const defaults = isReadable(schema) && structural.length === 0 ? defaultErrors(field, schema) : []
  const { schemaErrors, ruleErrors } = nodeErrors({
    field,
    schema,
    isRoot: true,
    inMeta: false,
    ruled: structural.length + defaults.length === 0,
  })
  return [...nullable, ...structural, ...defaults, ...schemaErrors, ...ruleErrors]
}

type Anything = Readonly<Record<string, unknown>>

const unsupported = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']

/** Whether it is made of what a structural schema is made of. */
function isReadable(schema: StructuralSchema): boolean {
  const { properties, additionalProperties, items } = schema
  if (unsupported.some((name) => isSet((schema as Anything)[name])) || Array.isArray(items)) return false
  if (properties !== undefined && additionalProperties !== undefined) return false
  return [
    ...Object.values(properties ?? {}),
    ...(isObject(items) ? [items as StructuralSchema] : []),
    ...(isObject(additionalProperties) ? [additionalProperties as StructuralSchema] : []),
  ].every(isReadable)
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(isObject(value) && Object.keys(value).length === 0)
}

/** Defaults must be values that the schema allows, whole. */
function defaultErrors(field: string, schema: StructuralSchema): FieldError[] {
  const errors: FieldError[] = []
  const { default: value, items, properties = {} } = schema
  if (value !== undefined) {
    const compiled = compileSchema({
      type: 'object',
      properties: { value: { ...schema, default: undefined } },
    })
    const at = `${field}.default`
    if (!equalJson(compiled.prune({ value }).value, { value }))
      errors.push(...invalidField(at, value, 'must not have unknown fields'))
    const wrong = compiled.validate({ value })
    errors.push(
      ...wrong.map((error) => ({
        ...error,
        field: error.field.replace(/^value/, at),
        detail: error.detail.replace(/^value\.?(?=.* in body )/, ''),
      })),
    )
  }
  if (items !== undefined) errors.push(...defaultErrors(`${field}.items`, items))
  for (const [name, member] of Object.entries(properties))
    errors.push(...defaultErrors(`${field}.properties[${name}]`, member))
  return errors
}

interface Node {
  readonly field: string
  readonly schema: StructuralSchema
  readonly isRoot: boolean
  /** Inside of the metadata, kind or apiVersion of a whole object; `defaults`: where none may be. */
  readonly inMeta: boolean
  readonly noDefaults?: string
  /** Where values of two moments cannot be told to be the same. */
  readonly uncorrelated?: string
  /** Whether its rules can be looked at. */
  readonly ruled: boolean
}

interface Errors {
  readonly schemaErrors: FieldError[]
  readonly ruleErrors: FieldError[]
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const metaNames: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion'])
const junctions = ['allOf', 'oneOf', 'anyOf'] as const

function nodeErrors(node: Node): Errors {
  const { field, schema } = node
  const found: Errors = { schemaErrors: [...plainErrors(node)], ruleErrors: [] }
  const below = (child: Omit<Node, 'isRoot'>): void => {
    const { schemaErrors, ruleErrors } = nodeErrors({ ...child, isRoot: false })
    found.schemaErrors.push(...schemaErrors)
    found.ruleErrors.push(...ruleErrors)
  }
  const { additionalProperties, properties = {}, items, not } = schema
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    found.schemaErrors.push(forbiddenField(`${field}.uniqueItems`, why))
  }
  if (additionalProperties !== undefined && Object.keys(properties).length > 0 && additionalProperties !== true) {
    found.schemaErrors.push(
      forbiddenField(`${field}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    )
  }
  if (isObject(additionalProperties)) {
    const noDefaults = node.inMeta ? 'inside additionalProperties applying to object metadata' : undefined
    below({
      ...node,
      field: `${field}.additionalProperties`,
      schema: additionalProperties,
      ...(noDefaults && { noDefaults }),
    })
  }
  for (const [name, member] of Object.entries(properties)) {
    const isWhole = node.isRoot || schema['x-kubernetes-embedded-resource'] === true
    const inMeta = node.inMeta || (isWhole && metaNames.has(name))
    const noDefaults = node.isRoot && metaNames.has(name) ? `in top-level ${name}` : node.noDefaults
    const uncorrelated = schema['x-kubernetes-map-type'] === 'atomic' ? field : node.uncorrelated
    below({
      field: `${field}.properties[${name}]`,
      schema: member,
      inMeta,
      ruled: node.ruled,
      ...(noDefaults !== undefined && { noDefaults }),
      ...(uncorrelated !== undefined && { uncorrelated }),
    })
  }
  if (not !== undefined) below({ ...node, field: `${field}.not`, schema: not, ruled: false })
  for (const name of junctions) {
    for (const [i, each] of (schema[name] ?? []).entries())
      below({ ...node, field: `${field}.${name}[${i}]`, schema: each, ruled: false })
  }
  if (isObject(items)) {
    const uncorrelated = schema['x-kubernetes-list-type'] === 'map' ? node.uncorrelated : field
    below({ ...node, field: `${field}.items`, schema: items, ...(uncorrelated !== undefined && { uncorrelated }) })
  }
  found.schemaErrors.push(...mapErrors(field, schema), ...listErrors(field, schema), ...keyErrors(field, schema))
  found.schemaErrors.push(
    ...(schema['x-kubernetes-validations'] ?? []).flatMap((rule, i) => ruleFormErrors(node, rule, i)),
  )
  if (node.ruled && found.schemaErrors.length === 0) {
    found.ruleErrors.push(
      ...(schema['x-kubernetes-validations'] ?? []).flatMap((rule, i) => ruleMeaningErrors(node, rule, i)),
    )
  }
  return found
}

function plainErrors({ field, schema, inMeta, noDefaults }: Node): FieldError[] {
  const errors: FieldError[] = []
  if (schema.type !== undefined) errors.push(...unlessOneOf(`${field}.type`, schema.type, types))
  if (schema.default !== undefined && noDefaults !== undefined) {
    errors.push(forbiddenField(`${field}.default`, `must not be set ${noDefaults}`))
  }
  for (const name of unsupported) {
    if (isSet((schema as Anything)[name])) errors.push(forbiddenField(`${field}.${name}`, `${name} is not supported`))
  }
  if (Array.isArray(schema.items))
    errors.push(forbiddenField(`${field}.items`, 'items must be a schema object and not an array'))
  if (inMeta && schema['x-kubernetes-embedded-resource'] === true) {
    errors.push(forbiddenField(`${field}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'))
  }
  return errors
}

function mapErrors(field: string, schema: StructuralSchema): FieldError[] {
  const { type, 'x-kubernetes-map-type': mapType } = schema
  const errors: FieldError[] = []
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(...invalidField(`${field}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  }
  if (mapType === undefined) return errors
  if (type !== 'object') errors.push(...typeErrors(field, type, 'must be object if x-kubernetes-map-type is specified'))
  return [...errors, ...unlessOneOf(`${field}.x-kubernetes-map-type`, mapType, ['atomic', 'granular'])]
}

function typeErrors(field: string, type: string | undefined, detail: string): FieldError[] {
  return type === undefined ? [requiredField(`${field}.type`, detail)] : invalidField(`${field}.type`, type, detail)
}

const setOfAtoms = 'must be atomic as item of a list with x-kubernetes-list-type=set'

function listErrors(field: string, schema: StructuralSchema): FieldError[] {
  const { type, items, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema
  const at = `${field}.x-kubernetes-list-type`
  const errors: FieldError[] = []
  if (listType !== undefined && type !== 'array') {
    errors.push(...typeErrors(field, type, 'must be array if x-kubernetes-list-type is specified'))
  } else if (listType === 'set' && isObject(items)) errors.push(...setErrors(`${field}.items`, items))
  errors.push(...unlessOneOf(at, listType, ['atomic', 'set', 'map']))
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(...(listType === undefined ? [requiredField(at, detail)] : invalidField(at, listType, detail)))
  }
  return errors
}

function setErrors(field: string, items: StructuralSchema): FieldError[] {
  const { type, 'x-kubernetes-list-type': listType, 'x-kubernetes-map-type': mapType } = items
  if (type === 'array' && listType !== undefined && listType !== 'atomic') {
    return invalidField(`${field}.x-kubernetes-list-type`, listType, setOfAtoms)
  }
  if (type !== 'object' || mapType === 'atomic') return []
  return invalidField(`${field}.x-kubernetes-map-type`, listType ?? null, setOfAtoms)
}

/** What tells the items of a list apart must be there in each. */
function keyErrors(field: string, schema: StructuralSchema): FieldError[] {
  const { items, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [] } = schema
  const errors: FieldError[] = []
  const at = `${field}.x-kubernetes-list-map-keys`
  if (listType === 'map') {
    if (keys.length === 0) errors.push(requiredField(at, 'must not be empty if x-kubernetes-list-type is map'))
    if (items === undefined)
      errors.push(requiredField(`${field}.items`, 'must have a schema if x-kubernetes-list-type is map'))
    else if (items.type !== 'object') {
      const detail = "must be object if parent array's x-kubernetes-list-type is map"
      errors.push(...invalidField(`${field}.items.type`, items.type ?? '', detail))
    } else errors.push(...namedKeyErrors(field, items, keys))
  }
  if ((listType !== 'map' && listType !== 'set') || items === undefined) return errors
  if (items.nullable === true) {
    errors.push(
      forbiddenField(`${field}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`),
    )
  }
  if (listType === 'set') return errors
  for (const key of keys) {
    const member = items.properties?.[key]
    if (member === undefined) continue
    const memberAt = `${field}.items.properties[${key}]`
    if (items.required?.includes(key) !== true && member.default === undefined) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
      errors.push(requiredField(`${memberAt}.default`, detail))
    }
    if (member.nullable === true) {
      errors.push(
        forbiddenField(
          `${memberAt}.nullable`,
          'this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
        ),
      )
    }
  }
  return errors
}

function namedKeyErrors(field: string, items: StructuralSchema, keys: readonly string[]): FieldError[] {
  const at = `${field}.x-kubernetes-list-map-keys`
  return keys.flatMap((key, i) => {
    const type = items.properties?.[key]?.type
    const scalar = "must be a scalar type if parent array's x-kubernetes-list-type is map"
    return [
      ...(items.properties?.[key] === undefined
        ? invalidField(at, keys, 'entries must all be names of item properties')
        : []),
      ...(type === 'array' || type === 'object'
        ? invalidField(`${field}.items.properties[${key}].type`, items.type, scalar)
        : []),
      ...(keys.indexOf(key) < i ? invalidField(at, keys, 'must not contain duplicate entries') : []),
    ]
  })
}

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

function ruleFormErrors({ field, schema }: Node, given: Partial<ValidationRule>, i: number): FieldError[] {
  const at = `${field}.x-kubernetes-validations[${i}]`
  const { rule = '', message = '', messageExpression = '', reason, fieldPath = '' } = given
  const errors: FieldError[] = []
  const isLines = (text: string): boolean => /[\n\r]/.test(text)
  if (rule.trim() === '') errors.push(requiredField(`${at}.rule`, 'rule is not specified'))
  else if (message !== '' && message.trim() === '') {
    errors.push(...invalidField(`${at}.message`, message, 'must be non-empty if specified'))
  } else if (isLines(message.trim()))
    errors.push(...invalidField(`${at}.message`, message, 'must not contain line breaks'))
  else if (isLines(rule.trim()) && message.trim() === '') {
    errors.push(requiredField(`${at}.message`, 'message must be specified if rule contains line breaks'))
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(requiredField(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'))
  }
  errors.push(...unlessOneOf(`${at}.reason`, reason, reasons))
  if (fieldPath !== '' && fieldPath.trim() === '') {
    errors.push(...invalidField(`${at}.fieldPath`, fieldPath, 'must be non-empty if specified'))
  }
  if (isLines(fieldPath)) errors.push(...invalidField(`${at}.fieldPath`, fieldPath, 'must not contain line breaks'))
  if (fieldPath !== '' && !isPathOf(schema, fieldPath)) {
    errors.push(...invalidField(`${at}.fieldPath`, fieldPath, 'must be a valid path'))
  }
  return errors
}

/** Whether a path such as `.a['b-c'][0]` leads somewhere. */
function isPathOf(schema: StructuralSchema, path: string): boolean {
  const steps = path.match(/\.[A-Za-z_][\w-]*|\[(?:'[^']*'|\d+)\]/g) ?? []
  if (steps.join('') !== path) return false
  let at: StructuralSchema | undefined = schema
  for (const step of steps) {
    const name = step.replace(/^\.|^\['|'\]$/g, '')
    const { properties, additionalProperties, items }: StructuralSchema = at
    if (/^\[\d/.test(step)) at = items
    else if (properties !== undefined && Object.hasOwn(properties, name)) at = properties[name]
    else at = isObject(additionalProperties) ? additionalProperties : undefined
    if (at === undefined) return false
  }
  return true
}

function ruleMeaningErrors(
  { field, schema, isRoot, uncorrelated }: Node,
  rule: ValidationRule,
  i: number,
): FieldError[] {
  const at = `${field}.x-kubernetes-validations[${i}]`
  const wrong = checkRule(schema, rule, isRoot)
  if (wrong !== undefined) return invalidField(`${at}.rule`, { Rule: rule.rule }, `compilation failed: ${wrong}`)
  const usesOld = /\boldSelf\b/.test(rule.rule)
  if (usesOld && uncorrelated !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`
    return invalidField(`${at}.rule`, rule.rule, detail)
  }
  if (usesOld || rule.optionalOldSelf === undefined) return []
  return invalidField(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule')
}
