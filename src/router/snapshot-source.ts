import { Pod } from '#api/core/kinds.ts'
import { kthena } from '#api/dialects.ts'
import { type FamilyKinds, kindsOf } from '#api/family-kinds.ts'
import type { Clock, Timer } from '#base/clock.ts'
import { messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import type { Informers } from '#kube/informer.ts'
import { podAddress } from '#kube/pod-address.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { buildIndex } from '#routing/build-index.ts'
import { emptySnapshot, type RoutingSnapshot } from '#routing/snapshot.ts'

/** The routing state of a cluster, followed. */
export interface SnapshotSource {
  current(): RoutingSnapshot
  /** All caches were filled once, and `current` shows it. */
  synced(): boolean
  /** Resolves when synced; rejects with the signal's reason if that comes first. */
  whenSynced(): Promise<void>
  stop(): void
}

/** Changes come in bursts (a rollout, a relist); requests meanwhile go by the last snapshot. */
const quietMs = 20
/** Building may take at most a tenth of the time. */
const restFactor = 10

/** Rebuilds the index, off the path of requests, at most once every `quietMs`. */
export function followSnapshots(
  informers: Informers,
  clock: Clock,
  log: Log,
  families: readonly FamilyKinds[] = [kindsOf(kthena)],
): SnapshotSource {
  const routes = families.map(({ route }) => informers.of(route))
  const servers = families.map(({ server }) => informers.of(server))
  const pods = informers.of(Pod)
  const stopping = new AbortController()
  let snapshot = emptySnapshot
  let filled = false
  let timer: Timer | undefined
  let restMs = quietMs

  /** The index is built again and again, from the same objects as long as they do not change. */
  const told = new WeakSet<Resource>()
  function tellOnce(object: Resource, error: unknown): void {
    if (told.has(object)) return
    told.add(object)
    log.warn('object left out', { kind: object.kind, key: keyOf(placeOf(object)), error: messageOf(error) })
  }

  function build(): void {
    timer = undefined
    const startMs = clock.now()
    snapshot = buildIndex({
      routes: routes.flatMap((cache) => cache.list()),
      servers: servers.flatMap((cache) => cache.list()),
      pods: pods.list(),
      addressOf: podAddress,
      onMisshapen: tellOnce,
    })
    restMs = Math.max(quietMs, restFactor * (clock.now() - startMs))
  }
  const changed = (): void => {
    if (filled && !stopping.signal.aborted) timer ??= clock.after(restMs, build)
  }
  const unsubscribe = [...routes, ...servers, pods].map((informer) =>
    informer.subscribe({ upsert: changed, remove: changed }),
  )
  const ready = Promise.all([...routes, ...servers, pods].map((informer) => informer.synced(stopping.signal))).then(
    () => {
      filled = true
      build()
    },
  )
  ready.catch(() => {}) // told to who waits; a stop before the end is no failure
  return {
    current: () => snapshot,
    synced: () => filled,
    whenSynced: () => ready,
    stop() {
      stopping.abort()
      timer?.cancel()
      for (const end of unsubscribe) end()
    },
  }
}
