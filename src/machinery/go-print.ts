import { isObject } from '#base/json.ts'

/** JSON values as Go prints them in messages that users of clusters know. Pure. */

/** `%v`: `map[a:1 b:[x y]]`. */
export function goPrint(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`
  if (!isObject(value)) return value === null ? '<nil>' : String(value)
  return `map[${byName(value)
    .map(([name, member]) => `${name}:${goPrint(member)}`)
    .join(' ')}]`
}

/** `%#v`: `map[string]interface {}{"a":1}`. */
export function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (!isObject(value)) return value === null ? 'interface {}(nil)' : JSON.stringify(value)
  const members = byName(value).map(([name, member]) => `${JSON.stringify(name)}:${goSyntax(member)}`)
  return `map[string]interface {}{${members.join(', ')}}`
}

/** `%T`. */
export function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (isObject(value)) return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : value === null ? '<nil>' : typeof value
}

function byName(object: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))
}
