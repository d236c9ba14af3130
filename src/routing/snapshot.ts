import type { StringTest } from './string-match.ts'

/**
 * All that routing a request needs, worked out beforehand: one immutable value, replaced as a whole when a route, server
 * or pod changes, so nothing stale can be left behind in it.
 */
export interface RoutingSnapshot {
  /** By `spec.modelName`, oldest route first, across namespaces. */
  readonly byModel: ReadonlyMap<string, readonly RouteEntry[]>
  /** By each of `spec.loraAdapters`, in the same order; asked only for names that no route has as its model. */
  readonly byAdapter: ReadonlyMap<string, readonly RouteEntry[]>
  /** By `namespace/name`. */
  readonly servers: ReadonlyMap<string, ServerEntry>
}

export interface RouteEntry {
  /** `namespace/name`. */
  readonly key: string
  readonly rules: readonly RuleEntry[]
  readonly limit?: TokenLimit
}

/** Tokens that all clients of a route together may use in one unit of time; undefined is without limit. */
export interface TokenLimit {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly unit: string
  readonly unitMs: number
}

export interface RuleEntry {
  /** Exact model name that the request must carry. */
  readonly bodyModel: string | undefined
  /** Names in lower case; all must hold. */
  readonly headers: readonly { readonly name: string; readonly test: StringTest }[]
  /** On the path, without the query. */
  readonly uri: StringTest | undefined
  readonly targets: readonly TargetEntry[]
}

export interface TargetEntry {
  /** `namespace/name` of the ModelServer or provider, whether there is one or not. */
  readonly key: string
  /** Undefined for a reference that dangles, and for external providers, to which we cannot route yet. */
  readonly server: ServerEntry | undefined
  readonly weight: number
}

export interface ServerEntry {
  /** `namespace/name`. */
  readonly key: string
  /** The name that the engine serves, to be written into the request; undefined leaves it as it came. */
  readonly model: string | undefined
  /** Bound on one attempt, from dialling to response headers. */
  readonly timeoutMs: number | undefined
  /** Undefined where the ModelServer says nothing on retries. */
  readonly retry: RetryPolicy | undefined
  /** Undefined where a request without a ready pod is refused at once. */
  readonly hold?: HoldPolicy
  readonly backend: Backend
}

/** Requests wait for a pod. */
export interface HoldPolicy {
  readonly maxRequests: number
  readonly timeoutMs: number
}

export interface RetryPolicy {
  /** Attempts after the first. */
  readonly attempts: number
  readonly intervalMs: number
}

/** Ready pods that answer whole requests, or ready pods in groups, one of whose prefill pods works before one to decode. */
export type Backend =
  | { readonly kind: 'plain'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'disaggregated'; readonly connector: KvConnector; readonly pairings: readonly Pairing[] }

export type KvConnector = 'http' | 'lmcache' | 'nixl' | 'mooncake' | 'sglang'

/** A decode pod and the prefill pods of its group, of which there is at least one. */
export interface Pairing {
  readonly group: string
  readonly decode: Endpoint
  readonly prefill: readonly Endpoint[]
}

export interface Endpoint {
  /** `namespace/name`. */
  readonly pod: string
  readonly uid: string
  /** Such as `http://10.1.2.3:8000`. */
  readonly origin: string
}

export function isReady(server: ServerEntry): boolean {
  return server.backend.kind === 'plain' ? server.backend.endpoints.length > 0 : server.backend.pairings.length > 0
}

/** Every distinct pod of a server, decode and prefill. */
export function endpointsOf(server: ServerEntry): readonly Endpoint[] {
  if (server.backend.kind === 'plain') return server.backend.endpoints
  return [...new Set(server.backend.pairings.flatMap((pairing) => [pairing.decode, ...pairing.prefill]))]
}

export const emptySnapshot: RoutingSnapshot = { byModel: new Map(), byAdapter: new Map(), servers: new Map() }
