import { equalJson } from '#base/json.ts'
import { applyConflict, badApply, notOfType } from './apply-fault.ts'
import { checkApplied } from './field-check.ts'
import { capUpdaters, encodeHolders, type Holder, type Holders, holdersOf, keyOf, nonEmpty } from './field-holders.ts'
import {
  difference,
  equalFields,
  type FieldSet,
  fieldSet,
  intersection,
  isEmpty,
  isSubset,
  leafField,
  noFields,
  pathsOf,
  union,
} from './field-set.ts'
import { type FieldType, objectType } from './field-type.ts'
import { compareFields, fieldsOf, mergeFields, removeFields, withNamedParents } from './field-walk.ts'
import { kubectlManager, lastAppliedFields, withLastApplied } from './last-applied.ts'
import type { ManagedFieldsEntry, Resource } from './meta.ts'
import type { StructuralSchema } from './structural-schema.ts'

interface WriteOptions {
  /** The object as stored, with its managedFields; absent on create. */
  readonly live?: Resource | undefined
  /** What an object of the kind is that holds nothing, if there is more to it than its type. */
  readonly empty?: Resource | undefined
  readonly schema: StructuralSchema
  /** `fieldManager` of the request; empty means `unknown`. */
  readonly manager: string
  readonly subresource?: string | undefined
  readonly apiVersion: string
  /** RFC 3339, for the entry that this write touches; a change of the scale alone keeps no time, as in Kubernetes. */
  readonly now: string
  /** Whether the kind has a status subresource, so that `status` is nobody's on the main resource. Default: true. */
  readonly hasStatus?: boolean
}

export interface ApplyOptions extends WriteOptions {
  /** What the client wants to own: its whole intent, nothing else. */
  readonly applied: Resource
  /** Takes conflicting fields over from their managers. */
  readonly force: boolean
  /** The version that conflicts are told in; default: those that the managers wrote. */
  readonly toldVersion?: string
}

export interface UpdateOptions extends WriteOptions {
  /** What is to be stored: already merged, defaulted and with the fields reset that this request may not change. */
  readonly updated: Resource
}

/**
 * Server-side apply, as Kubernetes' structured-merge-diff does it. Returns `live` itself when nothing changes, so that
 * the caller can skip the write. Pure.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 * @throws Fault `ApplyConflict` (kind `conflict`) with a Kubernetes Status in `details`, `BadApply` for a configuration
 *   that the schema does not allow or that brings its own managedFields.
 */
export function applyServerSide(options: ApplyOptions): Resource {
  const { live, applied, manager, now } = options
  if (applied.metadata?.managedFields !== undefined) throw badApply('metadata.managedFields must be nil')
  const type = objectType(options.schema)
  const config = withoutReset(applied, options)
  const problems = checkApplied(config, type)
  if (problems.length > 0) throw notOfType(applied, problems)

  const fields = withoutResetFields(fieldsOf(config, type), options)
  const bare = live && withoutManagedFields(live)
  const before = holdersOf(live?.metadata.managedFields) ?? new Map<string, Holder>()
  const isFirst = bare !== undefined && before.size === 0 && !isEmpty(difference(fields, unmanaged))
  const holders = isFirst ? firstHolders(bare, type, options) : before
  const result = applyFields({ live: bare, config, fields, holders, type }, options)
  const unchanged = bare !== undefined && (result.object === bare || equalJson(result.object, bare))
  const object = manager === kubectlManager ? withLastApplied(result.object, applied) : result.object

  const key = keyOf(result.self)
  const previous = before.get(key)
  const settled = unchanged && previous !== undefined && previous.apiVersion === result.self.apiVersion
  // Whoever changes nothing gets no new time, and none at all where there was none.
  const time = unchanged ? previous?.time : options.subresource === 'scale' ? undefined : now
  const self = settled && equalFields(previous.fields, result.self.fields) ? previous : { ...result.self, time }
  const managedFields = encodeHolders(new Map(result.others).set(key, self))
  if (
    live !== undefined &&
    unchanged &&
    object === result.object &&
    equalJson(managedFields, live.metadata.managedFields ?? [])
  )
    return live
  return withManagedFields(object, managedFields)
}

