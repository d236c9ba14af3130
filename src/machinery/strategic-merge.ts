import { equalJson, isObject } from '#base/json.ts'
import { goPrint } from './go-print.ts'
import { memberOf, setMember } from './json-members.ts'
import { unmergeablePatch, unreadablePatch } from './patch-fault.ts'
import type { StructuralSchema } from './structural-schema.ts'

type Members = Record<string, unknown>
type Schema = StructuralSchema | undefined

/**
 * Applies a strategic merge patch. Lists whose schema says `x-kubernetes-patch-strategy: merge` are joined by their
 * merge key; all else is as in a JSON merge patch. Directives: `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/x`,
 * `$setElementOrder/x`. Shares with its inputs what it does not change.
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 * @throws Fault `BadPatch`
 */
export function applyStrategicMergePatch(document: unknown, patch: unknown, schema: StructuralSchema): unknown {
  if (!isObject(patch)) throw unreadablePatch('a strategic merge patch must be a JSON object')
  return mergeMap(isObject(document) ? document : {}, patch, schema)
}

const deletePrefix = '$deleteFromPrimitiveList/'
const orderPrefix = '$setElementOrder/'

function mergeMap(original: Members, patch: Members, schema: Schema): Members {
  const directive = memberOf(patch, '$patch')
  if (directive === 'replace') return withoutDirectives(omit(patch, '$patch')) as Members
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge')
    throw unreadablePatch(`unknown patch type found: ${show(directive)} in map`)
  const merged = retainKeys(original, patch)
  for (const name of Object.keys(patch)) {
    const value = patch[name]
    if (value === undefined || name === '$patch' || name === '$retainKeys') continue
    if (name.startsWith(deletePrefix)) {
      const list = name.slice(deletePrefix.length)
      const before = memberOf(merged, list)
      if (before !== undefined) setMember(merged, list, deleteItems(asList(before, list), asList(value, name)))
    } else if (name.startsWith(orderPrefix)) {
      const list = name.slice(orderPrefix.length)
      const ordered = orderedList(
        memberOf(original, list),
        memberOf(merged, list),
        memberOf(patch, list),
        asList(value, name),
        list,
        schema,
      )
      if (ordered !== undefined) setMember(merged, list, ordered)
    } else if (memberOf(patch, orderPrefix + name) === undefined) {
      const after = value === null ? undefined : mergeValue(memberOf(merged, name), value, memberSchema(schema, name))
      if (after === undefined) delete merged[name]
      else setMember(merged, name, after)
    }
  }
  return merged
}

/** With `$retainKeys`, members of the original that it does not name go; the patch may set no others. */
function retainKeys(original: Members, patch: Members): Members {
  const keys = memberOf(patch, '$retainKeys')
  if (keys === undefined) return { ...original }
  const kept = new Set(asList(keys, '$retainKeys'))
  for (const name of Object.keys(patch)) {
    if (!name.startsWith('$') && patch[name] !== null && !kept.has(name))
      throw unreadablePatch('invalid patch format of retainKeys')
  }
  return Object.fromEntries(Object.entries(original).filter(([name]) => kept.has(name)))
}

function mergeValue(original: unknown, patch: unknown, schema: Schema): unknown {
  const replaces = strategies(schema).includes('replace')
  if (isObject(patch)) {
    return replaces || !isObject(original) ? withoutDirectives(patch) : mergeMap(original, patch, schema)
  }
  if (Array.isArray(patch)) {
    return strategies(schema).includes('merge')
      ? mergeList(Array.isArray(original) ? original : [], patch, schema)
      : withoutDirectives(patch)
  }
  return patch
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], schema: Schema): unknown[] {
  const identity = identityOf([...original, ...patch], schema)
  const merged = indexItems(original, identity)
  let items = patch
  if (identity.key !== undefined) {
    items = patch.filter((item) => !isDirective(item))
    if (items.length < patch.length && patch.some((item) => memberOf(item as Members, '$patch') === 'replace')) {
      return items.map(withoutDirectives)
    }
    for (const item of patch) {
      if (isDirective(item)) applyListDirective(merged, item, identity)
    }
  }
  const added = new Map<unknown, unknown>()
  for (const item of items) {
    const id = identity.of(item)
    const before = merged.get(id) ?? added.get(id)
    const after = isObject(item) && isObject(before) ? mergeMap(before, item, schema?.items) : withoutDirectives(item)
    if (merged.has(id)) merged.set(id, after)
    else added.set(id, after)
  }
  for (const [id, item] of added) merged.set(id, item)
  return arrange(merged, items.map(identity.of), original.map(identity.of))
}

/** How the items of a list are told apart: by their merge key when they are objects, by themselves when scalars. */
interface Identity {
  readonly key: string | undefined
  readonly of: (item: unknown) => unknown
}

