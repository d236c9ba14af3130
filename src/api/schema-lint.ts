import { checkRule } from '#machinery/cel.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { definitionOf } from './core/schemas.ts'

/**
 * What would make an API server refuse the schema as part of a CustomResourceDefinition, or leave a reader without a
 * word about a field of ours; one line each, with its path.
 */
export function lintSchema(schema: StructuralSchema): string[] {
  return [...complaintsBelow(schema, { path: '', ours: true })]
}

interface Position {
  readonly path: string
  /** Not inside of what Kubernetes defines, which goes without descriptions: they would make the CRD too large. */
  readonly ours: boolean
}

function* complaintsBelow(schema: StructuralSchema, position: Position): Generator<string> {
  const { path } = position
  const ours = position.ours && definitionOf(schema) === undefined
  for (const text of nodeComplaints(schema, path === '')) yield `${path || '(root)'}: ${text}`
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.${name}`
    const described = (member.description ?? '') !== ''
    if (ours && !described && !undescribed.has(path)) yield `${at}: has no description`
    yield* complaintsBelow(member, { path: at, ours })
  }
  const { items, additionalProperties } = schema
  if (items !== undefined) yield* complaintsBelow(items, { path: `${path}[]`, ours })
  if (typeof additionalProperties === 'object')
    yield* complaintsBelow(additionalProperties, { path: `${path}.*`, ours })
}

/** The members of the object itself, which are Kubernetes' own. */
const undescribed: ReadonlySet<string> = new Set(['', '.metadata'])

function* nodeComplaints(schema: StructuralSchema, root: boolean): Generator<string> {
  const foreign = Object.keys(schema).filter((key) => !known.has(key))
  if (foreign.length > 0) yield `a structural schema has no ${foreign.join(', ')}`
  const anyType =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  if (schema.type === undefined && !anyType) yield 'has no type'
  if (schema.type === 'array' && schema.items === undefined) yield 'has no items'
  if (schema.properties !== undefined && schema.additionalProperties !== undefined) {
    yield 'has both properties and additionalProperties'
  }
  for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
    const safe = schema.items?.required?.includes(key) || schema.items?.properties?.[key]?.default !== undefined
    if (!safe) yield `the key ${key} is neither required nor defaulted`
  }
  for (const rule of schema['x-kubernetes-validations'] ?? []) {
    if (rule.message === undefined) yield `has a rule without a message: ${rule.rule}`
    const wrong = checkRule(schema, rule, root)
    if (wrong !== undefined) yield `has a rule that does not compile (${wrong}): ${rule.rule}`
  }
}

const known: ReadonlySet<string> = new Set<keyof StructuralSchema>([
  'type',
  'description',
  'format',
  'nullable',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
])
