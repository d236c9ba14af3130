import type { Readable } from 'node:stream'
import type * as Undici from 'undici'
import type { Dispatcher } from 'undici'
import { Fault, messageOf } from '#base/fault.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Credentials } from './credentials.ts'
import type { ClusterAccess } from './kubeconfig.ts'

export interface ConnectOptions {
  /** Called right before a request goes out, after all that may take time: what it throws, refuses the request. */
  readonly admit?: (request: Request) => void
}

let undici: Promise<typeof Undici> | undefined

/** Loaded for the first request: a program that only talks to itself holds 12 MB less without. */
function loadUndici(): Promise<typeof Undici> {
  return (undici ??= import('undici'))
}

/** A way to one API server as one user. Disposing closes its connections. */
export interface Connection extends AsyncDisposable {
  readonly fetch: Fetch
}

/** The HTTP/2 of Node.js can run away with the process when many requests are given up (docs/adr/0046). */
const allowH2 = false
/** A connection without a request is kept for as long: a handshake costs more than a small request. */
const idleMs = 30_000
const connectTimeoutMs = 10_000
const headersTimeoutMs = 60_000
/** Silence within an answer; none for watches and followed logs, which may have nothing to say. */
const bodyTimeoutMs = 300_000

/**
 * One pool of connections for all calls. Response bodies are streams. Every request carries the user's credentials;
 * an answer of 401 to credentials that can be renewed is tried once more. Rejects with `unavailable` when no answer came.
 */
export function connect(access: ClusterAccess, { admit }: ConnectOptions = {}): Connection {
  let pool: { readonly dispatcher: Dispatcher; readonly identity: string } | undefined

  /** A renewed client certificate needs new connections; the old ones end with the requests on them. */
  function poolFor({ certificate }: Credentials, { Agent, ProxyAgent }: typeof Undici): Dispatcher {
    const identity = certificate?.cert ?? ''
    if (pool?.identity !== identity) {
      void pool?.dispatcher.close()
      const tls = tlsOf(access, certificate)
      const { proxyUrl } = access
      const dispatcher =
        proxyUrl === undefined
          ? new Agent({ allowH2, keepAliveTimeout: idleMs, connect: { ...tls, timeout: connectTimeoutMs } })
          : new ProxyAgent({ uri: proxyUrl, keepAliveTimeout: idleMs, requestTls: { ...tls, allowH2 }, allowH2 })
      pool = { identity, dispatcher }
    }
    return pool.dispatcher
  }

  async function attempt(request: Request, body: Buffer | null): Promise<Response> {
    const credentials = await access.credentials.get()
    const headers = Object.fromEntries(request.headers)
    if (credentials.authorization !== undefined) headers['authorization'] ??= credentials.authorization
    const url = new URL(request.url)
    const loaded = await loadUndici()
    admit?.(request)
    try {
      const answer = await loaded.request(url, {
        dispatcher: poolFor(credentials, loaded),
        method: request.method,
        headers,
        body,
        signal: request.signal,
        headersTimeout: headersTimeoutMs,
        bodyTimeout: url.searchParams.has('watch') || url.searchParams.has('follow') ? 0 : bodyTimeoutMs,
      })
      return responseOf(answer, (error) => brokenOff(request, error))
    } catch (error) {
      throw brokenOff(request, error)
    }
  }

  return {
    async fetch(request) {
      const body = request.body === null ? null : Buffer.from(await request.arrayBuffer())
      const response = await attempt(request, body)
      if (response.status !== 401 || !access.credentials.refused()) return response
      await response.body?.cancel()
      return attempt(request, body)
    },
    async [Symbol.asyncDispose]() {
      await pool?.dispatcher.destroy()
    },
  }
}

function tlsOf(access: ClusterAccess, certificate: Credentials['certificate']) {
  return {
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    ...certificate,
    ...(access.tlsServerName === undefined ? {} : { servername: access.tlsServerName }),
    rejectUnauthorized: access.insecureSkipTlsVerify !== true,
  }
}

/** Statuses that the Response constructor takes no body for. */
const bodiless: ReadonlySet<number> = new Set([101, 204, 205, 304])

/** An answer of undici as the one seam for HTTP has it; what breaks it off later is told as `translate` says. */
export function responseOf(
  { statusCode, statusText, headers: received, body }: Dispatcher.ResponseData,
  translate: (error: unknown) => unknown,
): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received)) {
    for (const each of [value].flat()) if (each !== undefined && !name.startsWith(':')) headers.append(name, each)
  }
  const init = { status: statusCode, statusText, headers }
  if (!bodiless.has(statusCode)) return new Response(webStream(body, translate), init)
  body.resume()
  return new Response(null, init)
}

/** As `Readable.toWeb`, but for what it errors with. */
function webStream(body: Readable, translate: (error: unknown) => unknown): ReadableStream<Uint8Array> {
  const chunks = body.iterator() as AsyncIterator<Uint8Array, undefined>
  body.on('error', () => {}) // it comes by the iterator, or nobody reads any more
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next()
          if (done === true) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          controller.error(translate(error))
        }
      },
      cancel: () => void body.destroy(),
    },
    { highWaterMark: 0 },
  )
}

/** An answer that ends before its end is as good as none; it may come from our own side. */
function brokenOff({ signal, url }: Request, error: unknown): unknown {
  return signal.aborted ? signal.reason : unreachable(new URL(url).origin, error)
}

const causes: Readonly<Record<string, readonly [code: string, words: string]>> = {
  ECONNREFUSED: ['ConnectionRefused', 'nothing listens there'],
  ENOTFOUND: ['HostNotFound', 'the host name is not known'],
  EAI_AGAIN: ['HostNotFound', 'the host name could not be looked up'],
  UND_ERR_CONNECT_TIMEOUT: ['Timeout', 'no connection in time'],
  UND_ERR_HEADERS_TIMEOUT: ['Timeout', 'no answer in time'],
  ETIMEDOUT: ['Timeout', 'no answer in time'],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    'CertificateRejected',
    'its certificate is not signed by the certificate authority we were given',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: [
    'CertificateRejected',
    'its certificate is not signed by the certificate authority we were given',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'CertificateRejected',
    'its certificate is not signed by the certificate authority we were given',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: ['CertificateRejected', 'its certificate is for another name'],
  CERT_HAS_EXPIRED: ['CertificateRejected', 'its certificate has expired'],
}

function unreachable(origin: string, cause: unknown): Fault {
  const systemCode = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const [code, words] = causes[systemCode] ?? ['ConnectionFailed', messageOf(cause)]
  return new Fault('unavailable', code, `cannot reach the API server at ${origin}: ${words}`, { cause })
}
