import type { ServerResponse } from 'node:http'

/** A failure as OpenAI's clients expect it; the router never answers with anything else of its own. */
export interface ApiError {
  readonly status: number
  /** Stable, in snake case. */
  readonly code: string
  readonly message: string
  /** The member of the request that is wrong. */
  readonly param?: string
  readonly retryAfterSeconds?: number
}

export function badRequest(code: string, message: string, param?: string): ApiError {
  return { status: 400, code, message, ...(param === undefined ? {} : { param }) }
}

export function modelNotFound(model: string): ApiError {
  const message = `The model \`${shortened(model)}\` does not exist. GET /v1/models lists those that do.`
  return { status: 404, code: 'model_not_found', message, param: 'model' }
}

/** What a client wrote may be as long as a body. */
export function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

export function unavailable(code: string, message: string): ApiError {
  return { status: 503, code, message, retryAfterSeconds: 1 }
}

/** `{"error":{"message","type","param","code"}}`. */
export function errorBody({ status, code, message, param }: ApiError): string {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error'
  return JSON.stringify({ error: { message, type, param: param ?? null, code } })
}

/** Answers with the error, unless an answer was begun. */
export function sendError(response: ServerResponse, error: ApiError): void {
  if (response.headersSent || response.destroyed) return
  const body = errorBody(error)
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', error.retryAfterSeconds)
  response.writeHead(error.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
