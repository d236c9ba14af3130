import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'

export interface Thing extends Resource {
  spec?: { value?: number }
}

/** A kind that no server knows. */
export const Thing: Kind<Thing> = {
  group: 'test.fairlead.dev',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  singular: 'thing',
  listKind: 'ThingList',
  shortNames: [],
  categories: [],
  namespaced: true,
  status: true,
  columns: [],
  builtin: false,
  schema: () => ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
}

export function thing(name: string, version: number, uid = `uid-${name}`): Thing {
  const metadata = { namespace: 'default', name, uid, resourceVersion: String(version) }
  return { apiVersion: 'test.fairlead.dev/v1', kind: 'Thing', metadata, spec: { value: version } }
}

export function list(version: number, items: Resource[], next?: string): Response {
  const metadata = { resourceVersion: String(version), ...(next === undefined ? {} : { continue: next }) }
  return Response.json({ apiVersion: 'test.fairlead.dev/v1', kind: 'ThingList', metadata, items })
}

export function failure(
  code: number,
  reason: string,
  headers: Record<string, string> = {},
  details?: object,
): Response {
  return Response.json({ ...status(code, reason), details }, { status: code, headers })
}

export function status(code: number, reason: string): object {
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', code, reason, message: `${reason}.` }
}

export function event(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`
}

/** A watch response of these pieces; afterwards it ends, breaks, or stays open until the request is aborted. */
export function stream(pieces: readonly string[], then: 'end' | 'reset' | 'open' = 'open') {
  return (request: Request): Response => {
    const bytes = pieces.map((piece) => new TextEncoder().encode(piece))
    const body = new ReadableStream({
      start(controller) {
        request.signal.addEventListener('abort', () => controller.error(request.signal.reason))
      },
      pull(controller) {
        const next = bytes.shift()
        if (next !== undefined) controller.enqueue(next)
        else if (then === 'end') controller.close()
        else if (then === 'reset') controller.error(new Error('read ECONNRESET'))
        else return new Promise(() => {}) // silence
        return undefined
      },
    })
    return new Response(body, { headers: { 'content-type': 'application/json' } })
  }
}

export type Answer = Response | ((request: Request) => Response | Promise<Response>)

/** Gives the answers in turn and remembers the requests; once they have run out, requests hang until aborted. */
export function scripted(answers: readonly Answer[]): { fetch: Fetch; requests: URL[] } {
  const requests: URL[] = []
  const fetch: Fetch = async (request) => {
    const answer = answers[requests.push(new URL(request.url)) - 1]
    if (answer === undefined) {
      return new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error))
      })
    }
    return typeof answer === 'function' ? answer(request) : answer
  }
  return { fetch, requests }
}
