import { equalJson, isObject } from '#base/json.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'

/** `maybe`: all that is desired is there, and more beside it, in a list or map that is owned as one. */
export type Verdict = 'no' | 'maybe' | 'yes'

export interface WouldChangeOptions {
  readonly manager: string
  readonly subresource?: 'status'
}

/**
 * Whether a forced apply of `desired` by `manager` would change `live`, told from `live` alone: its managedFields say
 * which fields the manager set last time. So a field that we no longer want, one that somebody took from us, and one
 * whose value drifted all show; what others own beside us does not.
 *
 * Inside lists and maps that have one owner as a whole, a member that we do not set is either a default of the server
 * or a field that we have just given up. That is the `maybe`.
 */
export function wouldChange(
  kind: Kind,
  live: Resource,
  desired: AnyResource,
  { manager, subresource }: WouldChangeOptions,
): Verdict {
  const entry = live.metadata.managedFields?.find(
    (managed) =>
      managed.manager === manager &&
      managed.operation === 'Apply' &&
      managed.apiVersion === apiVersionOf(kind) &&
      (managed.subresource ?? undefined) === subresource,
  )
  if (entry === undefined) return 'yes'
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = desired
  const { name: _name, namespace: _namespace, uid: _uid, resourceVersion: _version, ...ownedMetadata } = metadata
  const own = withoutAbsent(subresource === 'status' ? { status: rest.status } : rest)
  if (subresource !== 'status' && Object.keys(withoutAbsent(ownedMetadata)).length > 0) own['metadata'] = ownedMetadata
  return compare(entry.fieldsV1, own, live)
}

/** `fields` is one level of FieldsV1: `f:name`, `k:{"name":"x"}`, `v:"x"`, and `.` for the level itself. */
function compare(fields: Record<string, unknown>, desired: unknown, live: unknown): Verdict {
  const owned = Object.keys(fields).filter((element) => element !== '.')
  if (owned.length === 0) return compareWhole(desired, live)
  if (isObject(desired) && isObject(live)) return compareMembers(fields, owned, desired, live)
  if (Array.isArray(desired) && Array.isArray(live)) return compareItems(fields, owned, desired, live)
  return 'yes'
}

function compareMembers(
  fields: Record<string, unknown>,
  owned: readonly string[],
  desired: Record<string, unknown>,
  live: Record<string, unknown>,
): Verdict {
  const names = Object.keys(withoutAbsent(desired))
  if (names.length !== owned.length) return 'yes'
  return worst(names, (name) => {
    const below = fields[`f:${name}`]
    return isObject(below) ? compare(below, desired[name], live[name]) : 'yes'
  })
}

function compareItems(
  fields: Record<string, unknown>,
  owned: readonly string[],
  desired: readonly unknown[],
  live: readonly unknown[],
): Verdict {
  if (desired.length !== owned.length) return 'yes'
  return worst(owned, (element) => {
    const below = fields[element]
    const key: unknown = JSON.parse(element.slice(2))
    if (!isObject(below)) return 'yes'
    if (element.startsWith('v:')) return desired.includes(key) && live.includes(key) ? 'no' : 'yes'
    if (!element.startsWith('k:') || !isObject(key)) return 'yes'
    const ours = desired.find((item) => hasKey(item, key, true))
    const theirs = live.find((item) => hasKey(item, key, false))
    if (ours === undefined || theirs === undefined) return 'yes'
    // An item's key is owned with it, unless the server filled it in.
    return compare(below, ours, theirs)
  })
}

function hasKey(item: unknown, key: Record<string, unknown>, mayLack: boolean): boolean {
  return (
    isObject(item) &&
    Object.entries(key).every(([name, value]) => item[name] === value || (mayLack && item[name] === undefined))
  )
}

function compareWhole(desired: unknown, live: unknown): Verdict {
  if (equalJson(desired, live)) return 'no'
  if (isObject(desired) && isObject(live)) {
    return worst(Object.keys(withoutAbsent(desired)), (name) => compareWhole(desired[name], live[name]), 'maybe')
  }
  if (Array.isArray(desired) && Array.isArray(live) && desired.length === live.length) {
    return worst([...desired.keys()], (at) => compareWhole(desired[at], live[at]), 'maybe')
  }
  return 'yes'
}

function worst<T>(items: readonly T[], verdictOf: (item: T) => Verdict, least: Verdict = 'no'): Verdict {
  let verdict = least
  for (const item of items) {
    const own = verdictOf(item)
    if (own === 'yes') return 'yes'
    if (own === 'maybe') verdict = 'maybe'
  }
  return verdict
}

function withoutAbsent(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}
