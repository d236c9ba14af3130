import { checkRule } from '#machinery/cel.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { definitionOf } from './core/schemas.ts'

/**
 * What would make an API server refuse the schema as part of a CustomResourceDefinition, or leave a reader without a
 * word about a field of ours; one line each, with its path.
 */
export function lintSchema(schema: StructuralSchema, path = ''): string[] {
  const ours = definitionOf(schema) === undefined
  const complaints = [...nodeComplaints(schema, path === '')].map((text) => `${path || '(root)'}: ${text}`)
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.${name}`
    if (ours && !undescribed.has(path) && (member.description ?? '') === '')
      complaints.push(`${at}: has no description`)
    // What Kubernetes itself defines says nothing about its members: they would make the CRD too large.
    complaints.push(...(ours ? lintSchema(member, at) : lintForeign(member, at)))
  }
  if (schema.items !== undefined) complaints.push(...(ours ? lintSchema : lintForeign)(schema.items, `${path}[]`))
  if (typeof schema.additionalProperties === 'object')
    complaints.push(...lintSchema(schema.additionalProperties, `${path}.*`))
  return complaints
}

/** The members of the object itself, which are Kubernetes' own. */
const undescribed: ReadonlySet<string> = new Set(['', '.metadata'])

function lintForeign(schema: StructuralSchema, path: string): string[] {
  return lintSchema(schema, path).filter((complaint) => !complaint.endsWith('has no description'))
}

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
