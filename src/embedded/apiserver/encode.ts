import type { Clock } from '#base/clock.ts'
import type { AnyResource, ListMeta } from '#machinery/meta.ts'
import type { Status } from '#machinery/status.ts'
import { badRequest } from '#machinery/status.ts'
import { type TableOptions, tableOf } from '#machinery/table.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call } from './context.ts'
import { notAcceptable } from './failures.ts'
import { negotiate, type Representation } from './negotiate.ts'
import { computedColumns } from './pod-columns.ts'
import type { ServedKind } from './served-kind.ts'
import { servedObject, servedText } from './stored-object.ts'

const jsonHeaders = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' }

/** Lists beyond this are streamed in pieces, a turn of the event loop each. */
const pieceBytes = 256 * 1024
const pieceMs = 8

/** An object in the two forms that an answer may need; each is made only if it is. */
export interface Answer {
  readonly text: () => string
  readonly object: () => AnyResource
}

/** Of an object, or of a Status, which has the same head. */
export function answerOf(object: AnyResource | Status): Answer {
  return { text: () => JSON.stringify(object), object: () => object as AnyResource }
}

export function answerOfEntry(entry: Entry, served: ServedKind): Answer {
  return { text: () => servedText(entry, served), object: () => servedObject(entry, served) }
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { ...jsonHeaders, ...headers } })
}

export function encodeStatus(status: Status): Response {
  const seconds = status.details?.retryAfterSeconds
  const headers: Record<string, string> = seconds === undefined ? {} : { 'retry-after': String(seconds) }
  if (status.code === 401) headers['www-authenticate'] = 'Bearer'
  return json(status, status.code ?? 200, headers)
}

/** Faults: 406. */
export function representationOf(call: Pick<Call, 'request'>): Representation {
  const wanted = negotiate(call.request.headers.get('accept'), ['table', 'partial'])
  if (wanted === undefined) throw notAcceptable()
  return wanted
}

export function encodeObject(call: Call, answer: Answer, clock: Clock, status = 200): Response {
  const representation = representationOf(call)
  const headers = new Headers(jsonHeaders)
  for (const warning of call.warnings) headers.append('warning', `299 - ${quoted(warning)}`)
  return new Response(transform(call, representation, answer, clock), { status, headers })
}

/** What a `Warning` header may hold: no control characters, no more than a line. */
function quoted(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?').slice(0, 512)
  return `"${plain.replace(/["\\]/g, '\\$&')}"`
}

function transform(call: Call, representation: Representation, answer: Answer, clock: Clock): string {
  const { served } = call.target
  if (representation === 'table') {
    const object = answer.object()
    const { resourceVersion } = object.metadata
    const metadata = resourceVersion === undefined ? {} : { resourceVersion }
    return JSON.stringify(tableOf(served.kind, [object], tableOptions(call, served, clock, metadata)))
  }
  return representation === 'partial' ? JSON.stringify(partial(answer.object())) : answer.text()
}

/** One object inside a watch event. */
export function encodeWatched(call: Call, representation: Representation, entry: Entry, clock: Clock): string {
  return transform(call, representation, answerOfEntry(entry, call.target.served), clock)
}

function tableOptions(call: Call, served: ServedKind, clock: Clock, metadata: ListMeta): TableOptions {
  const includeObject = call.query.get('includeObject') ?? ''
  if (!['', 'None', 'Metadata', 'Object'].includes(includeObject)) {
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(includeObject)}`)
  }
  const computed = computedColumns(served)
  return {
    includeObject: includeObject === '' ? 'Metadata' : (includeObject as TableOptions['includeObject']),
    nowMs: clock.now(),
    metadata,
    ...(computed === undefined ? {} : { computed }),
  }
}

function partial({ metadata }: AnyResource) {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

export function encodeList(call: Call, entries: readonly Entry[], metadata: ListMeta, clock: Clock): Response {
  const { served } = call.target
  const representation = representationOf(call)
  if (representation === 'table') {
    const options = tableOptions(call, served, clock, metadata)
    const { rows: _, ...head } = tableOf(served.kind, [], options)
    const row = (entry: Entry) => JSON.stringify(tableOf(served.kind, [servedObject(entry, served)], options).rows[0])
    return stream(`${JSON.stringify(head).slice(0, -1)},"rows":[`, entries, row)
  }
  if (representation === 'partial') {
    const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata }
    const item = (entry: Entry) => JSON.stringify(partial(servedObject(entry, served)))
    return stream(`${JSON.stringify(head).slice(0, -1)},"items":[`, entries, item)
  }
  const head = { kind: served.kind.listKind, apiVersion: served.apiVersion, metadata }
  return stream(`${JSON.stringify(head).slice(0, -1)},"items":[`, entries, (entry) => servedText(entry, served))
}

/** `head`, the texts joined by commas, `]}`: at once when short, else piece by piece as the client takes them. */
function stream(head: string, entries: readonly Entry[], textOf: (entry: Entry) => string): Response {
  let next = 0
  let size = 0
  const piece = (): string => {
    const texts: string[] = []
    const endsMs = performance.now() + pieceMs
    for (size = 0; next < entries.length && size < pieceBytes; next++) {
      if (next % 16 === 15 && performance.now() > endsMs) break
      const text = textOf(entries[next] as Entry) // below its length
      texts.push(next === 0 ? text : `,${text}`)
      size += text.length
    }
    return texts.join('')
  }
  const first = head + piece()
  if (next === entries.length) return new Response(`${first}]}`, { headers: jsonHeaders })
  const encoder = new TextEncoder()
  let waiting: string | undefined = first
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve))
      const text = waiting ?? piece()
      waiting = undefined
      const done = next === entries.length
      controller.enqueue(encoder.encode(done ? `${text}]}` : text))
      if (done) controller.close()
    },
  })
  return new Response(body, { headers: jsonHeaders })
}
