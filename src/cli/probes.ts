/** What kubelets and Prometheus ask a program. */
import type { Fetch } from '#machinery/http.ts'

/** `/healthz` and `/livez` as long as somebody answers at all; `/readyz` when nothing stands against it. */
export function probes(against: () => readonly string[]): Fetch {
  return answering((path) => {
    if (path === '/healthz' || path === '/livez') return text('ok\n')
    if (path !== '/readyz') return undefined
    const reasons = against()
    return reasons.length === 0 ? text('ok\n') : text(['not ready', ...reasons, ''].join('\n'), { status: 503 })
  })
}

export function metricsPage({
  contentType,
  render,
}: {
  readonly contentType: string
  render(): Promise<string>
}): Fetch {
  return answering(async (path) =>
    path === '/metrics' ? text(await render(), { headers: { 'content-type': contentType } }) : undefined,
  )
}

interface TextOptions {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

type Answer = Response | undefined

function answering(answer: (path: string) => Answer | Promise<Answer>): Fetch {
  return async ({ method, url }) => {
    if (method !== 'GET' && method !== 'HEAD')
      return text('only GET\n', { status: 405, headers: { allow: 'GET, HEAD' } })
    return (await answer(new URL(url).pathname)) ?? text('there is nothing at this path\n', { status: 404 })
  }
}

function text(body: string, { status = 200, headers = {} }: TextOptions = {}): Response {
  return new Response(body, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } })
}
