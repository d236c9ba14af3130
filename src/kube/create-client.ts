import { type Clock, sleep, systemClock } from '#base/clock.ts'
import { Fault, isFault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { Fetch } from '#machinery/http.ts'
import { apiVersionOf, collectionPath, type Kind, resourceName } from '#machinery/kind.ts'
import type { Place, Resource, ResourceList } from '#machinery/meta.ts'
import { faultOfStatus, type Status } from '#machinery/status.ts'
import type { CallOptions, Client, ListQuery, Patch, WatchQuery, WriteOptions } from './client.ts'
import { decodeWatch } from './decode-watch.ts'
import type { Flow } from './limiter.ts'

export interface ClientOptions {
  readonly fetch: Fetch
  /** Root of the API, without a slash at the end. The default suits a server that is a function in this process. */
  readonly baseUrl?: string
  readonly userAgent?: string
  /** Ends every call of this client. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** Paces the requests. */
  readonly flow?: Flow
  /** How often one call is sent again because the server asked for it with `Retry-After`; default 4. */
  readonly retries?: number
}

/** Objects a page, as the API server's own clients ask for. */
const pageSize = 500
const defaultRetries = 4
/** Who is asked to wait longer than this hears of it, instead of waiting within the call. */
const maxRetryAfterMs = 10_000

const contentTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML, so this is what every server since 1.22 takes.
  apply: 'application/apply-patch+yaml',
} as const satisfies Record<Patch['type'] | 'apply', string>

interface Call extends CallOptions {
  readonly method?: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly contentType?: string
  readonly body?: unknown
  readonly accept?: string
  /** What the path is about, for what to say when it is not there. */
  readonly kind?: Kind
}

/**
 * JSON as Go writes it. A ControllerRevision's `data` is kept byte by byte and may never change; a server that patches
 * something else in it writes it anew in this form, and then refuses its own words where ours were others.
 */