/** Updates `managedFields` after create, update and patch. Pure. */
export function trackUpdate(options: UpdateOptions): Resource {
  const { live, updated, schema, subresource, apiVersion, now } = options
  const given = subresource === undefined || subresource === '' ? updated.metadata.managedFields : undefined
  const isReset =
    Array.isArray(given) && (given.length === 0 || (given.length === 1 && Object.keys(given[0] ?? {}).length === 0))
  const held = isReset ? undefined : holdersOf(given)
  const holders: Holders = isReset
    ? new Map()
    : held !== undefined && held.size > 0
      ? held
      : (holdersOf(live?.metadata.managedFields) ?? new Map())
  const object = withoutManagedFields(updated)
  // Whoever resets an object's managedFields wants none until the next apply.
  if (live !== undefined && holders.size === 0) return object
  const type = objectType(schema)
  const bare = live === undefined ? (options.empty ?? emptyObject(updated)) : withoutManagedFields(live)
  const change = comparison(bare, object, type, options)
  const manager = options.manager === '' ? 'unknown' : options.manager
  const self: Holder = {
    manager,
    operation: 'Update',
    apiVersion,
    subresource: nonEmpty(subresource),
    fields: noFields,
    time: subresource === 'scale' ? undefined : now,
  }
  return withManagedFields(object, encodeHolders(capUpdaters(updateHolders(holders, change, self))))
}

function updateHolders(holders: Holders, change: Change, self: Holder): Map<string, Holder> {
  const next = new Map<string, Holder>()
  const lost = union(change.set, change.removed)
  for (const [key, holder] of holders) keep(next, key, holder, difference(holder.fields, lost))
  const fields = difference(change.set, unmanaged)
  if (!isEmpty(fields)) {
    const previous = next.get(keyOf(self))
    next.set(keyOf(self), { ...self, fields: previous === undefined ? fields : union(previous.fields, fields) })
  }
  return next
}

function keep(holders: Map<string, Holder>, key: string, holder: Holder, fields: FieldSet): void {
  if (isEmpty(fields)) return
  if (equalFields(fields, holder.fields)) holders.set(key, holder)
  else {
    const { entry: _, ...rest } = holder
    holders.set(key, { ...rest, fields })
  }
}

/** An object that nobody tracked yet: what is in it belongs to those before the first apply. */
function firstHolders(bare: Resource, type: FieldType, options: WriteOptions): Holders {
  const change = comparison(options.empty ?? emptyObject(bare), bare, type, options)
  const { apiVersion, subresource, now } = options
  return updateHolders(new Map(), change, {
    manager: 'before-first-apply',
    operation: 'Update',
    apiVersion,
    subresource: nonEmpty(subresource),
    fields: noFields,
    time: now,
  })
}

interface Applied {
  readonly object: Resource
  readonly self: Holder
  readonly others: Holders
}

interface Applying {
  readonly live: Resource | undefined
  readonly config: Resource
  /** Those of `config`. */
  readonly fields: FieldSet
  readonly holders: Holders
  readonly type: FieldType
}

