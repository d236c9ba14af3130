import type { Clock } from '#base/clock.ts'
import type { AnyResource, ListMeta } from '#machinery/meta.ts'
import type { Status } from '#machinery/status.ts'
import { badRequest } from '#machinery/status.ts'
import { type Table, type TableOptions, tableOf } from '#machinery/table.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call } from './context.ts'
import { isAList, notAList } from './failures.ts'
import { negotiate, type Representation } from './negotiate.ts'
import { computedColumns } from './columns.ts'
import type { ServedKind } from './served-kind.ts'
import { servedObject, servedText } from './stored-object.ts'
import { yamlText } from './yaml-text.ts'

const jsonHeaders = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' }

const yamlHeaders = { ...jsonHeaders, 'content-type': 'application/yaml' }

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

export function encodeStatus(status: Status, request: Request, warnings: readonly string[] = []): Response {
  const yaml = /^application\/yaml\b/.test(request.headers.get('accept') ?? '')
  const headers = headersOf(yaml, warnings)
  const seconds = status.details?.retryAfterSeconds
  if (seconds !== undefined) headers.set('retry-after', String(seconds))
  if (status.code === 401) headers.set('www-authenticate', 'Bearer')
  return new Response(yaml ? yamlText(status) : JSON.stringify(status), { status: status.code ?? 200, headers })
}

/** With what the client is warned of. */
export function headersOf(yaml: boolean, warnings: readonly string[]): Headers {
  const headers = new Headers(yaml ? yamlHeaders : jsonHeaders)
  for (const warning of warnings) headers.append('warning', `299 - ${quoted(warning)}`)
  return headers
}

/** Faults: 406. */
export function representationOf({ request }: Pick<Call, 'request'>): Representation {
  return negotiate(request.headers.get('accept'), { forms: ['table', 'partial', 'partialList'] })
}

export function encodeObject(call: Call, answer: Answer, clock: Clock, status = 200): Response {
  const representation = representationOf(call)
  const headers = headersOf(representation.yaml, call.warnings)
  const json = textAs(call, representation, answer, clock)
  return new Response(representation.yaml ? yamlText(JSON.parse(json)) : json, { status, headers })
}

/** What a `Warning` header may hold: no control characters, no more than a line. */
function quoted(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?').slice(0, 512)
  return `"${plain.replace(/["\\]/g, '\\$&')}"`
}

/** One object in the form that is wanted. */
export function textAs(call: Call, representation: Representation, answer: Answer, clock: Clock): string {
  const { form } = representation
  if (form === 'object') return answer.text()
  const object = answer.object()
  if (object.kind === 'Status') return answer.text()
  const { served } = call.target
  if (form === 'partialList') throw notAList(served.kind)
  if (form === 'partial') return JSON.stringify(partial(object, representation))
  const { resourceVersion } = object.metadata
  const metadata = resourceVersion === undefined ? {} : { resourceVersion }
  return JSON.stringify(
    ofVersion(tableOf(served.kind, [object], tableOptions(call, served, clock, metadata)), representation),
  )
}

/** Tables of the older version are the same. */
function ofVersion(table: Table, { version }: Representation): object {
  if (version === 'v1') return table
  const apiVersion = 'meta.k8s.io/v1beta1'
  const rows = table.rows.map((row) => {
    const isPartial = row.object?.kind === 'PartialObjectMetadata'
    return isPartial ? { ...row, object: { ...row.object, apiVersion } } : row
  })
  return { ...table, apiVersion, rows }
}

/** What of its object a row of a table holds. Faults: 400. */
export function includedInRows({ query }: Pick<Call, 'query'>): TableOptions['includeObject'] {
  const includeObject = query.get('includeObject') || 'Metadata'
  if (includeObject === 'None' || includeObject === 'Metadata' || includeObject === 'Object') return includeObject
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(includeObject)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

function tableOptions(call: Call, served: ServedKind, clock: Clock, metadata: ListMeta): TableOptions {
  const computed = computedColumns(served)
  return {
    includeObject: includedInRows(call),
    nowMs: clock.now(),
    metadata,
    ...(computed === undefined ? {} : { computed }),
  }
}

function partial({ metadata }: AnyResource, { version }: Representation) {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata }
}

export function encodeList(call: Call, entries: readonly Entry[], metadata: ListMeta, clock: Clock): Response {
  const { served } = call.target
  const representation = representationOf(call)
  const { form, version, yaml } = representation
  const write = (head: object, member: string, textOf: (entry: Entry) => string): Response => {
    const open = `${JSON.stringify(head).slice(0, -1)},"${member}":[`
    const headers = headersOf(yaml, call.warnings)
    if (!yaml) return stream(open, entries, textOf, headers)
    const whole: unknown = JSON.parse(`${open}${entries.map(textOf).join(',')}]}`)
    return new Response(yamlText(whole), { headers })
  }
  switch (form) {
    case 'table': {
      const options = tableOptions(call, served, clock, metadata)
      const { rows: _, ...head } = ofVersion(tableOf(served.kind, [], options), representation) as Table
      const rowOf = (entry: Entry): unknown =>
        (ofVersion(tableOf(served.kind, [servedObject(entry, served)], options), representation) as Table).rows[0]
      return write(head, 'rows', (entry) => JSON.stringify(rowOf(entry)))
    }
    case 'partial':
      throw isAList(served.kind)
    case 'partialList': {
      const head = { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata }
      return write(head, 'items', (entry) => JSON.stringify(partial(servedObject(entry, served), representation)))
    }
    default: {
      // Lists of custom kinds say also that there is no more.
      const told = served.kind.builtin ? metadata : { continue: '', ...metadata }
      return write(
        { kind: served.kind.listKind, apiVersion: served.apiVersion, metadata: told },
        'items',
        itemText(served),
      )
    }
  }
}

/** In a list of Kubernetes' own kinds the list alone says what its items are. */
function itemText(served: ServedKind): (entry: Entry) => string {
  if (!served.kind.builtin) return (entry) => servedText(entry, served)
  const head = `{"apiVersion":"${served.apiVersion}","kind":"${served.kind.kind}",`
  return (entry) => `{${servedText(entry, served).slice(head.length)}`
}

/** `head`, the texts joined by commas, `]}`: at once when short, else piece by piece as the client takes them. */
function stream(head: string, entries: readonly Entry[], textOf: (entry: Entry) => string, headers: Headers): Response {
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
  if (next === entries.length) return new Response(`${first}]}`, { headers })
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
  return new Response(body, { headers })
}
