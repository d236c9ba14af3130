import { equalJson, isObject } from '#base/json.ts'
import { fieldSet, isEmpty, leafField, noFields } from './field-set.ts'
import type { FieldSet } from './field-set.ts'
import { anyField, itemElement, memberType } from './field-type.ts'
import type { FieldType, ListType, MapType } from './field-type.ts'
import { memberOf, setMember } from './json-members.ts'

/** How one value is divided among owners: by members, by items, or not at all. */
type Form = 'map' | 'list' | 'leaf'

/** `null` divides like an empty value of the one kind that the type allows. */
function formOf(value: unknown, type: FieldType): Form {
  if (Array.isArray(value)) return type.list !== undefined && type.list.kind !== 'atomic' ? 'list' : 'leaf'
  if (isObject(value)) return type.map !== undefined && !type.map.atomic ? 'map' : 'leaf'
  return 'leaf'
}

/** The fields that a configuration holds. Items of a list that have no identity are left out. */
export function fieldsOf(value: unknown, type: FieldType): FieldSet {
  const form = formOf(value, type)
  if (form === 'map') return mapFields(value as Record<string, unknown>, type.map as MapType)
  if (form === 'list') return listFields(value as readonly unknown[], type.list as ListType)
  return leafField
}

function mapFields(value: Readonly<Record<string, unknown>>, type: MapType): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const name of Object.keys(value)) {
    const member = value[name]
    if (member === undefined) continue
    const below = fieldsOf(member, memberType(type, name) ?? anyField)
    // Entries of an open map exist by being there; a declared field exists by what is in it.
    const own = below.member || !type.fields.has(name) || (isObject(member) && Object.keys(member).length === 0)
    const child = own ? fieldSet(true, below.children) : below
    if (!isEmpty(child)) children.set(`f:${name}`, child)
  }
  return fieldSet(false, children)
}

function listFields(items: readonly unknown[], type: ListType): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [element, found] of itemsByElement(items, type)) {
    // Twins cannot be told apart, so they have one owner together.
    children.set(element, found.length > 1 ? leafField : fieldSet(true, fieldsOf(found[0], type.items).children))
  }
  return fieldSet(false, children)
}

function itemsByElement(items: readonly unknown[], type: ListType): Map<string, unknown[]> {
  const byElement = new Map<string, unknown[]>()
  for (const item of items) {
    const element = itemElement(type, item)
    if (element === undefined) continue
    const twins = byElement.get(element)
    if (twins === undefined) byElement.set(element, [item])
    else twins.push(item)
  }
  return byElement
}

/** What a change did to which fields; no field is in more than one of the three. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

const same: Comparison = { added: noFields, modified: noFields, removed: noFields }

/** Compares two values of one place; `undefined` is absent, `null` is an empty value of the other's form. */
export function compareFields(before: unknown, after: unknown, type: FieldType): Comparison {
  if (before === after) return same
  if (before === undefined) return { ...same, added: withSelf(spread(after, type)) }
  if (after === undefined) return { ...same, removed: withSelf(spread(before, type)) }
  const form = commonForm(before, after, type)
  if (form === 'map') {
    const names = Object.keys(before ?? {})
    const children = new Children()
    const [left, right] = [(before ?? {}) as Record<string, unknown>, (after ?? {}) as Record<string, unknown>]
    for (const name of names) {
      if (left[name] !== undefined)
        children.compare(
          `f:${name}`,
          left[name],
          memberOf(right, name),
          memberType(type.map as MapType, name) ?? anyField,
        )
    }
    for (const name of Object.keys(right)) {
      if (right[name] !== undefined && memberOf(left, name) === undefined) {
        children.compare(`f:${name}`, undefined, right[name], memberType(type.map as MapType, name) ?? anyField)
      }
    }
    return children.done()
  }
  if (form === 'list')
    return compareItems((before ?? []) as unknown[], (after ?? []) as unknown[], type.list as ListType)
  if (equalJson(before, after)) return same
  // A value that changed its form loses what was below it and gains what is now.
  const [gone, come] = [spread(before, type), spread(after, type)]
  const isLeaf = formOf(before, type) === 'leaf' || formOf(after, type) === 'leaf' || isBare(before) || isBare(after)
  return {
    added: fieldSet(false, come.children),
    removed: fieldSet(false, gone.children),
    modified: isLeaf ? leafField : noFields,
  }
}

