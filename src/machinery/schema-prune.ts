import { isObject } from '#base/json.ts'
import { childPath } from './field-path.ts'
import { resourceSchemaOf } from './object-meta-schema.ts'
import type { StructuralSchema } from './structural-schema.ts'

/** Paths of what was dropped. */
export interface Unknown {
  readonly paths: string[]
  /** Those in the metadata of embedded objects, which an API server looks at in the end. */
  readonly embedded: string[]
}

/**
 * Drops what the schema does not specify and appends the paths of it to `unknown`. Shares with the argument all
 * that stays the same. Source: apiextensions-apiserver, `pkg/apiserver/schema/pruning`.
 */
export function pruneValue(value: unknown, schema: StructuralSchema, path: string, unknown: Unknown): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = value
    const itemSchema = schema.items
    if (itemSchema === undefined) return items
    const pruned = items.map((item, i) => pruneValue(item, itemSchema, `${path}[${i}]`, unknown))
    return pruned.every((item, i) => item === items[i]) ? items : pruned
  }
  if (!isObject(value)) return value
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true
  const known = isEmbedded ? resourceSchemaOf(schema) : schema
  const preserve = known['x-kubernetes-preserve-unknown-fields'] === true || known.additionalProperties === true
  const result: Record<string, unknown> = {}
  let changed = false
  for (const [name, member] of Object.entries(value)) {
    const below = memberSchema(known, name)
    if (below === undefined) {
      if (preserve) setMember(result, name, member)
      else {
        unknown.paths.push(childPath(path, name))
        changed = true
      }
      continue
    }
    const later = isEmbedded && name === 'metadata' ? { ...unknown, paths: unknown.embedded } : unknown
    const pruned = pruneValue(member, below, childPath(path, name), later)
    if (pruned !== member) changed = true
    setMember(result, name, pruned)
  }
  return changed ? result : value
}

/** The schema of a member: its own, else the one of additional properties. */
export function memberSchema(schema: StructuralSchema | undefined, name: string): StructuralSchema | undefined {
  if (schema === undefined) return undefined
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

/** Assigns even where the name is `__proto__`. */
export function setMember(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
  else target[name] = value
}
