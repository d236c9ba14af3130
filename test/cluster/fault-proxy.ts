/** A proxy before an API server that does to requests what networks and busy servers do. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request as send } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Identity } from '#cli/identity.ts'

/** What becomes of a request: it passes, it is refused unheard, or its answer is lost after the server acted on it. */
export type Fate = 'pass' | 'conflict' | 'busy' | 'broken' | 'unknown' | 'reset' | 'resetAfter'

export interface FaultProxy extends AsyncDisposable {
  readonly url: string
  /** When each request came, in order. */
  readonly arrivals: readonly number[]
  /** Decides about every request from now on. */
  fate: (request: IncomingMessage) => Fate
}

const refusals = {
  conflict: { code: 409, reason: 'Conflict', message: 'the object has been modified', headers: {} },
  busy: { code: 429, reason: 'TooManyRequests', message: 'too many requests', headers: { 'retry-after': '1' } },
  broken: { code: 500, reason: 'InternalError', message: 'etcdserver: request timed out', headers: {} },
  unknown: {
    code: 422,
    reason: 'Invalid',
    message: 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
    headers: {},
  },
} as const

export async function startFaultProxy(serverUrl: string, identity: Identity): Promise<FaultProxy> {
  const arrivals: number[] = []
  const server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    arrivals.push(Date.now())
    pass(request, response).catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fate = proxy.fate(request)
    if (fate === 'reset') return void request.socket.destroy()
    if (fate !== 'pass' && fate !== 'resetAfter') return refuse(response, fate)
    const body = await buffer(request)
    const { method = 'GET', url = '', headers } = request
    const onward = send(new URL(url, serverUrl), { method, headers, ca: identity.ca })
    response.once('close', () => onward.destroy())
    onward.end(body)
    const [answer] = (await once(onward, 'response')) as [IncomingMessage]
    if (fate === 'resetAfter') return void request.socket.destroy()
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.once('error', () => response.destroy())
    answer.pipe(response)
  }

  const proxy: FaultProxy = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    fate: () => 'pass',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

function refuse(response: ServerResponse, fate: keyof typeof refusals): void {
  const { headers, ...status } = refusals[fate]
  response.writeHead(status.code, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify({ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', ...status }))
}
