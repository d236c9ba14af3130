/** From `node:http` to a `Fetch`: the only place where a server of ours meets a socket, but for the router. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { Fetch } from '#machinery/http.ts'

export interface ServeOptions {
  readonly fetch: Fetch
  /** A loopback address, unless the caller knows better; undefined for all addresses. */
  readonly host: string | undefined
  /** 0 for any free one. */
  readonly port: number
  readonly tls?: { readonly key: string; readonly cert: string }
}

export interface Listener {
  readonly port: number
  /** Ends open streams and stops listening. */
  close(): Promise<void>
}

/** Resolves once it listens; rejects with the system's error, such as `EADDRINUSE`. */
export async function serveFetch({ fetch, host, port, tls }: ServeOptions): Promise<Listener> {
  const scheme = tls === undefined ? 'http' : 'https'
  const onRequest: RequestListener = (incoming, outgoing) => {
    answer(fetch, scheme, incoming, outgoing).catch(() => outgoing.destroy())
  }
  const server: Server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest)
  server.requestTimeout = 0 // a watch is a request that lasts
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port, // of a server that listens on TCP
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  fetch: Fetch,
  scheme: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort()
  })
  const request = requestOf(scheme, incoming, gone.signal)
  if (request === undefined) {
    outgoing.writeHead(400).end()
    return
  }
  const response = await fetch(request)
  // What nobody wanted to read of a body stands before the connection's next request.
  if (!incoming.complete) incoming.removeAllListeners('data').resume()
  for (const [name, value] of response.headers) outgoing.appendHeader(name, value)
  outgoing.writeHead(response.status)
  const { body } = response
  if (body === null || incoming.method === 'HEAD') {
    outgoing.end()
    await body?.cancel()
    return
  }
  outgoing.flushHeaders() // the client of a watch waits for them before the first event
  await send(body, outgoing, gone.signal)
}

function requestOf(scheme: string, incoming: IncomingMessage, signal: AbortSignal): Request | undefined {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming
  const hasBody = method !== 'GET' && method !== 'HEAD' && (headers['content-length'] ?? headers['transfer-encoding'])
  try {
    const given = new Headers()
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) given.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '')
    return new Request(new URL(url, `${scheme}://${headers.host ?? 'localhost'}`), {
      method,
      headers: given,
      signal,
      ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: 'half' } : {}),
    })
  } catch {
    return undefined // a method, header or address that no Request can hold
  }
}

/** Writes as fast as the client reads, and lets go of the stream when the client leaves. */
async function send(body: ReadableStream<Uint8Array>, outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
  const reader = body.getReader()
  const cancel = (): void => void reader.cancel().catch(() => {})
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!outgoing.write(value)) await drained(outgoing)
  }
  outgoing.end()
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.once('drain', done)
    outgoing.once('close', done)
    if (outgoing.destroyed) done()
  })
}
