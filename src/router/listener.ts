import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Fault } from '#base/fault.ts'
import { errorBody } from './openai-error.ts'

/** Without the query. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}

/** What no request came of: too slow, too long, or not HTTP. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket & BusySocket): void {
  if (!socket.writable || socket._httpMessage?.headersSent === true) return void socket.destroy()
  const [status, reason, code] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ([408, 'Request Timeout', 'request_timeout'] as const)
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ([431, 'Request Header Fields Too Large', 'headers_too_large'] as const)
        : ([400, 'Bad Request', 'bad_request'] as const)
  const body = errorBody({ status, code, message: `${reason}.` })
  const head = `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy())
}

/** node:http's own default handler looks here too: an answer may be half sent on this socket. */
interface BusySocket {
  readonly _httpMessage?: ServerResponse | null
}

/** Resolves to the port. Rejects with a `Fault`: `PortTaken` or `ListenFailed`. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      const code = taken ? 'PortTaken' : 'ListenFailed'
      const message = taken ? `port ${port} on ${host} is taken` : `cannot listen on ${host}:${port}: ${error.message}`
      reject(new Fault('invalid', code, message, { cause: error, details: { host, port } }))
    })
    server.listen({ host, port, backlog: 4096 }, () => resolve((server.address() as AddressInfo).port))
  })
}
