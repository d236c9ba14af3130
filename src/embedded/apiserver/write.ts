import { timestamp } from '#base/clock.ts'
import { equalJson } from '#base/json.ts'
import { trackUpdate } from '#machinery/managed-fields.ts'
import type { AnyResource, ManagedFieldsEntry } from '#machinery/meta.ts'
import { conflict, invalid, notFound, unreasoned } from '#machinery/status.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { acceptDefinition } from './definitions.ts'
import { type Answer, answerOf, answerOfEntry } from './encode.ts'
import { failedUidPrecondition } from './failures.ts'
import { admitUpdate } from './admit.ts'
import { prepareUpdate } from './prepare.ts'
import { emptyObject } from './read-object.ts'
import type { WriteOptions } from './request-options.ts'
import type { ServedKind } from './served-kind.ts'
import { giveBack } from './service-addresses.ts'
import { keyIn, servedObject, storedText } from './stored-object.ts'
import { validateUpdate } from './validate.ts'

/** Gives back what admission took for an object that is not stored after all, or no more; what `kept` has too stays taken. */
export function release(context: Context, served: ServedKind, object: AnyResource, kept?: AnyResource): void {
  if (served.resource === 'services') giveBack(context, object, kept)
}

export function warn(call: Call, object: AnyResource): void {
  for (const { field, detail } of call.target.served.kind.warn?.(object) ?? [])
    call.warnings.push(field === '' ? detail : `${field}: ${detail}`)
}

