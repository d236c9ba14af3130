import { type Clock, sleep } from '#base/clock.ts'
import { Fault, isFault, messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { type Kind, keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { faultOfStatus, type Status } from '#machinery/status.ts'
import type { WatchEvent } from '#machinery/watch-event.ts'
import type { Client, ListQuery, WatchQuery } from './client.ts'
import { isExpired, isNotServed } from './create-client.ts'

/**
 * `restart` opens a list that replaces all that was known; its objects follow as `listed`, then `synced`.
 * After that changes come one by one, until another `restart`. A list that fails half way is started again.
 * `absent` says that the server does not have the kind: there are no objects, until another `restart`.
 */
export type WatcherEvent<T> =
  | { readonly type: 'restart' }
  | { readonly type: 'listed' | 'applied' | 'deleted'; readonly object: T }
  | { readonly type: 'synced' | 'absent' }

export interface WatcherOptions<T extends Resource> {
  readonly client: Client
  readonly kind: Kind<T>
  readonly scope?: Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector'>
  readonly clock: Clock
  readonly log: Log
  /** From 0 to below 1; spreads retries and reconnects of many clients. */
  readonly random: () => number
  /** What is known of the server; shared by all watchers of it, and changed by them. */
  readonly server: ServerAbilities
}

export interface ServerAbilities {
  /** It can stream a list as the beginning of a watch. Assumed until it refuses. */
  watchLists: boolean
}

const firstDelayMs = 500
const longestDelayMs = 30_000
/** A kind that is not there is looked for this often; at first sooner, for it may be a server that is starting. */
const absentDelayMs = 10_000
/** A server ends a watch after the seconds we asked for; this much later the connection counts as dead. */
const graceMs = 30_000
/** A watch that ends sooner without a word is a failure: without a pause we would spin. */
const shortestWatchMs = 1_000
/** A streamed list that pauses for longer will never end: who answers does not know what was asked for. */
const silentListMs = 30_000

/** Ends a streamed list: https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists */
const listEnd = 'k8s.io/initial-events-end'

/**
 * Lists a kind, then follows it for ever: nothing ends it but its signal.
 *
 *     list ──synced──► watch ──end, reset, error──► (pause) ──► watch from the last version seen
 *       ▲                │ 410, as answer or as event
 *       └──── (pause) ◄──┘
 *
 * The list is streamed as the beginning of the watch where the server can do that, which spares it the whole list in
 * memory; else it comes in pages. Bookmarks move the version on while nothing changes, so that a resumed watch rarely
 * finds it compacted. The pause doubles with every failure in a row, and ends with the first event of a watch.
 */
export async function* watcher<T extends Resource>(
  options: WatcherOptions<T>,
  signal: AbortSignal,
): AsyncGenerator<WatcherEvent<T>, void, void> {
  const { client, kind, scope = {}, clock, log, random, server } = options
  /** Where to go on from; undefined: list first. */
  let version: string | undefined
  let failures = 0
  /** How often in a row the server did not have the kind. */
  let absences = 0
  /** A streamed list came to nothing: the next one comes in pages. */
  let inPages = false
  const streams = (): boolean => server.watchLists && !inPages

  async function* pages(): AsyncGenerator<WatcherEvent<T>, void, void> {
    yield { type: 'restart' }
    const { items, metadata } = await client.list(kind, scope, { signal })
    for (const object of items) yield { type: 'listed', object }
    yield synced(metadata)
  }

  /** What changes before the list is whole is part of it. */
  async function* stream(): AsyncGenerator<WatcherEvent<T>, void, void> {
    yield { type: 'restart' }
    using silence = deadline(clock, silentListMs, unfinished('nothing more came'))
    const listed = new Map<string, T>()
    let isOpen = true
    for await (const event of events(initialEvents, silence.signal)) {
      const { type, object } = event
      if (!isOpen) {
        yield* change(event)
        continue
      }
      silence.putOff()
      if (type === 'DELETED') listed.delete(keyOf(placeOf(object)))
      else if (type !== 'BOOKMARK') listed.set(keyOf(placeOf(object)), object)
      else if (object.metadata.annotations?.[listEnd] === 'true') {
        silence.cancel()
        isOpen = false
        for (const each of listed.values()) yield { type: 'listed', object: each }
        listed.clear()
        yield synced(object.metadata)
      }
    }
    if (isOpen) throw unfinished('it ended')
  }

  async function* watch(resourceVersion: string): AsyncGenerator<WatcherEvent<T>, void, void> {
    for await (const event of events({ resourceVersion })) yield* change(event)
  }

  function synced({ resourceVersion = '' }: { readonly resourceVersion?: string }): WatcherEvent<T> {
    version = resourceVersion
    if (absences > 0) failures = 0
    absences = 0
    inPages = false
    return { type: 'synced' }
  }

  function* change({ type, object }: WatchEvent<T>): Generator<WatcherEvent<T>, void, void> {
    version = object.metadata.resourceVersion ?? version
    if (type === 'ADDED' || type === 'MODIFIED') yield { type: 'applied', object }
    else if (type === 'DELETED') yield { type: 'deleted', object }
  }

  /** Of one watch request. */
  async function* events(
    from: WatchQuery,
    ...until: readonly AbortSignal[]
  ): AsyncGenerator<WatchEvent<T>, void, void> {
    const timeoutSeconds = 300 + Math.floor(random() * 301)
    const startedMs = clock.now()
    const dead = new AbortController()
    const timer = clock.after(timeoutSeconds * 1000 + graceMs, () => dead.abort())
    let count = 0
    try {
      const query = { ...scope, ...from, timeoutSeconds, allowWatchBookmarks: true }
      for await (const event of client.watch(kind, query, AbortSignal.any([signal, dead.signal, ...until]))) {
        if (event.type === 'ERROR') throw faultOfStatus(event.object as unknown as Status)
        count++
        failures = 0
        yield event
      }
    } catch (error) {
      if (!dead.signal.aborted) throw error
    } finally {
      timer.cancel()
    }
    if (count > 0 || clock.now() - startedMs >= shortestWatchMs) failures = 0
    else failures++
  }

  /** Whether a list that could not be streamed is to be had in pages. */
  function turnsToPages(error: unknown): boolean {
    if (!streams()) return false
    if (isFault(error, 'invalid')) server.watchLists = false
    if (isFault(error) && error.code === 'ListUnfinished') inPages = true
    return !streams()
  }

  while (!signal.aborted) {
    const from = version
    let retryAfterMs = 0
    try {
      if (from !== undefined) yield* watch(from)
      else if (streams()) yield* stream()
      else {
        yield* pages()
        continue
      }
      if (failures === 0) continue
    } catch (error) {
      if (signal.aborted) return
      failures++
      absences = isNotServed(error) ? absences + 1 : 0
      if (isExpired(error) || isNotServed(error)) version = undefined
      // The ordinary end of a long silence: no pause.
      if (isExpired(error) && from !== undefined && failures === 1) continue
      if (from === undefined && turnsToPages(error)) continue
      if (absences === 2) yield { type: 'absent' }
      if (isFault(error)) retryAfterMs = error.retryAfterMs ?? 0
      const code = isFault(error) ? error.code : 'Bug'
      if (absences < 2) log.warn('watch interrupted', { kind: kind.kind, failures, code, error: messageOf(error) })
    }
    const growingMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 10))
    const delayMs = (absences < 2 ? growingMs : absentDelayMs) * (0.5 + random() / 2)
    try {
      await sleep(clock, Math.max(delayMs, retryAfterMs), signal)
    } catch {
      return // sleep rejects only because the signal was aborted
    }
  }
}

const initialEvents = { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } as const

function unfinished(why: string): Fault {
  return new Fault('unavailable', 'ListUnfinished', `the streamed list has no end: ${why}`)
}

/** A signal that aborts when it was not put off for so long. */
function deadline(clock: Clock, ms: number, reason: Fault) {
  const late = new AbortController()
  const start = () => clock.after(ms, () => late.abort(reason))
  let timer = start()
  const cancel = () => timer.cancel()
  return {
    signal: late.signal,
    cancel,
    putOff(): void {
      cancel()
      timer = start()
    },
    [Symbol.dispose]: cancel,
  }
}
