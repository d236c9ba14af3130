import { isFault } from '#base/fault.ts'
import { expired, invalid, statusOf } from '#machinery/status.ts'
import type { Change, Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { encodeWatched, representationOf } from './encode.ts'
import type { Representation } from './negotiate.ts'
import { revisionOf } from './read.ts'
import { type Selection, selection } from './select.ts'
import type { ServedKind } from './served-kind.ts'
import { servedText } from './stored-object.ts'

const bookmarkEveryMs = 60_000
/** A watch ends by itself after at least this, at most twice as long, unless the client says when. */
const minTimeoutMs = 30 * 60_000
/** A client that lets this many events pile up is cut off; it can watch again from where it was. */
const maxQueuedEvents = 20_000

const encoder = new TextEncoder()

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/**
 * Streams events until the client leaves, time is up or the server closes. The backlog is read and the subscription
 * made in one turn, so there is no gap between them and nothing twice.
 */
export function watch(context: Context, call: Call): Response {
  const { store } = context
  const { query, target } = call
  const wants = selection(query, target.served, target.name)
  const representation = representationOf(call)
  const initial = query.get('sendInitialEvents')
  checkOptions(query, initial)
  const from = revisionOf(query.get('resourceVersion'))
  const timeoutMs = timeoutOf(query.get('timeoutSeconds'))
  const bookmarks = query.get('allowWatchBookmarks') === 'true'
  let stop = (): void => {}

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const feed = createFeed(controller, context, call, { wants, representation })
      const ends = [
        store.subscribe(target.served.resource, (changes) => {
          feed.changes(changes.filter((change) => change.entry.revision > from))
          if (feed.queued() > maxQueuedEvents) stop()
        }),
        onAbort(call.request.signal, () => stop()),
        onAbort(context.closing, () => stop()),
        onAbort(target.served.ended, () => stop()),
        after(context, timeoutMs, () => stop()),
        ...(bookmarks ? [every(context, bookmarkEveryMs, () => feed.bookmark(false))] : []),
      ]
      stop = () => {
        stop = () => {}
        for (const end of ends) end()
        feed.end()
      }
      const everything = initial === 'true' || (initial === null && from === 0)
      if (everything) {
        feed.all(store.list({ resource: target.served.resource, namespace: target.namespace || undefined }))
        if (initial === 'true' && bookmarks) feed.bookmark(true)
      } else if (from > 0) {
        if (!backlog(from)) return stop()
      }
      if (call.request.signal.aborted || context.closing.aborted) stop()

      function backlog(revision: number): boolean {
        try {
          feed.changes(store.changes(target.served.resource, revision))
          return true
        } catch (error) {
          if (!isFault(error) || error.code !== 'Compacted') throw error
          feed.error(statusOf(expired(`too old resource version: ${revision} (${store.compacted})`)))
          return false
        }
      }
    },
    cancel() {
      stop()
    },
  })
  return new Response(body, { headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' } })
}

function checkOptions(query: URLSearchParams, initial: string | null): void {
  const match = query.get('resourceVersionMatch') ?? ''
  const refuse = (field: string, detail: string): never => {
    throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [{ field, type: 'FieldValueForbidden', detail }])
  }
  if (initial === null && match !== '') {
    refuse('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  }
  if (initial !== null && match !== 'NotOlderThan') {
    refuse('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
}

function timeoutOf(text: string | null): number {
  const seconds = Number(text ?? 0)
  if (!Number.isFinite(seconds) || seconds <= 0) return minTimeoutMs * (1 + Math.random())
  return Math.min(seconds * 1000, 2 ** 31 - 1)
}

interface Feed {
  all(entries: readonly Entry[]): void
  changes(changes: readonly Change[]): void
  bookmark(endOfInitial: boolean): void
  error(status: unknown): void
  queued(): number
  end(): void
}

interface FeedOptions {
  readonly wants: Selection | undefined
  readonly representation: Representation
}

/** Turns changes into what one client wants to see of them, as lines of JSON. */
function createFeed(
  controller: ReadableStreamDefaultController<Uint8Array>,
  { store, clock }: Context,
  call: Call,
  { wants, representation }: FeedOptions,
): Feed {
  const { served, namespace } = call.target
  const inPlace = (entry: Entry): boolean => namespace === '' || entry.namespace === namespace
  const chosen = (entry: Entry): boolean => wants === undefined || wants(entry)
  const send = (type: EventType, entry: Entry): void => {
    if (representation === 'object') return controller.enqueue(eventLine(type, entry, served))
    const text = encodeWatched(call, representation, entry, clock)
    controller.enqueue(encoder.encode(`{"type":"${type}","object":${text}}\n`))
  }
  const sendChange = ({ entry, previous, deleted }: Change): void => {
    const was = previous !== undefined && chosen(previous)
    if (deleted) {
      if (was) send('DELETED', entry)
    } else if (chosen(entry)) send(was ? 'MODIFIED' : 'ADDED', entry)
    else if (was) send('DELETED', { ...previous, text: atRevision(previous, entry.revision) })
  }
  return {
    all(entries) {
      for (const entry of entries) if (chosen(entry)) send('ADDED', entry)
    },
    changes(changes) {
      for (const change of changes) if (inPlace(change.entry)) sendChange(change)
    },
    bookmark(endOfInitial) {
      const annotations = endOfInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
      const object = {
        kind: served.kind.kind,
        apiVersion: served.apiVersion,
        metadata: { resourceVersion: String(store.revision), creationTimestamp: null, ...annotations },
      }
      controller.enqueue(encoder.encode(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`))
    },
    error: (status) => controller.enqueue(encoder.encode(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)),
    queued: () => 1 - (controller.desiredSize ?? 0),
    end() {
      try {
        controller.close()
      } catch {
        // The client has already cancelled the stream.
      }
    },
  }
}

/** An object that left a selection is shown as it was, with the version of the change that took it out. */
function atRevision(entry: Entry, revision: number): string {
  const object = JSON.parse(entry.text) as { metadata: object }
  return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
}

/** Lines are made once, however many watch. */
const lines = new WeakMap<Entry, Map<string, Uint8Array>>()

function eventLine(type: EventType, entry: Entry, served: ServedKind): Uint8Array {
  let known = lines.get(entry)
  if (known === undefined) lines.set(entry, (known = new Map()))
  const id = `${type} ${served.apiVersion}`
  let line = known.get(id)
  if (line === undefined) {
    line = encoder.encode(`{"type":"${type}","object":${servedText(entry, served)}}\n`)
    known.set(id, line)
  }
  return line
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