function isBare(value: unknown): boolean {
  return typeof value === 'object' && Object.keys(value ?? {}).length === 0
}

/** The form under which both are compared part by part; a leaf when there are no parts, or they are no match. */
function commonForm(before: unknown, after: unknown, type: FieldType): Form {
  if (isBare(before) && isBare(after)) return 'leaf'
  const [left, right] = [formOf(before, type), formOf(after, type)]
  if (left === right || after === null) return left
  return before === null ? right : 'leaf'
}

function compareItems(before: readonly unknown[], after: readonly unknown[], type: ListType): Comparison {
  const [left, right] = [itemsByElement(before, type), itemsByElement(after, type)]
  const children = new Children()
  for (const [element, was] of left) {
    const is = right.get(element) ?? []
    if (was.length < 2 && is.length < 2) children.compare(element, was[0], is[0], type.items)
    else if (was.length > 1 && is.length > 1) {
      if (!equalJson(was, is)) children.modified.set(element, leafField)
    } else if (was.length > 1) {
      children.removed.set(element, leafField)
      if (is.length > 0) children.added.set(element, spread(is[0], type.items))
    } else {
      children.added.set(element, leafField)
      children.removed.set(element, spread(was[0], type.items))
    }
  }
  for (const [element, is] of right) {
    if (left.has(element)) continue
    children.added.set(element, is.length > 1 ? leafField : withSelf(spread(is[0], type.items)))
  }
  return children.done()
}

/** Collects the comparisons of parts into that of the whole. */
class Children {
  readonly added = new Map<string, FieldSet>()
  readonly modified = new Map<string, FieldSet>()
  readonly removed = new Map<string, FieldSet>()

  compare(element: string, before: unknown, after: unknown, type: FieldType): void {
    const change = compareFields(before, after, type)
    if (change === same) return
    if (!isEmpty(change.added)) this.added.set(element, change.added)
    if (!isEmpty(change.modified)) this.modified.set(element, change.modified)
    if (!isEmpty(change.removed)) this.removed.set(element, change.removed)
  }

  done(): Comparison {
    if (this.added.size + this.modified.size + this.removed.size === 0) return same
    return {
      added: fieldSet(false, this.added),
      modified: fieldSet(false, this.modified),
      removed: fieldSet(false, this.removed),
    }
  }
}

function withSelf(set: FieldSet): FieldSet {
  return set.member ? set : fieldSet(true, set.children)
}

/** All paths of a value that came or went as a whole: unlike `fieldsOf`, each level is one. */
function spread(value: unknown, type: FieldType): FieldSet {
  const form = formOf(value, type)
  if (form === 'leaf') return leafField
  const children = new Map<string, FieldSet>()
  if (form === 'map') {
    const object = value as Record<string, unknown>
    for (const name of Object.keys(object)) {
      if (object[name] === undefined) continue
      children.set(`f:${name}`, withSelf(spread(object[name], memberType(type.map as MapType, name) ?? anyField)))
    }
  } else {
    for (const [element, items] of itemsByElement(value as unknown[], type.list as ListType)) {
      children.set(element, items.length > 1 ? leafField : withSelf(spread(items[0], (type.list as ListType).items)))
    }
  }
  return fieldSet(false, children)
}

