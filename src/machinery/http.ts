/**
 * The one seam for HTTP. A server is a `Fetch`, a client takes one; between them may be a network or nothing.
 * Rejects only when no answer came (a `Fault` of kind `unavailable`, or the signal's reason).
 */
export type Fetch = (request: Request) => Promise<Response>
