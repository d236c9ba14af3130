import { createServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Most bytes of a request's body. */
const bodyLimitBytes = 32 * 2 ** 20

/** The body as JSON, `{}` for none; undefined when it is none. Rejects when the client leaves. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimitBytes) return undefined
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  try {
    return text.trim() === '' ? {} : JSON.parse(text)
  } catch {
    return undefined // the caller answers 400 in its own words
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

export function sendText(response: ServerResponse, status: number, text: string, type = 'text/plain'): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

export const metricsContentType = 'text/plain; version=0.0.4'

/** A listening server that costs nothing while idle. `close` refuses new connections and ends when the last is done. */
export interface Listening {
  readonly port: number
  close(): Promise<void>
  /** Drops every connection. */
  kill(): void
}

/** Rejects with the system's error (`EADDRINUSE`, …) when the address cannot be bound. */
export function listen(
  host: string,
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listening> {
  // The server's own sweep for slow connections is a timer each; clients here are probes and the router.
  const options = { connectionsCheckingInterval: 2 ** 31 - 1, requestTimeout: 0, headersTimeout: 0, noDelay: true }
  let isClosing = false
  const server: Server = createServer(options, (request, response) => {
    response.once('close', () => {
      // A client keeps its connection for a next request, which there is none for any more.
      if (isClosing) setImmediate(() => server.closeIdleConnections())
    })
    handle(request, response)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((done) => {
            isClosing = true
            server.close(() => done())
            server.closeIdleConnections()
          }),
        kill() {
          server.close()
          server.closeAllConnections()
        },
      })
    })
  })
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

export interface HttpCall {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly method?: 'GET' | 'POST'
  readonly json?: unknown
  readonly timeoutMs: number
}

/** One request on a connection of its own; rejects when no whole answer came in time. */
export function call({ host, port, path, method = 'GET', json, timeoutMs }: HttpCall): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = json === undefined ? {} : { 'content-type': 'application/json' }
    const signal = AbortSignal.timeout(timeoutMs)
    const sent = httpRequest({ host, port, path, method, headers, agent: false, signal }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(json === undefined ? undefined : JSON.stringify(json))
  })
}
