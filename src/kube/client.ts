import type { Kind } from '#machinery/kind.ts'
import type { AnyResource, Place, Resource, ResourceList } from '#machinery/meta.ts'
import type { WatchEvent } from '#machinery/watch-event.ts'
import type { Priority } from './limiter.ts'

/**
 * A typed client for any API server. Every method rejects with a `Fault`: `missing` for 404, `conflict` for 409,
 * `invalid` for 400 and 422, `denied` for 401 and 403, `exhausted` for 429, `unavailable` for 5xx and for no answer.
 * `Fault.details` is the server's `Status`. Bodies never appear in messages. A kind that the server does not have at
 * all is `missing` with the code `KindNotServed`; one that it has, and does not take as an owner yet, is `unavailable` with the
 * code `OwnerKindUnknown`.
 */
export interface Client {
  get<T extends Resource>(kind: Kind<T>, place: Place, options?: GetOptions): Promise<T>
  /** One page if `limit` is given, else all pages joined. */
  list<T extends Resource>(kind: Kind<T>, query?: ListQuery, options?: CallOptions): Promise<ResourceList<T>>
  /** The raw events of one watch request; ends when the server ends it. `watcher.ts` makes it last. */
  watch<T extends Resource>(kind: Kind<T>, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<T>>
  create<T extends Resource>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>
  /** Full replace; carries the object's resourceVersion if it has one. */
  update<T extends Resource>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>
  updateStatus<T extends Resource>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends Resource>(kind: Kind<T>, place: Place, patch: Patch, options?: PatchOptions): Promise<T>
  /** Server-side apply. `object` holds just the fields that the manager owns, apiVersion and kind included. */
  apply<T extends Resource>(kind: Kind<T>, object: AnyResource, options: ApplyOptions): Promise<T>
  /** Resolves once the object is gone or, where finalizers or a grace period hold it, marked as being deleted. */
  delete<T extends Resource>(kind: Kind<T>, place: Place, options?: DeleteOptions): Promise<void>
  /** A path outside the typed verbs (discovery, logs); the response is not checked. */
  raw(path: string, init?: RequestInit): Promise<Response>
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Where requests are paced; default normal. */
  readonly priority?: Priority
}

export interface GetOptions extends CallOptions {
  readonly subresource?: 'scale'
}

export interface ListQuery {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface WatchQuery extends Omit<ListQuery, 'limit' | 'continue'> {
  readonly timeoutSeconds?: number
  readonly allowWatchBookmarks?: boolean
  readonly sendInitialEvents?: boolean
}

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean
  readonly fieldManager?: string
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
}

export type Patch =
  | { readonly type: 'json'; readonly patch: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly patch: Record<string, unknown> }
  | { readonly type: 'strategic'; readonly patch: Record<string, unknown> }

/** RFC 6902. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

export interface PatchOptions extends WriteOptions {
  readonly subresource?: 'status' | 'scale'
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  readonly force?: boolean
  readonly subresource?: 'status'
}

export interface DeleteOptions extends CallOptions {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
}
