import type * as Undici from 'undici'
import { Fault, messageOf } from '#base/fault.ts'
import { type Connection, responseOf } from './transport.ts'

/** Connections are kept for the next round of a scraper that comes this often. */
const keepAliveMs = 20_000
const connectTimeoutMs = 3_000

/**
 * Plain HTTP to anything that is no API server (pods, routers, Prometheus), with nobody's credentials. Redirects are not
 * followed: an answer comes from where it was asked. Rejects with `unavailable` when no answer came.
 */
export function connectPlainly(): Connection {
  let undici: Promise<typeof Undici> | undefined
  let agent: Undici.Agent | undefined
  return {
    async fetch(request) {
      const { Agent, request: send } = await (undici ??= import('undici'))
      agent ??= new Agent({ connect: { timeout: connectTimeoutMs }, keepAliveTimeout: keepAliveMs })
      const url = new URL(request.url)
      try {
        const { method, signal } = request
        const headers = Object.fromEntries(request.headers)
        const body = request.body === null ? null : Buffer.from(await request.arrayBuffer())
        const answer = await send(url, { dispatcher: agent, method, headers, body, signal })
        return responseOf(answer, (error) => unreachable(request, error))
      } catch (error) {
        throw unreachable(request, error)
      }
    },
    async [Symbol.asyncDispose]() {
      await agent?.destroy()
    },
  }
}

/** The reason of the signal, where it was that. */
function unreachable({ signal, url }: Request, cause: unknown): unknown {
  if (signal.aborted) return signal.reason
  return new Fault('unavailable', 'ConnectionFailed', `cannot reach ${new URL(url).host}: ${messageOf(cause)}`, {
    cause,
  })
}
