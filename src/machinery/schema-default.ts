import { isObject } from '#base/json.ts'
import { resourceSchemaOf } from './object-meta-schema.ts'
import { memberSchema, setMember } from './schema-prune.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * Fills in defaults and drops nulls that the schema does not allow; where such a null has a default it is replaced.
 * Nothing is filled into an object that is absent itself. Shares with the argument all that stays the same.
 * Source: apiextensions-apiserver, `pkg/apiserver/schema/defaulting`.
 */
export function defaultValue(value: unknown, schema: StructuralSchema | undefined): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    const items: unknown[] = value
    const itemSchema = schema.items
    const filled = items.map((item) =>
      defaultValue(isForbiddenNull(item, itemSchema) ? (defaultOf(itemSchema) ?? null) : item, itemSchema),
    )
    return filled.every((item, i) => item === items[i]) ? items : filled
  }
  if (!isObject(value)) return value
  return defaultMembers(value, schema['x-kubernetes-embedded-resource'] === true ? resourceSchemaOf(schema) : schema)
}

function defaultMembers(value: Record<string, unknown>, schema: StructuralSchema): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  let changed = false
  for (const [name, member] of Object.entries(value)) {
    const below = memberSchema(schema, name)
    let next: unknown = member
    if (isForbiddenNull(member, below)) {
      changed = true
      next = defaultOf(below)
      if (next === undefined) continue
    }
    next = defaultValue(next, below)
    if (next !== member) changed = true
    setMember(result, name, next)
  }
  for (const [name, below] of defaultedMembers(schema)) {
    if (Object.hasOwn(value, name) && value[name] !== undefined) continue
    setMember(result, name, defaultValue(defaultOf(below), below))
    changed = true
  }
  return changed ? result : value
}

function isForbiddenNull(value: unknown, schema: StructuralSchema | undefined): boolean {
  return value === null && schema !== undefined && schema.nullable !== true
}

function defaultOf(schema: StructuralSchema | undefined): unknown {
  return schema?.default === undefined || schema.default === null ? undefined : structuredClone(schema.default)
}

const defaulted = new WeakMap<StructuralSchema, readonly (readonly [string, StructuralSchema])[]>()

function defaultedMembers(schema: StructuralSchema): readonly (readonly [string, StructuralSchema])[] {
  let members = defaulted.get(schema)
  if (members === undefined) {
    members = Object.entries(schema.properties ?? {}).filter(([, below]) => defaultOf(below) !== undefined)
    defaulted.set(schema, members)
  }
  return members
}

/** Fills in defaults where nothing is at all; a null stays, as what a type of Go's writes for nothing. */
export function fillValue(value: unknown, schema: StructuralSchema | undefined): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    const items: unknown[] = value
    const filled = items.map((item) => fillValue(item, schema.items))
    return filled.every((item, i) => item === items[i]) ? items : filled
  }
  return isObject(value) ? fillMembers(value, schema) : value
}

function fillMembers(value: Record<string, unknown>, schema: StructuralSchema): Record<string, unknown> {
  let result: Record<string, unknown> | undefined
  for (const name of Object.keys(value)) {
    const filled = fillValue(value[name], memberSchema(schema, name))
    if (filled !== value[name]) setMember((result ??= { ...value }), name, filled)
  }
  for (const [name, below] of defaultedMembers(schema)) {
    if (value[name] === undefined || !Object.hasOwn(value, name))
      setMember((result ??= { ...value }), name, fillValue(defaultOf(below), below))
  }
  return result ?? value
}