/** The owners once each, with a warning where there were more. */
export function withoutDuplicateOwners(call: Call, object: AnyResource): AnyResource {
  const owners = object.metadata.ownerReferences ?? []
  if (owners.length < 2) return object
  const first = new Map(owners.toReversed().map((owner) => [owner.uid, owner]))
  const different = owners.filter((owner) => first.get(owner.uid) === owner)
  const twice = new Set(owners.filter((owner) => first.get(owner.uid) !== owner).map(({ uid }) => uid))
  if (twice.size === 0) return object
  call.warnings.push(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...twice].join(', ')}`,
  )
  return { ...object, metadata: { ...object.metadata, ownerReferences: different } }
}

/** With managedFields that tell who set what. */
export function track(
  { target }: Call,
  { live, updated }: { readonly live?: AnyResource; readonly updated: AnyResource },
  manager: string,
  now: string,
): AnyResource {
  const { served, subresource } = target
  return trackUpdate({
    live,
    empty: emptyObject(served),
    updated,
    schema: served.kind.schema(),
    manager,
    ...(subresource === '' ? {} : { subresource }),
    apiVersion: served.apiVersion,
    now,
    hasStatus: served.kind.status,
  }) as AnyResource
}

/** The newest state of the target. Faults: 404. */
export function current({ store }: Context, call: Call): { readonly entry: Entry; readonly object: AnyResource } {
  const { served, namespace, name } = call.target
  const entry = store.latest(keyIn(served, namespace, name))
  if (entry === undefined) throw notFound(served.kind, name)
  return { entry, object: servedObject(entry, served) }
}

export interface Replacement {
  /** What the object shall be; its status, or all but its status, counts as the subresource says. */
  readonly proposed: AnyResource
  /** `managedFields` are already right. */
  readonly applied?: boolean
}

/** Replaces the state of an object that is there: the common end of update and of every patch. */
export async function replace(
  context: Context,
  call: Call,
  before: { readonly entry: Entry; readonly object: AnyResource },
  { proposed: given, applied }: Replacement,
  options: WriteOptions,
): Promise<Answer> {
  const { clock } = context
  const { served, subresource, verb } = call.target
  const { entry, object: old } = before
  const proposed = withoutDuplicateOwners(call, given)
  if (verb === 'update') checkUid(served, old, proposed.metadata.uid)
  const now = timestamp(clock.now())
  const tracked = applied === true ? proposed : track(call, { live: old, updated: proposed }, options.manager, now)
  checkVersion(served, old, tracked.metadata.resourceVersion)
  const admitted = subresource === '' ? admitUpdate(served, tracked, old) : tracked
  const object = withSameTimes(prepareUpdate(context, served, subresource, admitted, old), old)
  // What does not change is not judged anew: the rules may have become stricter since.
  if (equalJson(object, old)) return answerOfEntry(await context.store.committed(entry), served)
  try {
    const next = counted(served, object, old)
    validateUpdate(served, next, old, subresource)
    if (subresource === '') warn(call, next)
    if (!options.dryRun) return await storeNext(context, served, before, next)
    release(context, served, next, old)
    return answerOf(next)
  } catch (error) {
    release(context, served, object, old)
    throw error
  }
}

/** Resolves once it is on disk; an object that nothing holds any more goes. */
async function storeNext(
  context: Context,
  served: ServedKind,
  { entry, object: old }: { readonly entry: Entry; readonly object: AnyResource },
  next: AnyResource,
): Promise<Answer> {
  const { store } = context
  const key = keyIn(served, entry.namespace, entry.name)
  if (!isFinished(next)) {
    const put = store.put(key, (revision) => storedText(next, served, revision))
    const [written] = await Promise.all([put, acceptDefinition(context, served, next)])
    release(context, served, old, next)
    return answerOfEntry(written, served)
  }
  // Who watches is shown it as it last was.
  await store.delete(key, (revision) => storedText(old, served, revision))
  for (const each of [old, next]) release(context, served, each)
  return answerOf(next)
}

/** Faults: 409. */
function checkUid(served: ServedKind, { metadata }: AnyResource, wanted: string | undefined): void {
  if (wanted === undefined || wanted === metadata.uid) return
  throw failedUidPrecondition(served, metadata, wanted)
}

/** Faults: 409; 422 where a replacement must say what it replaces. */
function checkVersion({ kind, versioned }: ServedKind, { metadata }: AnyResource, wanted: string | undefined): void {
  const name = metadata.name ?? ''
  if (wanted !== undefined && wanted !== '' && wanted !== '0') {
    if (!/^\d+$/.test(wanted)) throw unreasoned(`strconv.ParseUint: parsing ${JSON.stringify(wanted)}: invalid syntax`)
    if (wanted !== metadata.resourceVersion) throw conflict(kind, name)
  } else if (versioned) {
    const detail = 'must be specified for an update'
    throw invalid({ group: kind.group, kind: kind.plural }, name, [
      { field: 'metadata.resourceVersion', type: 'FieldValueInvalid', value: 0, detail },
    ])
  }
}

/** With the times of managedFields as they were, where nothing else of these differs. */
function withSameTimes(object: AnyResource, old: AnyResource): AnyResource {
  const { managedFields } = object.metadata
  if (managedFields === undefined || managedFields === old.metadata.managedFields) return object
  const same = equalJson(timeless(managedFields), timeless(old.metadata.managedFields))
  return same
    ? { ...object, metadata: { ...object.metadata, managedFields: old.metadata.managedFields ?? [] } }
    : object
}

function timeless(entries: readonly ManagedFieldsEntry[] = []): unknown {
  const key = ({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string =>
    [operation, manager, apiVersion, subresource].join(' ')
  return entries.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).map(({ time: _, ...entry }) => entry)
}

/** The generation counts changes of what is wanted: anything but metadata and status. */
function counted(served: ServedKind, object: AnyResource, old: AnyResource): AnyResource {
  if (!served.counted) return object
  const wanted = ({ metadata: _, status: __, ...rest }: AnyResource): unknown => rest
  if (equalJson(wanted(object), wanted(old))) return object
  return { ...object, metadata: { ...object.metadata, generation: (old.metadata.generation ?? 0) + 1 } }
}

/** Being deleted, and nothing holds it any more. */
export function isFinished({ metadata, kind, spec }: AnyResource): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false
  if ((metadata.deletionGracePeriodSeconds ?? 0) > 0) return false
  const held = kind === 'Namespace' ? spec?.['finalizers'] : undefined
  return !Array.isArray(held) || held.length === 0
}
