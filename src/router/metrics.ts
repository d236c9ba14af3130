import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RoutingSnapshot } from '#routing/snapshot.ts'
import { endpointsOf } from '#routing/snapshot.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import type { Holding } from './holding.ts'
import type { LimitType } from './rate-limits.ts'

/** Kthena's names and labels where it has the metric, `fairlead_router_` where it has none. */
export interface RouterMetrics {
  readonly registry: Registry
  started(): void
  /** The model is known; paired with `finished`. */
  accepted(record: ExchangeRecord): void
  /** A call to a pod begins; returns what to call at its end. */
  calling(record: ExchangeRecord): () => void
  retried(record: ExchangeRecord): void
  connectFailed(record: ExchangeRecord): void
  limited(record: ExchangeRecord, limit: LimitType): void
  phase(phase: 'prefill' | 'decode', record: ExchangeRecord, seconds: number, ok: boolean): void
  finished(record: ExchangeRecord, nowMs: number): void
}

const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const tokenBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]

/** Where a request went; `none` until known. */
const destination = ['model_route', 'backend_type', 'backend_name', 'upstream_model'] as const

/** Few series, all of bounded labels: rendering them blocks the event loop. */
export function createMetrics(
  snapshot: () => RoutingSnapshot,
  holding: Pick<Holding, 'held'>,
  processMetrics: boolean,
): RouterMetrics {
  const registry = new Registry()
  if (processMetrics) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Counter({
    name: 'kthena_router_requests_total',
    help: 'Requests by how they ended.',
    labelNames: ['model', 'path', 'status_code', 'error_type', ...destination] as const,
    registers,
  })
  const duration = new Histogram({
    name: 'kthena_router_request_duration_seconds',
    help: 'From the first byte of a request to the last of its answer.',
    labelNames: ['model', 'path', 'status_code', ...destination] as const,
    buckets: durationBuckets,
    registers,
  })
  const phaseLabels = ['model', 'path', 'status_code'] as const
  const phases = {
    prefill: new Histogram({
      name: 'kthena_router_request_prefill_duration_seconds',
      help: 'Time that a prefill pod took.',
      labelNames: phaseLabels,
      buckets: durationBuckets,
      registers,
    }),
    decode: new Histogram({
      name: 'kthena_router_request_decode_duration_seconds',
      help: 'Time that a decode pod took.',
      labelNames: phaseLabels,
      buckets: durationBuckets,
      registers,
    }),
  }
  const tokens = new Counter({
    name: 'kthena_router_tokens_total',
    help: 'Tokens as counted by the engines.',
    labelNames: ['model', 'path', 'token_type', ...destination] as const,
    registers,
  })
  const active = new Gauge({
    name: 'kthena_router_active_requests',
    help: 'Requests under way.',
    registers,
  })
  const downstream = new Gauge({
    name: 'kthena_router_active_downstream_requests',
    help: 'Requests under way by the model asked for.',
    labelNames: ['model'] as const,
    registers,
  })
  const upstream = new Gauge({
    name: 'kthena_router_active_upstream_requests',
    help: 'Calls to pods under way.',
    labelNames: ['model_server', ...destination] as const,
    registers,
  })
  const firstToken = new Histogram({
    name: 'fairlead_router_time_to_first_token_seconds',
    help: 'From the first byte of a streamed request to the first of its answer.',
    labelNames: ['model'] as const,
    buckets: durationBuckets,
    registers,
  })
  const tokenGap = new Histogram({
    name: 'fairlead_router_inter_token_latency_seconds',
    help: 'Mean time between the tokens of a streamed answer, one observation a request.',
    labelNames: ['model'] as const,
    buckets: tokenBuckets,
    registers,
  })
  const retries = new Counter({
    name: 'fairlead_router_retries_total',
    help: 'Attempts after the first.',
    labelNames: ['model', 'backend_name'] as const,
    registers,
  })
  const connectErrors = new Counter({
    name: 'fairlead_router_upstream_connect_errors_total',
    help: 'Calls to pods to which no connection could be made.',
    labelNames: ['model', 'backend_name'] as const,
    registers,
  })
  const limited = new Counter({
    name: 'kthena_router_rate_limit_exceeded_total',
    help: 'Requests refused because a limit of their route was reached.',
    labelNames: ['model', 'limit_type', 'path'] as const,
    registers,
  })
  const held = new Gauge({
    name: 'fairlead_router_held_requests',
    help: 'Requests that wait for a pod to be ready.',
    labelNames: ['model_server'] as const,
    registers,
    collect() {
      held.reset()
      for (const { key, hold } of snapshot().servers.values())
        if (hold !== undefined) held.set({ model_server: key }, holding.held(key))
    },
  })
  const endpoints = new Gauge({
    name: 'fairlead_router_endpoints',
    help: 'Pods that requests can go to.',
    labelNames: ['model_server'] as const,
    registers,
    collect() {
      endpoints.reset()
      for (const server of snapshot().servers.values())
        endpoints.set({ model_server: server.key }, endpointsOf(server).length)
    },
  })

  return {
    registry,
    started: () => active.inc(),
    accepted: (record) => downstream.inc({ model: record.modelLabel }),
    calling(record) {
      const labels = { model_server: record.server ?? 'none', ...destinationOf(record) }
      upstream.inc(labels)
      return () => upstream.dec(labels)
    },
    retried: (record) => retries.inc({ model: record.modelLabel, backend_name: record.server ?? 'none' }),
    connectFailed: (record) => connectErrors.inc({ model: record.modelLabel, backend_name: record.server ?? 'none' }),
    limited: (record, limit) => limited.inc({ model: record.modelLabel, limit_type: limit, path: record.pathLabel }),
    phase(phase, record, seconds, ok) {
      phases[phase].observe(
        { model: record.modelLabel, path: record.pathLabel, status_code: ok ? '200' : '500' },
        seconds,
      )
    },
    finished(record, nowMs) {
      active.dec()
      if (record.model !== undefined) downstream.dec({ model: record.modelLabel })
      const where = destinationOf(record)
      const labels = { model: record.modelLabel, path: record.pathLabel, status_code: String(record.status), ...where }
      requests.inc({ ...labels, error_type: record.errorType })
      duration.observe(labels, (nowMs - record.startMs) / 1000)
      const { usage, firstByteMs, lastByteMs } = record
      if (usage !== undefined) {
        const counted = { model: record.modelLabel, path: record.pathLabel, ...where }
        tokens.inc({ ...counted, token_type: 'input' }, usage.inputTokens)
        tokens.inc({ ...counted, token_type: 'output' }, usage.outputTokens)
      }
      if (!record.streamed || firstByteMs === undefined || lastByteMs === undefined) return
      const model = { model: record.modelLabel }
      firstToken.observe(model, (firstByteMs - record.startMs) / 1000)
      const gaps = (usage?.outputTokens ?? record.chunks) - 1
      if (gaps > 0) tokenGap.observe(model, (lastByteMs - firstByteMs) / 1000 / gaps)
    },
  }
}

function destinationOf(record: ExchangeRecord): Record<(typeof destination)[number], string> {
  return {
    model_route: record.route ?? 'none',
    backend_type: record.server === undefined ? 'unresolved' : 'model_server',
    backend_name: record.server ?? 'none',
    upstream_model: record.upstreamModel ?? 'none',
  }
}