function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A client over any `Fetch`. It holds no connection: whoever made the `Fetch` closes it. */
export function createClient(options: ClientOptions): Client {
  const { fetch, baseUrl = 'http://api.invalid', userAgent = 'fairlead', clock = systemClock, flow } = options
  const { signal: forever, retries = defaultRetries } = options

  async function send(call: Call, signal: AbortSignal | undefined): Promise<Response> {
    const headers: Record<string, string> = { accept: call.accept ?? 'application/json', 'user-agent': userAgent }
    const body = call.body === undefined ? undefined : goJson(call.body)
    if (body !== undefined) headers['content-type'] = call.contentType ?? 'application/json'
    const init: RequestInit = { method: call.method ?? 'GET', headers }
    if (body !== undefined) init.body = body
    if (signal !== undefined) init.signal = signal
    const url = `${baseUrl}${call.path}${queryString(call.query)}`
    for (let attempt = 0; ; attempt++) {
      if (flow !== undefined) await flow.turn(call.priority ?? 'normal', signal)
      const response = await fetch(new Request(url, init))
      if (response.ok) return response
      const waitMs = retryAfterMs(response)
      if (waitMs === undefined || waitMs > maxRetryAfterMs || attempt >= retries)
        throw await faultOf(response, call.kind)
      if (response.status === 429) flow?.pause(waitMs)
      await response.body?.cancel()
      await sleep(clock, waitMs, signal ?? new AbortController().signal)
    }
  }

  /**
   * One call to the end of its answer, under a signal of its own: a `Request` lets go of a signal only when it is
   * collected, and that of the caller may live as long as the program.
   */
  async function answer<R>(call: Call, read: (response: Response) => Promise<R>): Promise<R> {
    const outer = [forever, call.signal].filter((signal) => signal !== undefined)
    if (outer.length === 0) return read(await send(call, undefined))
    const own = new AbortController()
    const abort = (): void => own.abort(outer.find((signal) => signal.aborted)?.reason)
    if (outer.some((signal) => signal.aborted)) abort()
    for (const signal of outer) signal.addEventListener('abort', abort)
    try {
      return await read(await send(call, own.signal))
    } finally {
      for (const signal of outer) signal.removeEventListener('abort', abort)
    }
  }

  async function object<T extends Resource>(kind: Kind<T>, given: Call): Promise<T> {
    const call = { ...given, kind: kind as Kind, accept: acceptOf(kind) }
    const decoded = await answer(call, json)
    if (!isObject(decoded) || !isObject(decoded['metadata'])) throw unreadable('no object in the answer')
    return named(kind, decoded as unknown as T)
  }

  const client: Client = {
    get: async (kind, place, options = {}) =>
      object(kind, { path: pathOf(kind, place, options.subresource), ...calling(options) }),

    async list<T extends Resource>(kind: Kind<T>, query: ListQuery = {}, options: CallOptions = {}) {
      const page = async (extra: ListQuery): Promise<ResourceList<T>> => {
        const { namespace, ...rest } = { ...query, ...extra }
        const path = collectionPath(kind, namespace)
        const call = { path, query: rest, kind: kind as Kind, accept: acceptOf(kind, 'List'), ...calling(options) }
        const decoded = await answer(call, json)
        if (!isObject(decoded) || !isObject(decoded['metadata'])) throw unreadable('no list in the answer')
        const list = decoded as unknown as ResourceList<T>
        return { ...list, items: (list.items ?? []).map((item) => named(kind, item)) }
      }
      if (query.limit !== undefined) return page({})
      try {
        return await allPages(page)
      } catch (error) {
        // The list's version was compacted away while we paged: one request sees one version.
        if (!isExpired(error)) throw error
        return page({})
      }
    },

    async *watch<T extends Resource>(kind: Kind<T>, { namespace, ...query }: WatchQuery, signal: AbortSignal) {
      const path = collectionPath(kind, namespace)
      const until = joined(forever, signal) ?? signal
      const call = { path, query: { ...query, watch: true }, kind: kind as Kind, accept: acceptOf(kind) }
      for await (const event of decodeWatch<T>(await send(call, until), until)) {
        const isPartial = kind.metadataOnly === true && event.type !== 'ERROR'
        yield isPartial ? { ...event, object: named(kind, event.object) } : event
      }
    },

    create: async (kind, value, write = {}) =>
      object(kind, {
        method: 'POST',
        path: collectionPath(kind, value.metadata.namespace),
        body: value,
        ...writing(write),
      }),

    update: async (kind, value, write = {}) =>
      object(kind, { method: 'PUT', path: pathOf(kind, placeIn(value)), body: value, ...writing(write) }),

    updateStatus: async (kind, value, write = {}) =>
      object(kind, { method: 'PUT', path: `${pathOf(kind, placeIn(value))}/status`, body: value, ...writing(write) }),

    patch: async (kind, place, patch, write = {}) =>
      object(kind, {
        method: 'PATCH',
        path: pathOf(kind, place, write.subresource),
        body: patch.patch,
        contentType: contentTypes[patch.type],
        ...writing(write),
      }),

    apply: async (kind, value, write) => {
      const call = writing(write)
      return object(kind, {
        method: 'PATCH',
        path: pathOf(kind, placeIn(value), write.subresource),
        body: value,
        contentType: contentTypes.apply,
        ...call,
        query: { ...call.query, force: write.force },
      })
    },

    async delete(kind, place, { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, ...options } = {}) {
      const preconditions = uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion }
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy, gracePeriodSeconds }
      const call = { method: 'DELETE', path: pathOf(kind, place), body, ...calling(options) }
      await answer(call, (response) => response.arrayBuffer())
    },

    raw(path, init = {}) {
      const headers = new Headers(init.headers)
      if (!headers.has('user-agent')) headers.set('user-agent', userAgent)
      const signal = joined(forever, init.signal ?? undefined)
      return fetch(new Request(`${baseUrl}${path}`, { ...init, headers, ...(signal !== undefined && { signal }) }))
    },
  }
  return client
}

/** The server no longer has the version that a list or watch asked to go on from: start over. */
export function isExpired(error: unknown): boolean {
  return isFault(error) && isObject(error.details) && error.details['code'] === 410
}

async function allPages<T extends Resource>(
  page: (query: ListQuery) => Promise<ResourceList<T>>,
): Promise<ResourceList<T>> {
  const first = await page({ limit: pageSize })
  const items = first.items
  let next = first.metadata.continue
  while (next !== undefined && next !== '') {
    const more = await page({ limit: pageSize, continue: next })
    items.push(...more.items)
    next = more.metadata.continue
  }
  const { resourceVersion } = first.metadata
  return { ...first, metadata: resourceVersion === undefined ? {} : { resourceVersion }, items }
}