function applyFields({ live, config, fields, holders, type }: Applying, options: ApplyOptions): Applied {
  const start = live ?? options.empty ?? emptyObject(config)
  const self: Holder = {
    manager: options.manager === '' ? 'unknown' : options.manager,
    operation: 'Apply',
    apiVersion: options.apiVersion,
    subresource: nonEmpty(options.subresource),
    fields: difference(fields, unmanaged),
    time: options.now,
  }
  const key = keyOf(self)
  const merged = mergeFields(start, config, type)
  const last = holders.get(key)?.fields ?? noFields
  // Pruning takes a field that holds an empty list now: no list item, no owner. Hence the configuration once more.
  const object = (
    isSubset(last, fields) ? merged : mergeFields(prune(merged, last, fields, holders, key, type), config, type)
  ) as Resource

  const change = comparison(start, object, type, options)
  const others = new Map<string, Holder>()
  const conflicts: { holder: Holder; fields: FieldSet }[] = []
  for (const [id, holder] of holders) {
    if (id === key) continue
    const contested = intersection(holder.fields, change.set)
    if (!isEmpty(contested)) conflicts.push({ holder, fields: contested })
    keep(others, id, holder, difference(difference(holder.fields, contested), change.removed))
  }
  if (!options.force) {
    const yielded =
      options.manager === kubectlManager && live !== undefined && conflicts.length > 0
        ? lastAppliedFields(live, type, options.apiVersion)
        : noFields
    const open = conflicts.map(({ holder, fields: contested }) => ({
      holder,
      paths: pathsOf(difference(contested, yielded)),
    }))
    const real = open.filter(({ paths }) => paths.length > 0)
    if (real.length > 0) throw applyConflict(real, options.toldVersion)
  }
  return { object, self, others }
}

/**
 * Removes what the manager applied last time and no longer does, unless somebody else holds it: items go as a whole,
 * then come back with all that others hold of them, and with what nobody claimed.
 */
function prune(
  merged: unknown,
  last: FieldSet,
  fields: FieldSet,
  holders: Holders,
  self: string,
  type: FieldType,
): unknown {
  let held = fields
  for (const [key, holder] of holders) if (key !== self) held = union(held, holder.fields)
  const lastNamed = withNamedParents(last, type)
  const all = withNamedParents(fieldsOf(merged, type), type)
  const left = withNamedParents(fieldsOf(removeFields(merged, lastNamed, type), type), type)
  const withOwned = removeFields(merged, difference(all, union(left, withNamedParents(held, type))), type)
  const kept = withNamedParents(fieldsOf(withOwned, type), type)
  return removeFields(merged, intersection(difference(all, kept), lastNamed), type)
}

interface Change {
  /** Fields added or modified. */
  readonly set: FieldSet
  readonly removed: FieldSet
}

function comparison(before: Resource, after: Resource, type: FieldType, options: WriteOptions): Change {
  const { added, modified, removed } = compareFields(before, after, type)
  return { set: withoutResetFields(union(added, modified), options), removed: withoutResetFields(removed, options) }
}

// ---- fields that have no owner ----

const path = (...names: string[]): FieldSet =>
  names.reduceRight<FieldSet>((below, name) => fieldSet(false, new Map([[`f:${name}`, below]])), leafField)

/** What the server alone writes, or what names the object. */
const unmanaged: FieldSet = [
  path('apiVersion'),
  path('kind'),
  path('metadata'),
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => path('metadata', name)),
].reduce(union)

/** Top-level fields that a request cannot change are not tracked for it either. */
function isReset(name: string, { subresource, hasStatus = true }: WriteOptions): boolean {
  if (subresource === 'status') return name !== 'status' && name !== 'metadata'
  return name === 'status' && hasStatus && (nonEmpty(subresource) === undefined || subresource === 'finalize')
}

function withoutResetFields(set: FieldSet, options: WriteOptions): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [element, child] of set.children) {
    if (!isReset(element.slice(2), options)) children.set(element, child)
  }
  return children.size === set.children.size ? set : fieldSet(set.member, children)
}

function withoutReset(object: Resource, options: WriteOptions): Resource {
  const left = Object.entries(object).filter(
    ([name]) => name === 'apiVersion' || name === 'kind' || !isReset(name, options),
  )
  return Object.fromEntries(left) as unknown as Resource
}

// ---- objects ----

function withoutManagedFields(object: Resource): Resource {
  if (object.metadata.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

function withManagedFields(object: Resource, managedFields: ManagedFieldsEntry[]): Resource {
  if (managedFields.length === 0) return object
  return { ...object, metadata: { ...object.metadata, managedFields } }
}

function emptyObject({ apiVersion, kind }: Resource): Resource {
  return { apiVersion, kind } as Resource
}
