import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { coreDefaults } from './defaults.ts'
import { type CoreDefinition, coreDefinition, refTarget } from './document.ts'

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'

/** As Kubernetes' own Go parser reads a quantity; the pattern holds where the value is a string. */
const quantitySchema: StructuralSchema = {
  'x-kubernetes-int-or-string': true,
  pattern:
    '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
}

/** Whatever it is, it has one owner. */
const rawExtension = 'io.k8s.apimachinery.pkg.runtime.RawExtension'

const schemas = new Map<string, StructuralSchema>()

/**
 * The schema of a definition of the pinned OpenAPI document, by its full name, with the defaults that a Kubernetes
 * API server fills in. References are inlined, yet one definition is one object in memory however often it is used.
 */
export function coreSchema(name: string): StructuralSchema {
  const known = schemas.get(name)
  if (known !== undefined) return known
  const built = name === intOrString ? { 'x-kubernetes-int-or-string': true } : own(name)
  const schema = name === quantity ? { ...quantitySchema, ...describe(built.description) } : withDefaults(name, built)
  schemas.set(name, schema)
  return schema
}

function own(name: string): StructuralSchema {
  const schema = structural(coreDefinition(name))
  return name === rawExtension ? { ...schema, 'x-kubernetes-map-type': 'atomic' } : schema
}

function structural(definition: CoreDefinition): StructuralSchema {
  const { $ref, properties, items, additionalProperties, ...rest } = definition
  const { 'x-kubernetes-group-version-kind': _kind, 'x-kubernetes-unions': _unions, ...own } = rest
  const target = $ref === undefined ? {} : coreSchema(refTarget($ref))
  return {
    ...target,
    ...own,
    ...(properties === undefined ? {} : { properties: mapValues(properties, structural) }),
    ...(items === undefined ? {} : { items: structural(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: structural(additionalProperties) }),
    ...(isFreeForm(definition) ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
  }
}

/** `type: object` without members is an empty object in Kubernetes; with no type at all anything goes. */
function isFreeForm({ $ref, type }: CoreDefinition): boolean {
  return $ref === undefined && type === undefined
}

function withDefaults(name: string, schema: StructuralSchema): StructuralSchema {
  const defaults = coreDefaults[name.slice(name.lastIndexOf('.') + 1)]
  if (defaults === undefined || schema.properties === undefined || !name.startsWith('io.k8s.api.')) return schema
  const properties = Object.entries(schema.properties).map(([key, property]) =>
    Object.hasOwn(defaults, key) ? [key, { ...property, default: defaults[key] }] : [key, property],
  )
  return { ...schema, properties: Object.fromEntries(properties) as Record<string, StructuralSchema> }
}

function describe(description: string | undefined): { description?: string } {
  return description === undefined ? {} : { description }
}

export function mapValues<A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]))
}

/**
 * A core schema as part of a CustomResourceDefinition. Left out: descriptions (they would make the CRD several times
 * as large), how strategic merge patch joins (custom resources have no such patch), and the defaults that the API
 * server fills in when the pod itself is created. Added: defaults for the keys of keyed lists, which a CRD demands.
 */
export function embeddedSchema(name: string): StructuralSchema {
  const known = embedded.get(name)
  if (known !== undefined) return known
  const schema = embed(coreSchema(name))
  embedded.set(name, schema)
  if (schema.properties !== undefined) sources.set(schema.properties, name)
  return schema
}

const embedded = new Map<string, StructuralSchema>()
const sources = new WeakMap<object, string>()

/** The definition that a part of a CRD's schema was taken from, if it is not our own. */
export function definitionOf(schema: StructuralSchema): string | undefined {
  return schema.properties === undefined ? undefined : sources.get(schema.properties)
}

/** What Kubernetes takes a missing key for. */
const keyDefaults: Readonly<Record<string, string>> = { protocol: 'TCP', name: '' }

function embed(schema: StructuralSchema): StructuralSchema {
  const {
    description: _description,
    default: _default,
    'x-kubernetes-patch-strategy': _strategy,
    'x-kubernetes-patch-merge-key': _mergeKey,
    properties,
    items,
    additionalProperties,
    ...rest
  } = schema
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return {
    ...rest,
    ...(properties === undefined ? {} : { properties: mapValues(properties, embed) }),
    ...(items === undefined ? {} : { items: withKeyDefaults(embed(items), keys) }),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: embed(additionalProperties) } : {}),
  }
}

function withKeyDefaults(item: StructuralSchema, keys: readonly string[]): StructuralSchema {
  const optional = keys.filter((key) => !item.required?.includes(key))
  if (optional.length === 0) return item
  const defaulted = optional.map((key) => [key, { ...item.properties?.[key], default: keyDefaults[key] ?? '' }])
  return { ...item, properties: { ...item.properties, ...Object.fromEntries(defaulted) } }
}