function pathOf(kind: Kind, { namespace, name }: Place, subresource?: string): string {
  // An empty name would address the whole collection.
  if (name === '') throw new Error(`${kind.kind}: no name given`)
  const path = `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

function placeIn({ metadata }: Resource): Place {
  return { namespace: metadata.namespace, name: metadata.name ?? '' }
}

/**
 * Items of a list of a built-in kind carry neither apiVersion nor kind; metadata alone says of itself that it is that,
 * and not of what.
 */
function named<T extends Resource>(kind: Kind<T>, object: T): T {
  if (kind.metadataOnly === true) return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind }
  object.apiVersion ??= apiVersionOf(kind)
  object.kind ??= kind.kind
  return object
}

/** A server that cannot leave out the rest sends it too. */
function acceptOf(kind: Kind, suffix: 'List' | '' = ''): string {
  if (kind.metadataOnly !== true) return 'application/json'
  return `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1,application/json`
}

function writing({ dryRun, fieldManager, fieldValidation, ...options }: WriteOptions): Pick<Call, 'query' | 'signal'> {
  return { query: { dryRun: dryRun === true ? 'All' : undefined, fieldManager, fieldValidation }, ...calling(options) }
}

function calling({ signal, priority }: CallOptions): CallOptions {
  return { ...(signal !== undefined && { signal }), ...(priority !== undefined && { priority }) }
}

function joined(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a !== undefined && b !== undefined ? AbortSignal.any([a, b]) : (a ?? b)
}

function queryString(query: Call['query'] = {}): string {
  const members = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) members.set(name, String(value))
  return members.size === 0 ? '' : `?${members}`
}

async function json(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    if (isFault(cause) || (cause instanceof Error && cause.name === 'AbortError')) throw cause
    throw unreadable(cause instanceof SyntaxError ? 'the answer is not JSON' : messageOf(cause), cause)
  }
}

function unreadable(why: string, cause?: unknown): Fault {
  return new Fault('unavailable', 'BadAnswer', `the API server's answer could not be read: ${why}`, { cause })
}

/** Servers answer 429, and 503 while starting, with the seconds to wait; neither has done anything yet. */
function retryAfterMs(response: Response): number | undefined {
  if (response.status !== 429 && response.status !== 503) return undefined
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

/**
 * What an answer to `raw` that is no success stands for; `kind` is what its path is about. What is no Status (a proxy's
 * page, an old server's text) is told by its code alone.
 */
export async function faultOf(response: Response, kind?: Kind): Promise<Fault> {
  const waitMs = retryAfterMs(response)
  const decoded = await response.json().catch(() => undefined)
  const status: Status =
    isObject(decoded) && decoded['kind'] === 'Status'
      ? (decoded as unknown as Status)
      : {
          apiVersion: 'v1',
          kind: 'Status',
          metadata: {},
          status: 'Failure',
          code: response.status,
          reason: 'Unknown',
          message: `the API server answered ${response.status} ${response.statusText}`.trimEnd(),
        }
  if (kind !== undefined && status.code === 404 && status.details?.kind === undefined) return notServed(kind, status)
  const owner = unknownOwner.exec(status.message ?? '')
  if (status.code === 403 && owner !== null) return ownerUnknown(owner[1] ?? '', status)
  const fault = faultOfStatus(status)
  if (waitMs === undefined || fault.retryAfterMs !== undefined) return fault
  return new Fault(fault.kind, fault.code, fault.message, { retryAfterMs: waitMs, details: fault.details })
}

/** A 404 that names no object is about the path: nothing is served there. */
function notServed(kind: Kind, details: Status): Fault {
  const why = kind.builtin
    ? 'it is too old, or does not have this API'
    : `install the CustomResourceDefinition ${resourceName(kind)}`
  return new Fault('missing', 'KindNotServed', `the API server knows no ${kind.kind}: ${why}`, { details })
}

/**
 * In the words of the admission plugin OwnerReferencesPermissionEnforcement. What it knows of kinds it asks for twice a minute
 * only: whoever owns blocking children of a kind that was installed since then is refused, whatever rights there are.
 */
const unknownOwner = /cannot set blockOwnerDeletion in this case because cannot find RESTMapping for .* Kind (\w+):/

function ownerUnknown(kind: string, details: Status): Fault {
  const message = `the API server does not take a ${kind} as an owner yet: it looks for new kinds twice a minute`
  return new Fault('unavailable', 'OwnerKindUnknown', message, { details })
}

/** The server does not have the kind, at least not now. Of a whole collection a 404 means nothing else. */
export function isNotServed(error: unknown): boolean {
  return isFault(error) && error.code === 'KindNotServed'
}
