import { isObject } from '#base/json.ts'
import { keyElement, valueElement } from './field-set.ts'
import { memberOf } from './json-members.ts'
import { objectMetaSchema } from './object-meta-schema.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * How server-side apply sees the values at one place of a schema: which of the three forms JSON may take there, and
 * whether parts of a list or map have owners of their own or the whole has one (`atomic`).
 */
export interface FieldType {
  readonly scalar?: 'string' | 'numeric' | 'boolean' | 'any'
  readonly list?: ListType
  readonly map?: MapType
  readonly nullable: boolean
}

export interface ListType {
  readonly kind: 'atomic' | 'set' | 'map'
  readonly keys: readonly string[]
  /** Values of key fields that an item may leave out. */
  readonly keyDefaults: ReadonlyMap<string, unknown>
  readonly items: FieldType
}

export interface MapType {
  readonly atomic: boolean
  readonly fields: ReadonlyMap<string, FieldType>
  /** Of members that are no `fields`; without it there may be none. */
  readonly others?: FieldType
}

const anyAtomic: FieldType = {
  scalar: 'any',
  list: {
    kind: 'atomic',
    keys: [],
    keyDefaults: new Map(),
    get items() {
      return anyAtomic
    },
  },
  map: {
    atomic: true,
    fields: new Map(),
    get others() {
      return anyAtomic
    },
  },
  nullable: false,
}

/** Where no schema speaks: maps are granular, lists atomic. */
export const anyField: FieldType = {
  scalar: 'any',
  list: { kind: 'atomic', keys: [], keyDefaults: new Map(), items: anyAtomic },
  map: {
    atomic: false,
    fields: new Map(),
    get others() {
      return anyField
    },
  },
  nullable: false,
}

const text: FieldType = { scalar: 'string', nullable: false }

const closedTypes = new WeakMap<StructuralSchema, FieldType>()
const openTypes = new WeakMap<StructuralSchema, FieldType>()

/** The type of a whole object of a kind. Made once for each schema. */
export function objectType(schema: StructuralSchema): FieldType {
  return compile({ type: 'object', 'x-kubernetes-embedded-resource': true, ...schema }, false, schema)
}

/** `open`: unknown members are kept here and below, as `x-kubernetes-preserve-unknown-fields` asks for. */
function compile(schema: StructuralSchema, outerOpen: boolean, key = schema): FieldType {
  const open = outerOpen || schema['x-kubernetes-preserve-unknown-fields'] === true
  const known = (open ? openTypes : closedTypes).get(key)
  if (known !== undefined) return known
  const type: { -readonly [name in keyof FieldType]: FieldType[name] } = { nullable: schema.nullable === true }
  const types = open ? openTypes : closedTypes
  types.set(key, type) // before descending: a schema may contain itself
  switch (schema['x-kubernetes-int-or-string'] === true ? 'int-or-string' : schema.type) {
    case 'int-or-string':
      type.scalar = 'any'
      break
    case 'string':
      type.scalar = schema.format === undefined || schema.format === 'byte' ? 'string' : 'any'
      break
    case 'integer':
    case 'number':
      type.scalar = 'numeric'
      break
    case 'boolean':
      type.scalar = 'boolean'
      break
    case 'array':
      type.list = listType(schema, open)
      break
    case 'object':
      type.map = mapType(schema, open)
      break
    case undefined:
      type.scalar = 'any'
      type.list = listType(schema, open)
      type.map = mapType(schema, open)
      break
  }
  return type
}

function listType(schema: StructuralSchema, open: boolean): ListType {
  const { kind, keys } = identity(schema)
  const keyDefaults = new Map<string, unknown>()
  for (const key of keys) {
    const value = schema.items?.properties?.[key]?.default ?? goZero(schema, key)
    if (value !== undefined) keyDefaults.set(key, value)
  }
  return { kind, keys, keyDefaults, items: schema.items === undefined ? anyAtomic : compile(schema.items, open) }
}

/** Of Kubernetes' own kinds a key that must be there is its type's zero value where it is not. */
function goZero(schema: StructuralSchema, key: string): unknown {
  const isOwn = schema['x-kubernetes-patch-merge-key'] !== undefined
  if (!isOwn || schema.items?.required?.includes(key) !== true) return undefined
  const type = schema.items.properties?.[key]?.type
  return type === 'string' ? '' : type === 'integer' ? 0 : undefined
}

/** Kubernetes' own kinds may say by their patch strategy alone how to tell the items of a list apart. */
function identity(schema: StructuralSchema): Pick<ListType, 'kind' | 'keys'> {
  const declared = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (declared === 'map') return keys.length > 0 ? { kind: 'map', keys } : { kind: 'atomic', keys: [] }
  if (declared !== undefined || !schema['x-kubernetes-patch-strategy']?.split(',').includes('merge')) {
    return { kind: declared ?? 'atomic', keys: [] }
  }
  const key = schema['x-kubernetes-patch-merge-key']
  return key === undefined ? { kind: 'set', keys: [] } : { kind: 'map', keys: [key] }
}

function mapType(schema: StructuralSchema, open: boolean): MapType {
  const fields = new Map<string, FieldType>()
  const properties = Object.entries(schema.properties ?? {})
  for (const [name, property] of properties) fields.set(name, compile(property, open))
  if (schema['x-kubernetes-embedded-resource'] === true) {
    fields.set('apiVersion', text).set('kind', text).set('metadata', compile(objectMetaSchema, false))
  }
  const { additionalProperties } = schema
  const freeForm = additionalProperties === undefined ? open || properties.length === 0 : additionalProperties === true
  const others =
    typeof additionalProperties === 'object' ? compile(additionalProperties, open) : freeForm ? anyField : undefined
  const atomic = schema['x-kubernetes-map-type'] === 'atomic'
  return others === undefined ? { atomic, fields } : { atomic, fields, others }
}

/** The type of a member; `undefined` when there may be no such member. */
export function memberType(map: MapType, name: string): FieldType | undefined {
  return map.fields.get(name) ?? map.others
}

/** The path element of an item of a set or list-map; `undefined` when the item has none. */
export function itemElement(list: ListType, item: unknown): string | undefined {
  if (list.kind === 'set') return typeof item === 'object' ? undefined : valueElement(item)
  if (!isObject(item)) return undefined
  const key: [string, unknown][] = []
  for (const name of list.keys) {
    const value = memberOf(item, name) ?? list.keyDefaults.get(name)
    if (value !== undefined) key.push([name, value])
  }
  return key.length === 0 ? undefined : keyElement(key)
}