/** Lays `config` over `live`. Shares with both what it does not join; a `null` in an applied map or list changes nothing. */
export function mergeFields(live: unknown, config: unknown, type: FieldType): unknown {
  if (config === undefined) return live
  if (live === undefined) return config
  const form = commonForm(live, config, type)
  if (form === 'map') {
    if (config === null) return live
    const merged = { ...(live as Record<string, unknown>) }
    const applied = config as Record<string, unknown>
    for (const name of Object.keys(applied)) {
      setMember(
        merged,
        name,
        mergeFields(memberOf(merged, name), applied[name], memberType(type.map as MapType, name) ?? anyField),
      )
    }
    return merged
  }
  if (form === 'list') {
    if (config === null) return live
    return mergeItems((live ?? []) as unknown[], config as unknown[], type.list as ListType)
  }
  return config
}

/**
 * Joins two lists of identified items. Those of `config` keep its order; those of `live` alone stay where they were
 * between the ones that both have.
 */
function mergeItems(live: readonly unknown[], config: readonly unknown[], type: ListType): unknown[] {
  const liveElements = live.map((item) => itemElement(type, item))
  const configElements = config.map((item) => itemElement(type, item))
  const wanted = new Set(configElements)
  const liveItems = itemsByElement(live, type)
  // Elements that both have, in the order of the configuration.
  const shared = configElements.filter((element) => element !== undefined && liveItems.has(element))
  const done = new Set<string | undefined>()
  const merged: unknown[] = []
  let nextShared = 0
  let l = 0
  let c = 0
  const takeConfig = () => {
    const element = configElements[c]
    const found = element === undefined ? undefined : liveItems.get(element)
    // Twins are replaced, not joined with.
    merged.push(mergeFields(found?.length === 1 ? found[0] : undefined, config[c], type.items))
    done.add(element)
    if (element === shared[nextShared]) nextShared++
    c++
  }
  while (l < live.length || c < config.length) {
    const element = liveElements[l]
    const isShared = l < live.length && element !== undefined && wanted.has(element)
    if (l < live.length && c < config.length && element !== undefined && element === configElements[c]) {
      takeConfig()
      l++
    } else if (isShared && c < config.length && nextShared < shared.length && element !== shared[nextShared]) {
      l++ // comes later, where the configuration has it
    } else if (l < live.length && !isShared) {
      merged.push(live[l])
      l++
    } else {
      if (isShared && done.has(element)) l++
      if (c < config.length) takeConfig()
      else if (isShared && !done.has(element)) l++
    }
  }
  return merged
}

/** Takes the fields of `gone` out of a value; what they leave empty stays, empty (`null` where the schema allows it). */
export function removeFields(value: unknown, gone: FieldSet, type: FieldType): unknown {
  if (gone.children.size === 0) return value
  const form = formOf(value, type)
  if (form === 'map') {
    const left: Record<string, unknown> = {}
    let count = 0
    for (const [name, member] of Object.entries(value as Record<string, unknown>)) {
      const subset = gone.children.get(`f:${name}`)
      if (subset?.member === true || member === undefined) continue
      setMember(
        left,
        name,
        subset === undefined ? member : removeFields(member, subset, memberType(type.map as MapType, name) ?? anyField),
      )
      count++
    }
    return count === 0 && type.nullable ? null : left
  }
  if (form === 'list') {
    const list = type.list as ListType
    const left: unknown[] = []
    for (const item of value as unknown[]) {
      const element = itemElement(list, item)
      const subset = element === undefined ? undefined : gone.children.get(element)
      if (subset?.member === true) continue
      left.push(subset === undefined ? item : removeFields(item, subset, list.items))
    }
    return left.length === 0 && type.nullable ? null : left
  }
  return value
}

/** Makes every declared field on the way to a member a member itself: who owns part of a field holds the field. */
export function withNamedParents(set: FieldSet, type: FieldType | undefined): FieldSet {
  if (set.children.size === 0) return set
  const children = new Map<string, FieldSet>()
  for (const [element, child] of set.children) {
    const name = element.startsWith('f:') ? element.slice(2) : undefined
    const childType = name === undefined ? type?.list?.items : type?.map && memberType(type.map, name)
    const below = withNamedParents(child, childType)
    const isNamed = name !== undefined && type?.map?.fields.has(name) === true
    children.set(element, isNamed ? withSelf(below) : below)
  }
  return fieldSet(set.member, children)
}
