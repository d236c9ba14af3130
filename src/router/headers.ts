import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** RFC 9110 §7.6.1, with what older software still sends. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The client's credentials are for us, not for pods; the rest is written anew for the body and connection we make. */
const notForPods: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'host',
  'expect',
  'accept-encoding',
  'content-length',
  'x-request-id',
])

/** Name and value in turn, as undici takes them. Bodies come back uncompressed, so that usage can be read. */
export function requestHeaders(raw: readonly string[], requestId: string): string[] {
  const named = connectionNames(raw)
  const headers = ['x-request-id', requestId, 'accept-encoding', 'identity']
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? ''
    if (!hopByHop.has(name) && !notForPods.has(name) && !named?.has(name)) headers.push(name, raw[i + 1] ?? '')
  }
  return headers
}

function connectionNames(raw: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const value = raw[i + 1]
    if (value === undefined || raw[i]?.toLowerCase() !== 'connection') continue
    names ??= new Set()
    for (const name of value.split(',')) names.add(name.trim().toLowerCase())
  }
  return names
}

/** One text, empty where there is none: undici makes a list of a header that comes several times, whatever its name. */
export function textOf(headers: IncomingHttpHeaders, name: string): string {
  return String(headers[name] ?? '')
}

/** What of an engine's headers the client sees; without the length where events may be taken out of the body. */
export function responseHeaders(upstream: IncomingHttpHeaders, lengthKept: boolean): OutgoingHttpHeaders {
  const named = connectionNames(['connection', textOf(upstream, 'connection')])
  const headers: OutgoingHttpHeaders = {}
  for (const name of Object.keys(upstream)) {
    if (hopByHop.has(name) || named?.has(name) || (name === 'content-length' && !lengthKept)) continue
    headers[name] = upstream[name]
  }
  return headers
}

/** The client's own id if it is fit for logs, else a new one. */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID()
}
