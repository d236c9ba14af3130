import { canonicalJson, isObject } from '#base/json.ts'
import type { FieldError } from './field-error.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * Breaches of `x-kubernetes-list-type`: a repeated item of a set, or of a map's keys. One error for each repeated
 * value, at its second place. Source: apiextensions-apiserver, `pkg/apiserver/schema/listtype`.
 */
export function listTypeErrors(items: readonly unknown[], schema: StructuralSchema, path: string): FieldError[] {
  if (schema['x-kubernetes-list-type'] === 'set') return duplicates(items, path)
  const foreign = items.findIndex((item) => item !== null && !isObject(item))
  if (foreign >= 0) {
    const detail = 'must be an object for an array of list-type map'
    return [{ field: `${path}[${foreign}]`, type: 'FieldValueInvalid', value: items[foreign], detail }]
  }
  const names = schema['x-kubernetes-list-map-keys'] ?? []
  return duplicates(
    items.map((item) => keysOf(item, names)),
    path,
  )
}

/** The members of an item that tell it from the others of its list. */
export function keysOf(item: unknown, names: readonly string[]): Record<string, unknown> {
  const keys: Record<string, unknown> = {}
  if (isObject(item)) for (const name of names) if (Object.hasOwn(item, name)) keys[name] = item[name]
  return keys
}

function duplicates(values: readonly unknown[], path: string): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Map<string, number>()
  for (const [i, value] of values.entries()) {
    const key = typeof value === 'object' ? `{${canonicalJson(value)}` : JSON.stringify(value)
    const times = seen.get(key) ?? 0
    seen.set(key, times + 1)
    if (times === 1) errors.push({ field: `${path}[${i}]`, type: 'FieldValueDuplicate', value, detail: '' })
  }
  return errors
}
