/**
 * Every expected failure has a kind, and the kind alone decides what happens next: how a controller
 * retries, which HTTP status the API server answers, what the router tells its client.
 * A throw of anything else is a bug.
 */
export const faultKinds = ['invalid', 'missing', 'denied', 'conflict', 'exhausted', 'unavailable'] as const
export type FaultKind = (typeof faultKinds)[number]

export interface FaultOptions extends ErrorOptions {
  /** How long the other side asked us to wait. */
  readonly retryAfterMs?: number
  /** Machine-readable detail for the edge that translates the fault, such as a Kubernetes `Status`. */
  readonly details?: unknown
}

export class Fault extends Error {
  readonly kind: FaultKind
  /** Stable PascalCase code such as `ImageNotFound`; doubles as a condition's reason. */
  readonly code: string
  readonly retryAfterMs: number | undefined
  readonly details: unknown

  constructor(kind: FaultKind, code: string, message: string, options: FaultOptions = {}) {
    super(message, options)
    this.name = 'Fault'
    this.kind = kind
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.details = options.details
  }
}

export function isFault(error: unknown, kind?: FaultKind): error is Fault {
  return error instanceof Fault && (kind === undefined || error.kind === kind)
}

/** The text of any thrown value, for messages; never its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
