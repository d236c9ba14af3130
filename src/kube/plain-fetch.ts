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
        return responseOf(await send(url, { dispatcher: agent, method, headers, signal }))
      } catch (error) {
        if (request.signal.aborted) throw request.signal.reason
        throw new Fault('unavailable', 'ConnectionFailed', `cannot reach ${url.host}: ${messageOf(error)}`, {
          cause: error,
        })
      }
    },
    async [Symbol.asyncDispose]() {
      await agent?.destroy()
    },
  }
}
