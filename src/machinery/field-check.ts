import { isObject } from '#base/json.ts'
import { printElement } from './field-set.ts'
import { itemElement, memberType } from './field-type.ts'
import type { FieldType } from './field-type.ts'

/** What keeps a configuration from being applied, as `path: reason`; types as the schema has them, no unknown fields. */
export function checkApplied(value: unknown, type: FieldType, path = ''): string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value))
    return type.list === undefined ? [wrong(value, type, path)] : checkItems(value, type.list, path)
  if (isObject(value)) {
    const { map } = type
    if (map === undefined) return [wrong(value, type, path)]
    return Object.keys(value).flatMap((name) => {
      const member = memberType(map, name)
      return member === undefined
        ? [`${path}.${name}: field not declared in schema`]
        : checkApplied(value[name], member, `${path}.${name}`)
    })
  }
  const fits = { string: 'string', numeric: 'number', boolean: 'boolean' }[
    type.scalar === 'any' ? 'string' : (type.scalar ?? 'string')
  ]
  return type.scalar === 'any' || (type.scalar !== undefined && typeof value === fits) ? [] : [wrong(value, type, path)]
}

function checkItems(items: readonly unknown[], list: NonNullable<FieldType['list']>, path: string): string[] {
  const seen = new Set<string>()
  return items.flatMap((item, index) => {
    if (list.kind === 'atomic') return checkApplied(item, list.items, `${path}[${index}]`)
    const element = itemElement(list, item)
    if (element === undefined) return [`${path}: element ${index}: ${identityProblem(item, list)}`]
    if (seen.has(element)) return [`${path}: duplicate entries for key ${printElement(element)}`]
    seen.add(element)
    return checkApplied(item, list.items, path + printElement(element))
  })
}

function identityProblem(item: unknown, { kind, keys }: NonNullable<FieldType['list']>): string {
  if (kind === 'set') return 'associative list without keys has an element that is no scalar'
  if (!isObject(item))
    return `associative list with keys may not have ${item === null ? 'a null element' : 'non-map elements'}`
  return `associative list with keys has an element that omits all key fields [${keys.map((key) => JSON.stringify(key)).join(' ')}] (and doesn't have default values for any key fields)`
}

function wrong(value: unknown, type: FieldType, path: string): string {
  const wanted =
    type.map !== undefined
      ? 'map'
      : type.list !== undefined
        ? 'list'
        : type.scalar === 'numeric'
          ? 'numeric (int or float)'
          : (type.scalar ?? 'value')
  const got = Array.isArray(value) ? 'list' : isObject(value) ? 'map' : typeof value
  return `${path}: expected ${wanted}, got ${got}`
}
