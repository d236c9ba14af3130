import { isObject } from '#base/json.ts'
import { setMember } from './json-members.ts'

/**
 * A set of field paths as a tree: `member` says whether the path to this node is in the set. Names of children are the
 * path elements of Kubernetes' FieldsV1: `f:name` a field, `k:{"name":"x"}` an item of a list-map, `v:"x"` one of a
 * set, `i:0` an index. Immutable once built, so sets share subtrees. No child is ever empty.
 */
export interface FieldSet {
  readonly member: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}

const noChildren: ReadonlyMap<string, FieldSet> = new Map()
export const noFields: FieldSet = { member: false, children: noChildren }
/** The set of this very path alone. */
export const leafField: FieldSet = { member: true, children: noChildren }

export function fieldSet(member: boolean, children: ReadonlyMap<string, FieldSet>): FieldSet {
  if (children.size > 0) return { member, children }
  return member ? leafField : noFields
}

export function isEmpty(set: FieldSet): boolean {
  return !set.member && set.children.size === 0
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a
  if (isEmpty(a)) return b
  const children = new Map(a.children)
  for (const [element, child] of b.children) {
    const other = children.get(element)
    children.set(element, other === undefined ? child : union(other, child))
  }
  return fieldSet(a.member || b.member, children)
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  const children = new Map<string, FieldSet>()
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    if (other === undefined) continue
    const both = intersection(child, other)
    if (!isEmpty(both)) children.set(element, both)
  }
  return fieldSet(a.member && b.member, children)
}

/** What is in `a` and not in `b`, path by path: having a field in `b` takes nothing below it from `a`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  const children = new Map<string, FieldSet>()
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    const left = other === undefined ? child : difference(child, other)
    if (!isEmpty(left)) children.set(element, left)
  }
  return fieldSet(a.member && !b.member, children)
}

/** Whether all of `a` is in `b`. */
export function isSubset(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  if (a.member && !b.member) return false
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    if (other === undefined || !isSubset(child, other)) return false
  }
  return true
}

export function equalFields(a: FieldSet, b: FieldSet): boolean {
  return isSubset(a, b) && isSubset(b, a)
}

/** Stored entries are read again and again, and nobody changes them in place. */
const decoded = new WeakMap<object, FieldSet>()

/** Reads `fieldsV1`; `undefined` when it is malformed. */
export function decodeFields(fieldsV1: unknown): FieldSet | undefined {
  if (!isObject(fieldsV1)) return undefined
  const known = decoded.get(fieldsV1)
  if (known !== undefined) return known
  const set = decodeNode(fieldsV1)
  if (set !== undefined) decoded.set(fieldsV1, set)
  return set
}

function decodeNode(fieldsV1: unknown): FieldSet | undefined {
  if (!isObject(fieldsV1)) return undefined
  let member = false
  const children = new Map<string, FieldSet>()
  for (const name of Object.keys(fieldsV1)) {
    if (name === '.') {
      member = true
      continue
    }
    const element = canonicalElement(name)
    const child = decodeNode(fieldsV1[name])
    if (element === undefined || child === undefined) return undefined
    children.set(element, isEmpty(child) ? leafField : child)
  }
  return fieldSet(member, children)
}

function canonicalElement(text: string): string | undefined {
  const content = text.slice(2)
  switch (text.slice(0, 2)) {
    case 'f:':
      return text
    case 'i:':
      return /^-?\d+$/.test(content) ? text : undefined
    case 'v:': {
      const value = parse(content)
      return value === undefined ? undefined : valueElement(value)
    }
    case 'k:': {
      const key = parse(content)
      return isObject(key) ? keyElement(Object.entries(key)) : undefined
    }
    default:
      return undefined
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`
}

export function keyElement(fields: readonly (readonly [string, unknown])[]): string {
  const sorted = fields.length < 2 ? fields : fields.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
}

/** Writes `fieldsV1`, members in Kubernetes' order. */
export function encodeFields(set: FieldSet): Record<string, unknown> {
  const fieldsV1: Record<string, unknown> = {}
  if (set.member && set.children.size > 0) fieldsV1['.'] = {}
  for (const element of sortedElements(set))
    setMember(fieldsV1, element, encodeFields(set.children.get(element) ?? noFields))
  return fieldsV1
}

/** Fields come before list-map keys, values and indices; Kubernetes' letters for them happen to sort otherwise. */
const rank: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 }

function sortedElements(set: FieldSet): string[] {
  const elements = [...set.children.keys()]
  if (elements.length < 2) return elements
  return elements.sort((a, b) => {
    if (a[0] === b[0]) return a < b ? -1 : 1
    return (rank[a[0] ?? ''] ?? 0) - (rank[b[0] ?? ''] ?? 0)
  })
}

/** All paths of the set as Kubernetes prints them: `.spec.containers[name="a"].image`. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  const own: string[] = []
  const below: string[] = []
  for (const element of sortedElements(set)) {
    const child = set.children.get(element)
    if (child === undefined) continue
    const path = prefix + printElement(element)
    if (child.member) own.push(path)
    below.push(...pathsOf(child, path))
  }
  return [...own, ...below]
}

export function printElement(element: string): string {
  const content = element.slice(2)
  switch (element[0]) {
    case 'f':
      return `.${content}`
    case 'v':
      return `[=${content}]`
    case 'i':
      return `[${content}]`
    default: {
      const key = Object.entries(JSON.parse(content) as Record<string, unknown>)
      return `[${key.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`
    }
  }
}
