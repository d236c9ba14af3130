import { isObject } from '#base/json.ts'
import { printElement } from './field-set.ts'
import { goPrint, goSyntax, goType } from './go-print.ts'
import { itemElement, memberType } from './field-type.ts'
import type { FieldType, ListType, MapType } from './field-type.ts'

/**
 * What keeps a configuration from being applied, as `path: reason`: types other than the schema's, unknown fields, items
 * without a key or with the same one. Paths are put together only when something is wrong.
 */
export function checkApplied(value: unknown, type: FieldType): string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return type.list === undefined ? [wrong(value, type)] : checkItems(value, type.list)
  if (isObject(value)) return type.map === undefined ? [wrong(value, type)] : checkMembers(value, type.map)
  if (type.scalar === 'any') return []
  return type.scalar === (typeof value === 'number' ? 'numeric' : typeof value) ? [] : [wrong(value, type)]
}

function checkMembers(value: Readonly<Record<string, unknown>>, map: MapType): string[] {
  const problems: string[] = []
  for (const name of Object.keys(value)) {
    const type = memberType(map, name)
    const found = type === undefined ? [': field not declared in schema'] : checkApplied(value[name], type)
    for (const problem of found) problems.push(`.${name}${problem}`)
  }
  return problems
}

function checkItems(items: readonly unknown[], list: ListType): string[] {
  const seen = new Set<string>()
  const problems: string[] = []
  for (const [index, item] of items.entries()) {
    const element = list.kind === 'atomic' ? `i:${index}` : itemElement(list, item)
    if (element === undefined) problems.push(`: element ${index}: ${identityProblem(item, list)}`)
    else if (seen.has(element)) problems.push(`: duplicate entries for key ${printElement(element)}`)
    else for (const problem of checkApplied(item, list.items)) problems.push(printElement(element) + problem)
    if (element !== undefined) seen.add(element)
  }
  return problems
}

function identityProblem(item: unknown, { kind, keys }: ListType): string {
  if (kind === 'set') return 'associative list without keys has an element that is no scalar'
  if (!isObject(item))
    return `associative list with keys may not have ${item === null ? 'a null element' : 'non-map elements'}`
  return `associative list with keys has an element that omits all key fields [${keys.map((key) => JSON.stringify(key)).join(' ')}] (and doesn't have default values for any key fields)`
}

function wrong(value: unknown, type: FieldType): string {
  const scalar = type.scalar === 'numeric' ? 'numeric (int or float)' : (type.scalar ?? 'value')
  const wanted = type.map !== undefined ? 'map' : type.list !== undefined ? 'list' : scalar
  return `: expected ${wanted}, got ${printed(value, wanted)}`
}

/** Each kind of value is told in another way, as it happens to be printed there. */
function printed(value: unknown, wanted: string): string {
  if (wanted === 'string') return `&value.valueUnstructured{Value:${goSyntax(value)}}`
  return wanted.startsWith('numeric') ? goType(value) : `&{${goPrint(value)}}`
}
