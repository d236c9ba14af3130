import { Fault, isFault } from '#base/fault.ts'
import { equalJson } from '#base/json.ts'
import { groupOf } from '#controller/owned.ts'
import { createRunner, type Runner } from '#controller/runner.ts'
import { type Kind, keyOf, type Ref } from '#machinery/kind.ts'
import type { ObjectMeta, OwnerReference, Resource } from '#machinery/meta.ts'
import { idOf, type KindSet } from './kind-set.ts'
import type { BuiltinRuntime } from './builtin-runtime.ts'

const foreground = 'foregroundDeletion'
const orphan = 'orphan'
const byOwner = 'ownerUid'
/** Uids of owners known to be gone. No uid comes back, so this saves only requests. */
const mostGone = 10_000

interface Node {
  readonly kind: Kind
  readonly object: Resource
}

/**
 * Deletes what no owner is left for, by the uids in ownerReferences, across all kinds. Works from metadata alone.
 *
 * - background: the owner goes at once, then its dependents
 * - foreground: the owner waits, with a finalizer, for the dependents that block it
 * - orphan: the owner waits until its dependents have forgotten it
 *
 * The caches only raise a suspicion: before anything is deleted the owner's absence is asked of the server.
 * A dependent of several owners loses the references to those that are gone and lives on.
 * @see https://kubernetes.io/docs/concepts/architecture/garbage-collection/
 */
