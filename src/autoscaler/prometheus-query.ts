import type { Clock } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { Fetch } from '#machinery/http.ts'
import { fetchText } from './http-text.ts'
import type { MemberReading } from './measure.ts'
import type { MetricSource } from './scaling-target.ts'

export interface PrometheusParts {
  readonly fetch: Fetch
  readonly clock: Clock
  /** Origins that may be asked; who writes a policy must not make the autoscaler call any host it likes. */
  readonly allowedServers: readonly string[] | 'any'
}

type PrometheusSource = Extract<MetricSource, { kind: 'prometheus' }>

const queryTimeoutMs = 3_000

/** An instant query that must come to one number. Source: https://prometheus.io/docs/prometheus/latest/querying/api/ */
export async function queryPrometheus(
  { fetch, clock, allowedServers }: PrometheusParts,
  { serverUrl, query, type }: PrometheusSource,
  signal: AbortSignal,
): Promise<MemberReading> {
  const none = (why: string): MemberReading => ({ kind: 'none', why })
  const url = URL.parse(serverUrl)
  if (url === null) return none('serverURL is no URL')
  // Whoever refuses such a URL names it whole, and what we tell is for all to read.
  if (url.username !== '' || url.password !== '') return none('serverURL holds credentials; leave them out')
  if (allowedServers !== 'any' && !allowedServers.includes(url.origin)) {
    return none(`${url.origin} is not among the Prometheus servers that this manager may ask`)
  }
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`
  url.searchParams.set('query', query)
  try {
    const request = { fetch, clock, url: url.href, accept: 'application/json', timeoutMs: queryTimeoutMs, signal }
    const value = numberIn(await fetchText(request))
    if (typeof value === 'string') return none(`Prometheus: ${value}`)
    return { kind: type === 'Value' ? 'ratio' : 'total', value }
  } catch (error) {
    if (signal.aborted || !isFault(error)) throw error
    return none(`Prometheus: ${messageOf(error)}`)
  }
}

/** The number, or what came in its place. */
function numberIn(text: string): number | string {
  const answer = parsed(text)
  const data = isObject(answer) && answer['status'] === 'success' ? answer['data'] : undefined
  if (!isObject(data)) return 'the answer is not that of a query'
  const { resultType, result } = data
  const point =
    resultType === 'scalar' ? result : resultType === 'vector' && Array.isArray(result) ? sampleOf(result) : undefined
  if (!Array.isArray(point)) {
    const count =
      resultType === 'vector' && Array.isArray(result) ? `${result.length} series` : `a ${String(resultType)}`
    return `the query yields ${count}; it must yield one number`
  }
  const value = typeof point[1] === 'string' ? Number(point[1]) : Number.NaN
  return Number.isFinite(value) && value >= 0 ? value : `the query yields ${String(point[1])}`
}

function sampleOf(result: readonly unknown[]): unknown {
  const [only] = result
  return result.length === 1 && isObject(only) ? only['value'] : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // told as an answer that is not a query's
  }
}
