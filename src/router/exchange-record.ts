import type { Usage } from './usage.ts'

/** Kthena's words for how a request ended. */
export type ErrorType =
  | 'successful_request'
  | 'request_failed'
  | 'prompt_parsing'
  | 'rate_limit'
  | 'route_not_found'
  | 'pod_discovery'
  | 'scheduling'
  | 'proxy'
  | 'upstream_transport'
  | 'upstream_response'
  | 'response_forwarding'

/** The facts of one request, filled in as they become known; metrics and access log are told from it. Never its text. */
export interface ExchangeRecord {
  readonly startMs: number
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** One of a few known paths, or `other`. */
  readonly pathLabel: string
  readonly protocol: string
  readonly requestId: string
  /** As the client asked for it. */
  model?: string
  /** The model if a route has that name, else `unknown`. */
  modelLabel: string
  /** `namespace/name`. */
  route?: string
  /** `namespace/name` of the ModelServer. */
  server?: string
  /** `namespace/name` of the pod that answered, or was asked last. */
  pod?: string
  upstreamModel?: string
  upstreamStatus?: number
  /** Calls to pods whose answer could have become the client's. */
  attempts: number
  streamed: boolean
  /** What the client got; 499 if it left before there was anything to get. */
  status: number
  errorType: ErrorType
  errorMessage?: string
  errorOrigin?: 'router' | 'upstream'
  usage?: Usage | undefined
  /** When the first call to a pod began. */
  upstreamStartMs?: number
  firstByteMs?: number
  lastByteMs?: number
  /** Pieces in which the answer came. */
  chunks: number
}

const labelledPaths: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/messages',
  '/v1/models',
  '/v1/rerank',
  '/v1/score',
])

/** Clients can make up paths without bound; labels cannot. */
export function pathLabel(path: string): string {
  return labelledPaths.has(path) ? path : 'other'
}