export function startGarbageCollector({ client, informers, clock, log }: BuiltinRuntime, kinds: KindSet): Runner {
  const runner = createRunner({
    clock,
    log: log.with({ controller: 'garbage-collector' }),
    workers: 8,
    run: ({ key, signal }) => collect(key, signal),
  })
  const gone = new Set<string>()

  kinds.subscribe((kind) => {
    const informer = informers.of(kind)
    informer.index(byOwner, ({ metadata }) => (metadata.ownerReferences ?? []).map(({ uid }) => uid))
    informer.subscribe({
      upsert(object, old) {
        if (old !== undefined && !matters(object.metadata, old.metadata)) return
        if (object.metadata.ownerReferences !== undefined || isWaiting(object.metadata)) enqueue({ kind, object })
      },
      remove(object) {
        // A kind that is not listed yet may hold more: its objects are looked at as they come.
        for (const dependent of cachedDependentsOf(object)) enqueue(dependent)
        for (const owner of object.metadata.ownerReferences ?? []) {
          const ref = refOf(owner, object)
          if (ref !== undefined) runner.add(`${idOf(ref.kind)} ${keyOf(ref)}`, { reason: 'dependent gone' })
        }
      },
    })
  })

  function enqueue({ kind, object: { metadata } }: Node): void {
    runner.add(`${idOf(kind)} ${keyOf({ namespace: metadata.namespace, name: metadata.name ?? '' })}`, {
      reason: 'changed',
    })
  }

  async function collect(key: string, signal: AbortSignal): Promise<void> {
    const [id = '', place = ''] = key.split(' ')
    const kind = kinds.byId(id)
    const [namespace, name] = place.includes('/') ? place.split('/') : [undefined, place]
    const object = kind === undefined ? undefined : informers.of(kind).get({ namespace, name: name ?? '' })
    if (kind === undefined || object === undefined) return
    const node = { kind, object }
    if (!isWaiting(object.metadata)) return judge(node, signal)
    if (object.metadata.finalizers?.includes(orphan)) await release(node, signal)
    else await waitForDependents(node, signal)
  }

  /** An ordinary object: is there an owner for whom it should live? */
  async function judge(node: Node, signal: AbortSignal): Promise<void> {
    const { kind, object } = node
    const owners = object.metadata.ownerReferences ?? []
    if (owners.length === 0 || object.metadata.deletionTimestamp !== undefined) return
    const verdicts = await Promise.all(
      owners.map(async (owner) => ({ owner, is: await stateOf(owner, object, signal) })),
    )
    const living = verdicts.filter(({ is }) => is === 'living').map(({ owner }) => owner)
    if (living.length === owners.length) return
    if (living.length > 0) return patch(node, { ownerReferences: living }, signal)
    const isAwaited = verdicts.some(({ is }) => is === 'waiting')
    const propagationPolicy = isAwaited && dependentsOf(object).length > 0 ? 'Foreground' : 'Background'
    const { name = '', namespace, uid } = object.metadata
    await ignoring(
      ['missing', 'conflict'],
      client.delete(
        kind,
        { namespace, name },
        {
          ...(uid === undefined ? {} : { uid }),
          // What its own finalizers ask for stays as it is.
          ...(object.metadata.finalizers?.includes(orphan) ? {} : { propagationPolicy }),
          signal,
        },
      ),
    )
  }

  async function stateOf(
    owner: OwnerReference,
    of: Resource,
    signal: AbortSignal,
  ): Promise<'living' | 'waiting' | 'gone'> {
    if (gone.has(owner.uid)) return 'gone'
    const ref = refOf(owner, of)
    // Of a kind that nobody serves, it is perhaps yet to be installed. Whoever is not sure does not delete.
    if (ref === undefined) return 'living'
    const cached = informers.of(ref.kind).get(ref)
    const found =
      cached?.metadata.uid === owner.uid ? cached : await ignoring(['missing'], client.get(ref.kind, ref, { signal }))
    if (found?.metadata.uid === owner.uid) return isWaitingForDependents(found.metadata) ? 'waiting' : 'living'
    gone.add(owner.uid)
    if (gone.size > mostGone) gone.delete(gone.values().next().value ?? '')
    return 'gone'
  }

  /** Being deleted in the foreground: goes once no dependent holds it any more. */
  async function waitForDependents(node: Node, signal: AbortSignal): Promise<void> {
    const { uid } = node.object.metadata
    const dependents = dependentsOf(node.object)
    const blocks = ({ object }: Node) =>
      object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true)
    if (!dependents.some(blocks)) return dropFinalizer(node, foreground, signal)
    for (const dependent of dependents) enqueue(dependent)
  }

  /** Being deleted with its dependents orphaned: they forget it, then it goes. */
  async function release(node: Node, signal: AbortSignal): Promise<void> {
    const { uid } = node.object.metadata
    for (const dependent of dependentsOf(node.object)) {
      const others = dependent.object.metadata.ownerReferences?.filter((owner) => owner.uid !== uid) ?? []
      await patch(dependent, { ownerReferences: others }, signal)
    }
    await dropFinalizer(node, orphan, signal)
  }

  function dropFinalizer(node: Node, finalizer: string, signal: AbortSignal): Promise<void> {
    const finalizers = node.object.metadata.finalizers?.filter((name) => name !== finalizer) ?? []
    return patch(node, { finalizers }, signal)
  }

  /** The version guards against undoing what somebody has just written; a conflict is tried again, freshly read. */
  async function patch({ kind, object }: Node, change: Partial<ObjectMeta>, signal: AbortSignal): Promise<void> {
    const { name = '', namespace, uid, resourceVersion } = object.metadata
    const metadata = { uid, resourceVersion, ...change }
    await ignoring(
      ['missing'],
      client.patch(kind, { namespace, name }, { type: 'merge', patch: { metadata } }, { signal }),
    )
  }

  /** An owner is in its dependent's namespace: for a dependent without one, no owner in a namespace can be found. */
  function refOf(owner: OwnerReference, of: Resource): Ref | undefined {
    const kind = kinds.find(groupOf(owner.apiVersion), owner.kind)
    const { namespace } = of.metadata
    if (kind === undefined || (kind.namespaced && namespace === undefined)) return undefined
    return { kind, namespace: kind.namespaced ? namespace : undefined, name: owner.name }
  }

  /** All of them; throws `unavailable` while some may not have been listed. */
  function dependentsOf(owner: Resource): Node[] {
    const unlisted = kinds.all().find((kind) => !informers.of(kind).hasSynced())
    if (unlisted !== undefined)
      throw new Fault('unavailable', 'CacheNotSynced', `the ${unlisted.plural} are not listed yet`)
    return cachedDependentsOf(owner)
  }

  function cachedDependentsOf({ metadata: { uid = '' } }: Resource): Node[] {
    return kinds.all().flatMap((kind) =>
      informers
        .of(kind)
        .byIndex(byOwner, uid)
        .map((object) => ({ kind, object })),
    )
  }

  return runner
}

/** Held by a finalizer that this controller takes away. */
function isWaiting({ deletionTimestamp, finalizers = [] }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && (finalizers.includes(foreground) || finalizers.includes(orphan))
}

function isWaitingForDependents(metadata: ObjectMeta): boolean {
  return isWaiting(metadata) && metadata.finalizers?.includes(foreground) === true
}

function matters(now: ObjectMeta, old: ObjectMeta): boolean {
  return (
    now.deletionTimestamp !== old.deletionTimestamp ||
    !equalJson(now.ownerReferences, old.ownerReferences) ||
    !equalJson(now.finalizers, old.finalizers)
  )
}

async function ignoring<T>(kinds: readonly Fault['kind'][], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isFault(error) && kinds.includes(error.kind)) return undefined
    throw error
  }
}