function identityOf(items: readonly unknown[], schema: Schema): Identity {
  if (items.length === 0 || !items.some(isObject)) {
    if (items.some(Array.isArray)) throw unreadablePatch('lists of lists cannot be merged')
    return { key: undefined, of: (item) => item }
  }
  if (!items.every(isObject)) throw unreadablePatch('a merged list must hold either objects or scalars, not both')
  const key = schema?.['x-kubernetes-patch-merge-key']
  if (key === undefined) throw unreadablePatch('map does not contain declared merge key: the list has none')
  const of = (item: unknown) => {
    const value = memberOf(item as Members, key)
    if (value === undefined || value === null)
      throw unmergeablePatch(`map: ${goPrint(item)} does not contain declared merge key: ${key}`)
    return typeof value === 'object' ? JSON.stringify(value) : value
  }
  return { key, of }
}

function indexItems(items: readonly unknown[], identity: Identity): Map<unknown, unknown> {
  return new Map(items.map((item) => [identity.of(item), item]))
}

/** An item that says what to do with the list or one of its items instead of being one. */
function isDirective(item: unknown): item is Members {
  const directive = isObject(item) ? memberOf(item, '$patch') : undefined
  return directive !== undefined && directive !== 'merge'
}

function applyListDirective(merged: Map<unknown, unknown>, item: Members, identity: Identity): void {
  const directive = memberOf(item, '$patch')
  if (directive !== 'delete') throw unreadablePatch(`unknown patch type found: ${show(directive)} in list`)
  merged.delete(identity.of(item))
}

function deleteItems(items: readonly unknown[], gone: readonly unknown[]): unknown[] {
  return items.filter((item) => !gone.some((other) => equalJson(other, item)))
}

/**
 * The list under a `$setElementOrder` directive: the order it gives, with the items that only the server has where
 * they were.
 */
function orderedList(
  original: unknown,
  merged: unknown,
  patch: unknown,
  wanted: readonly unknown[],
  name: string,
  schema: Schema,
): unknown[] | undefined {
  if (original === undefined && (patch === undefined || patch === null)) return undefined
  const listSchema = memberSchema(schema, name)
  const before = Array.isArray(original) ? original : []
  const given = patch === undefined || patch === null ? [] : asList(patch, name)
  const joined = mergeList(Array.isArray(merged) ? merged : [], given, listSchema)
  const identity = identityOf([...joined, ...wanted], listSchema)
  const order = wanted.map(identity.of)
  const positions = new Map(order.map((id, index) => [id, index]))
  let last = -1
  for (const item of given) {
    if (isDirective(item)) continue
    const position = positions.get(identity.of(item))
    if (position === undefined || position < last) throw unreadablePatch('invalid patch format of setElementOrder list')
    last = position
  }
  return arrange(indexItems(joined, identity), order, before.map(identity.of))
}

/**
 * Items named in `wanted` in its order; each other one before the first wanted item that it preceded in `former`,
 * never changing places with its like.
 */
function arrange(
  items: ReadonlyMap<unknown, unknown>,
  wanted: readonly unknown[],
  former: readonly unknown[],
): unknown[] {
  const positions = new Map(former.map((id, index) => [id, index]))
  const leading = [...new Set(wanted)].filter((id) => items.has(id))
  const led = new Set(leading)
  const position = (id: unknown) => positions.get(id) ?? Number.POSITIVE_INFINITY
  const others = [...items.keys()].filter((id) => !led.has(id)).sort((a, b) => order(position(a), position(b)))
  const arranged: unknown[] = []
  let next = 0
  for (const id of leading) {
    const limit = positions.get(id) ?? Number.NEGATIVE_INFINITY
    for (; next < others.length && position(others[next]) < limit; next++) arranged.push(items.get(others[next]))
    arranged.push(items.get(id))
  }
  return [...arranged, ...others.slice(next).map((id) => items.get(id))]
}

function order(a: number, b: number): number {
  return a === b ? 0 : a - b
}

/**
 * The value without what only makes sense in a patch, for a place where the document has nothing: a null in a map says
 * "absent", and so does a map that says what to do with another; undefined where nothing is left of it.
 */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined)
  if (!isObject(value)) return value
  if (memberOf(value, '$patch') !== undefined) return undefined
  const plain: Members = {}
  for (const name of Object.keys(value)) {
    if (name === '$retainKeys' || name.startsWith(deletePrefix) || name.startsWith(orderPrefix)) continue
    const member = withoutDirectives(value[name])
    if (member !== null && member !== undefined) setMember(plain, name, member)
  }
  return plain
}

function memberSchema(schema: Schema, name: string): Schema {
  if (schema === undefined) return undefined
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name]
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
}

function strategies(schema: Schema): readonly string[] {
  return schema?.['x-kubernetes-patch-strategy']?.split(',') ?? []
}

function omit(object: Members, name: string): Members {
  const { [name]: _, ...others } = object
  return others
}

function asList(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw unreadablePatch(`${name} must be a list`)
  return value
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
