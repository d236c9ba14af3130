import { type Clock, sleep } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { faultOfStatus, type Status } from '#machinery/status.ts'
import type { Client, ListQuery } from './client.ts'
import { isExpired } from './create-client.ts'

/**
 * `restart` opens a list that replaces all that was known; its objects follow as `listed`, then `synced`.
 * After that changes come one by one, until another `restart`. A list that fails half way is started again.
 */
export type WatcherEvent<T> =
  | { readonly type: 'restart' }
  | { readonly type: 'listed' | 'applied' | 'deleted'; readonly object: T }
  | { readonly type: 'synced' }

export interface WatcherOptions<T extends Resource> {
  readonly client: Client
  readonly kind: Kind<T>
  readonly scope?: Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector'>
  readonly clock: Clock
  readonly log: Log
  /** From 0 to below 1; spreads retries and reconnects of many clients. */
  readonly random: () => number
}

const firstDelayMs = 500
const longestDelayMs = 30_000
/** A server ends a watch after the seconds we asked for; this much later the connection counts as dead. */
const graceMs = 30_000
/** A watch that ends sooner without a word is a failure: without a pause we would spin. */
const shortestWatchMs = 1_000

/**
 * Lists a kind, then follows it for ever: nothing ends it but its signal.
 *
 *     list ──synced──► watch ──end, reset, error──► (pause) ──► watch from the last version seen
 *       ▲                │ 410, as answer or as event
 *       └──── (pause) ◄──┘
 *
 * Bookmarks move the version on while nothing changes, so that a resumed watch rarely finds it compacted.
 * The pause doubles with every failure in a row, and ends with the first event of a watch.
 */
export async function* watcher<T extends Resource>(
  options: WatcherOptions<T>,
  signal: AbortSignal,
): AsyncGenerator<WatcherEvent<T>, void, void> {
  const { client, kind, scope = {}, clock, log, random } = options
  /** Where to go on from; undefined: list first. */
  let version: string | undefined
  let failures = 0

  async function* list(): AsyncGenerator<WatcherEvent<T>, void, void> {
    yield { type: 'restart' }
    const { items, metadata } = await client.list(kind, scope, { signal })
    for (const object of items) yield { type: 'listed', object }
    version = metadata.resourceVersion ?? ''
    yield { type: 'synced' }
  }

  async function* watch(resourceVersion: string): AsyncGenerator<WatcherEvent<T>, void, void> {
    const timeoutSeconds = 300 + Math.floor(random() * 301)
    const startedMs = clock.now()
    const dead = new AbortController()
    const timer = clock.after(timeoutSeconds * 1000 + graceMs, () => dead.abort())
    let events = 0
    try {
      const query = { ...scope, resourceVersion, timeoutSeconds, allowWatchBookmarks: true }
      for await (const { type, object } of client.watch(kind, query, AbortSignal.any([signal, dead.signal]))) {
        if (type === 'ERROR') throw faultOfStatus(object as unknown as Status)
        events++
        failures = 0
        version = object.metadata.resourceVersion ?? version
        if (type === 'ADDED' || type === 'MODIFIED') yield { type: 'applied', object }
        else if (type === 'DELETED') yield { type: 'deleted', object }
      }
    } catch (error) {
      if (!dead.signal.aborted) throw error
    } finally {
      timer.cancel()
    }
    if (events > 0 || clock.now() - startedMs >= shortestWatchMs) failures = 0
    else failures++
  }

  while (!signal.aborted) {
    let retryAfterMs = 0
    try {
      if (version === undefined) {
        yield* list()
        continue
      }
      yield* watch(version)
      if (failures === 0) continue
    } catch (error) {
      if (signal.aborted) return
      failures++
      if (isExpired(error)) {
        const expected = version !== undefined && failures === 1 // the ordinary end of a long silence: no pause
        version = undefined
        if (expected) continue
      }
      if (isFault(error)) retryAfterMs = error.retryAfterMs ?? 0
      const code = isFault(error) ? error.code : 'Bug'
      log.warn('watch interrupted', { kind: kind.kind, failures, code, error: messageOf(error) })
    }
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 10)) * (0.5 + random() / 2)
    try {
      await sleep(clock, Math.max(delayMs, retryAfterMs), signal)
    } catch {
      return // sleep rejects only because the signal was aborted
    }
  }
}
