import { isFault } from '#base/fault.ts'
import { factsOf } from '#base/log.ts'
import { expired, statusOf } from '#machinery/status.ts'
import type { Change } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { headersOf, includedInRows } from './encode.ts'
import { listOptions } from './list-options.ts'
import { negotiate } from './negotiate.ts'
import { revisionOf } from './read.ts'
import { createFeed } from './watch-feed.ts'

const bookmarkEveryMs = 60_000
/** A watch ends by itself after at least this, at most twice as long, unless the client says when. */
const minTimeoutMs = 30 * 60_000
/** Forms that events can be written in beside those of objects. */
const streamed = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']
/** A client that lets this many events pile up is cut off; it can watch again from where it was. */
const maxQueuedEvents = 20_000

/**
 * Streams events until the client leaves, time is up or the server closes. What is there is read and the subscription
 * made in one turn, so there is no gap between them and nothing twice.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export function watch(context: Context, call: Call): Response {
  const { store } = context
  const { target } = call
  const { resource } = target.served
  const representation = negotiate(call.request.headers.get('accept'), { forms: ['table', 'partial'], streamed })
  if (representation.form === 'table') includedInRows(call) // once events are told, nobody could be refused
  const options = listOptions(call.query, target.served, true, target.name)
  const { wants, bookmarks, sendInitialEvents } = options
  const from = revisionOf(options.resourceVersion)
  const timeoutMs = timeoutOf(options.timeoutSeconds)
  let stop = (): void => {}

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const feed = createFeed(controller, context, call, { wants, representation })
      /** What happens while the client is still being told what was there. */
      let held: Change[] | undefined
      const ends = [
        store.subscribe(resource, (changes) => guarded(() => tell(changes))),
        onAbort(call.request.signal, () => stop()),
        onAbort(context.closing, () => stop()),
        onAbort(target.served.ended, () => stop()),
        after(context, timeoutMs, () => stop()),
        ...(bookmarks ? [every(context, bookmarkEveryMs, () => guarded(bookmark))] : []),
      ]
      stop = () => {
        stop = () => {}
        for (const end of ends) end()
        feed.end()
      }
      let alreadyThere = 0
      if (sendInitialEvents ?? from === 0) tellAll().catch(broken)
      else if (from > 0) guarded(tellSince)
      if (call.request.signal.aborted || context.closing.aborted) stop()

      /** A defect in what is told costs this watch, and neither the writer whose change it is nor the others. */
      function guarded(run: () => void): void {
        try {
          run()
        } catch (error) {
          broken(error)
        }
      }

      function broken(error: unknown): void {
        context.log.error('watch broken', { resource, ...factsOf(error) })
        stop()
      }

      function tell(changes: readonly Change[]): void {
        const later = changes.filter((change) => change.entry.revision > from)
        if (held === undefined) feed.changes(later)
        else held.push(...later)
        if (feed.queued() > maxQueuedEvents + alreadyThere) stop()
      }

      async function tellAll(): Promise<void> {
        const { revision } = store
        const entries = store.list({ resource, namespace: target.namespace || undefined })
        alreadyThere = entries.length
        held = []
        await feed.all(entries)
        if (sendInitialEvents === true && bookmarks) feed.bookmark(revision, { 'k8s.io/initial-events-end': 'true' })
        feed.changes(held)
        held = undefined
      }

      function tellSince(): void {
        try {
          feed.changes(store.changes(resource, from))
        } catch (error) {
          if (!isFault(error) || error.code !== 'Compacted') throw error
          feed.error(statusOf(expired(`too old resource version: ${from} (${store.compacted})`)))
          stop()
        }
      }

      function bookmark(): void {
        if (held === undefined) feed.bookmark(store.revision)
      }
    },
    cancel() {
      stop()
    },
  })
  return new Response(body, { headers: headersOf(false, call.warnings) })
}

function timeoutOf(seconds: number): number {
  return seconds === 0 ? minTimeoutMs * (1 + Math.random()) : Math.min(seconds * 1000, 2 ** 31 - 1)
}

function onAbort(signal: AbortSignal | undefined, run: () => void): () => void {
  signal?.addEventListener('abort', run, { once: true })
  return () => signal?.removeEventListener('abort', run)
}

function after({ clock }: Context, delayMs: number, run: () => void): () => void {
  const timer = clock.after(delayMs, run)
  return () => timer.cancel()
}

function every(context: Context, periodMs: number, run: () => void): () => void {
  let cancel = (): void => {}
  const next = (): void => {
    cancel = after(context, periodMs, () => {
      run()
      next()
    })
  }
  next()
  return () => cancel()
}
