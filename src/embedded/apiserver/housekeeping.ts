import { isFault, messageOf } from '#base/fault.ts'
import type { AnyResource } from '#machinery/meta.ts'
import type { Change, Entry } from '#embedded/store/store.ts'
import type { Context } from './context.ts'
import { customResourceCleanup, definitionsResource } from './custom-kinds.ts'
import { removeAll } from './delete.ts'
import type { ServedKind } from './served-kind.ts'
import { servedObject, storedText } from './stored-object.ts'

const eventLifeMs = 60 * 60_000
const eventSweepMs = 5 * 60_000

/** What the server does by itself: forgets old events, and clears away the objects of a custom kind being deleted. */
export function startHousekeeping(context: Context): { stop(): void } {
  const { store, clock, log } = context
  let stopped = false
  let timer = clock.after(eventSweepMs, sweep)
  const following = new Map<string, () => void>()

  function sweep(): void {
    const oldest = clock.now() - eventLifeMs
    for (const entry of store.list({ resource: 'events' })) {
      if (lastSeenMs(entry) < oldest && store.latest(entry) === entry) forget(entry)
    }
    timer = clock.after(eventSweepMs, sweep)
  }

  function forget(entry: Entry): void {
    const served = context.kinds.find('', 'v1', 'events')
    if (served !== undefined) run(store.delete(entry, (at) => storedText(servedObject(entry, served), served, at)))
  }

  function run(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!stopped && !isFault(error, 'conflict')) log.warn('housekeeping failed', { error: messageOf(error) })
    })
  }

  /** A definition being deleted: its objects go first, then the hold on it. */
  function clear(entry: Entry): void {
    const definition = JSON.parse(entry.text) as AnyResource
    const finalizers = definition.metadata.finalizers ?? []
    if (definition.metadata.deletionTimestamp === undefined || !finalizers.includes(customResourceCleanup)) return
    const resource = entry.name
    if (!following.has(resource)) {
      following.set(
        resource,
        store.subscribe(resource, () => queueMicrotask(() => finish(entry))),
      )
    }
    const served = context.kinds.all().find((kind) => kind.resource === resource)
    const objects = store.list({ resource })
    if (objects.length === 0 || served === undefined) return finish(entry)
    run(deleteAll(served, objects))
  }

  async function deleteAll(served: ServedKind, objects: readonly Entry[]): Promise<void> {
    const target = { served, verb: 'deletecollection', namespace: '', name: '', subresource: '', rest: '' } as const
    await removeAll(context, { target }, objects, {
      dryRun: false,
      propagation: undefined,
      gracePeriodSeconds: undefined,
      uid: undefined,
      resourceVersion: undefined,
    })
  }

  function finish({ name }: Entry): void {
    if (stopped || store.holds(name)) return
    const key = { resource: definitionsResource, namespace: '', name }
    const latest = store.latest(key)
    const served = context.kinds.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
    if (latest === undefined || served === undefined) return
    following.get(name)?.()
    following.delete(name)
    const definition = servedObject(latest, served)
    const finalizers = (definition.metadata.finalizers ?? []).filter((held) => held !== customResourceCleanup)
    const next = { ...definition, metadata: { ...definition.metadata, finalizers } }
    const render = (revision: number): string => storedText(next, served, revision)
    run(finalizers.length === 0 ? store.delete(key, render) : store.put(key, render))
  }

  const unsubscribe = store.subscribe(definitionsResource, (changes: readonly Change[]) => {
    for (const { entry, deleted } of changes) if (!deleted) queueMicrotask(() => clear(entry))
  })
  for (const entry of store.list({ resource: definitionsResource })) clear(entry)
  return {
    stop() {
      stopped = true
      timer.cancel()
      unsubscribe()
      for (const end of following.values()) end()
    },
  }
}

function lastSeenMs(entry: Entry): number {
  const event = JSON.parse(entry.text) as Record<string, unknown> & AnyResource
  const times = [event['lastTimestamp'], event['eventTime'], event.metadata.creationTimestamp].map((time) =>
    Date.parse(String(time)),
  )
  return Math.max(...times.filter((time) => !Number.isNaN(time)), 0)
}
