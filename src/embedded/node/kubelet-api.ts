import type { Fetch } from '#machinery/http.ts'
import type { ContainerLog, LogLine } from './container-log.ts'

export interface LogSource {
  /** undefined: no such container. */
  find(namespace: string, pod: string, container: string): ContainerLogs | undefined
  now(): number
}

export interface ContainerLogs {
  /** undefined: it has not started, or never ended before. */
  logs(previous: boolean): ContainerLog | undefined
  readonly waitingReason: string
}

const path = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/

/**
 * The part of a kubelet's API that an API server asks for: `/containerLogs/NAMESPACE/POD/CONTAINER` with `follow`,
 * `previous`, `tailLines`, `sinceSeconds`, `sinceTime`, `timestamps` and `limitBytes`; and `/healthz`.
 */
export function kubeletApi(source: LogSource): Fetch {
  return async (request) => {
    const url = new URL(request.url)
    if (url.pathname === '/healthz') return new Response('ok')
    const match = path.exec(url.pathname)
    if (match === null) return plain(404, 'not found')
    if (request.method !== 'GET') return plain(405, 'method not allowed')
    const [namespace = '', pod = '', container = ''] = match.slice(1).map(decodeURIComponent)
    const found = source.find(namespace, pod, container)
    if (found === undefined) return plain(404, `container "${container}" of pod "${pod}" does not run on this node`)
    const query = url.searchParams
    const previous = isTrue(query.get('previous'))
    const log = found.logs(previous)
    if (log === undefined) {
      return plain(
        400,
        previous
          ? `previous terminated container "${container}" in pod "${pod}" not found`
          : `container "${container}" in pod "${pod}" is waiting to start: ${found.waitingReason || 'ContainerCreating'}`,
      )
    }
    const render = rendererOf(query)
    const lines = selectLines(log.lines, query, source.now())
    if (isTrue(query.get('follow'))) return new Response(followed(log, lines.map(render), render), { headers })
    const text = lines.map(render).join('')
    const limit = numberOf(query.get('limitBytes'))
    return new Response(limit === undefined ? text : Buffer.from(text).subarray(0, limit), { headers })
  }
}

const headers = { 'content-type': 'text/plain; charset=utf-8' }

function selectLines(lines: readonly LogLine[], query: URLSearchParams, nowMs: number): readonly LogLine[] {
  const sinceSeconds = numberOf(query.get('sinceSeconds'))
  const sinceTime = Date.parse(query.get('sinceTime') ?? '')
  const sinceMs = sinceSeconds === undefined ? sinceTime : nowMs - sinceSeconds * 1000
  const recent = Number.isNaN(sinceMs) ? lines : lines.filter(({ atMs }) => atMs >= sinceMs)
  const tail = numberOf(query.get('tailLines'))
  return tail === undefined ? recent : recent.slice(Math.max(0, recent.length - tail))
}

function rendererOf(query: URLSearchParams): (line: LogLine) => string {
  return isTrue(query.get('timestamps'))
    ? ({ atMs, text }) => `${new Date(atMs).toISOString()} ${text}\n`
    : ({ text }) => `${text}\n`
}

function followed(log: ContainerLog, first: readonly string[], render: (line: LogLine) => string): ReadableStream {
  const encoder = new TextEncoder()
  let stop = () => {}
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (first.length > 0) controller.enqueue(encoder.encode(first.join('')))
      stop = log.follow({
        // A reader that does not keep up loses lines: a log must not grow without bound for it.
        line: (line) => {
          if ((controller.desiredSize ?? 0) > -1000) controller.enqueue(encoder.encode(render(line)))
        },
        end: () => controller.close(),
      })
    },
    cancel: () => stop(),
  })
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1'
}

function numberOf(value: string | null): number | undefined {
  return value !== null && /^\d+$/.test(value) ? Number(value) : undefined
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers })
}
