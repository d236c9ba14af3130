import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { vllm } from '#engines/vllm.ts'

/** Moments of one request, in milliseconds of the clock, and its size. */
export interface RequestRecord {
  readonly arrivedMs: number
  readonly firstTokenMs: number
  readonly finishedMs: number
  readonly promptTokens: number
  readonly generatedTokens: number
  readonly finishReason: string
}

export interface EngineGauges {
  running(): number
  waiting(): number
  cacheUsageRatio(): number
}

export interface EngineMetrics {
  prefixCache(queriedTokens: number, hitTokens: number): void
  finished(request: RequestRecord): void
  aborted(): void
  render(): Promise<string>
}

const ttftBuckets = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40]
const tokenBuckets = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5]
const requestBuckets = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120]

/** Metrics under vLLM's names, with its labels and buckets. */
export function createEngineMetrics(model: string, gauges: EngineGauges): EngineMetrics {
  const registry = new Registry()
  const labels = { model_name: model, engine: '0' }
  const labelNames = ['model_name', 'engine']
  const common = { registers: [registry], labelNames }
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...common,
      name,
      help,
      collect() {
        this.set(labels, read())
      },
    })
  const counter = (name: string, help: string) => {
    const made = new Counter({ ...common, name, help })
    made.inc(labels, 0)
    return made
  }
  const histogram = (name: string, help: string, buckets: number[]) => {
    const made = new Histogram({ ...common, name, help, buckets })
    made.zero(labels)
    return made
  }
  const { metrics } = vllm
  gauge(metrics.requestsRunning, 'Number of requests in model execution batches.', gauges.running)
  gauge(metrics.requestsWaiting, 'Number of requests waiting to be processed.', gauges.waiting)
  gauge(metrics.kvCacheUsageRatio, 'KV-cache usage. 1 means 100 percent usage.', gauges.cacheUsageRatio)
  const queries = counter(metrics.prefixCacheQueries, 'Prefix cache queries, in terms of number of queried tokens.')
  const hits = counter(metrics.prefixCacheHits, 'Prefix cache hits, in terms of number of cached tokens.')
  const prompt = counter(metrics.promptTokens, 'Number of prefill tokens processed.')
  const generation = counter(metrics.generationTokens, 'Number of generation tokens processed.')
  const firstToken = histogram(metrics.timeToFirstTokenSeconds, 'Time to first token in seconds.', ttftBuckets)
  const interToken = histogram(metrics.interTokenLatencySeconds, 'Inter-token latency in seconds.', tokenBuckets)
  const whole = histogram(metrics.requestLatencySeconds, 'E2E request latency in seconds.', requestBuckets)
  const success = new Counter({
    registers: [registry],
    labelNames: [...labelNames, 'finished_reason'],
    name: 'vllm:request_success_total',
    help: 'Count of successfully processed requests.',
  })
  for (const finished_reason of ['stop', 'length', 'abort']) success.inc({ ...labels, finished_reason }, 0)

  return {
    prefixCache(queriedTokens, hitTokens) {
      queries.inc(labels, queriedTokens)
      hits.inc(labels, hitTokens)
    },
    finished(request) {
      const decodeMs = request.finishedMs - request.firstTokenMs
      prompt.inc(labels, request.promptTokens)
      generation.inc(labels, request.generatedTokens)
      firstToken.observe(labels, (request.firstTokenMs - request.arrivedMs) / 1000)
      whole.observe(labels, (request.finishedMs - request.arrivedMs) / 1000)
      // One observation of the mean for the request: the sum over count is what a scraper reads.
      if (request.generatedTokens > 1) interToken.observe(labels, decodeMs / 1000 / (request.generatedTokens - 1))
      success.inc({ ...labels, finished_reason: request.finishReason })
    },
    aborted() {
      success.inc({ ...labels, finished_reason: 'abort' })
    },
    render: () => registry.metrics(),
  }
}
