import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Resource } from '#machinery/meta.ts'
import type { Decision } from './decide.ts'

export interface AutoscalerMetrics {
  readonly onDecision: (subject: Resource, decision: Decision) => void
  /** Takes away what was told of the policy or binding of this uid. */
  readonly onForgotten: (uid: string) => void
  readonly onScrape: (scrape: { readonly ok: boolean; readonly durationMs: number }) => void
}

type Labels = Readonly<Record<string, string>>
interface Removable {
  remove(labels: Labels): void
}

/** What the autoscaler sees and decides, for whoever collects it. */
export function createAutoscalerMetrics(registry: Registry): AutoscalerMetrics {
  const registers = [registry]
  const labelNames = ['namespace', 'kind', 'name', 'pool'] as const
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `fairlead_autoscaler_${name}`, help, labelNames, registers })
  const current = gauge('current_replicas', 'Instances asked for before the last decision.')
  const recommended = gauge('recommended_replicas', 'Instances that the metrics ask for, within the bounds.')
  const desired = gauge('desired_replicas', 'Instances decided on.')
  const panic = gauge('panic_mode', '1 while load jumps.')
  const metricLabels = [...labelNames, 'metric'] as const
  const value = new Gauge({
    name: 'fairlead_autoscaler_metric_value',
    help: 'What one instance has of a metric.',
    labelNames: metricLabels,
    registers,
  })
  const target = new Gauge({
    name: 'fairlead_autoscaler_metric_target',
    help: 'What one instance should have of a metric.',
    labelNames: metricLabels,
    registers,
  })
  const decisions = new Counter({
    name: 'fairlead_autoscaler_decisions_total',
    help: 'Decisions by the rule that decided.',
    labelNames: ['rule', 'direction'] as const,
    registers,
  })
  const scrapes = new Histogram({
    name: 'fairlead_autoscaler_scrape_duration_seconds',
    help: 'Time that a pod took to tell its metrics, or not to.',
    labelNames: ['outcome'] as const,
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    registers,
  })
  /** By uid: the gauges that have numbers of it, by their labels. */
  const series = new Map<string, Map<string, { readonly labels: Labels; readonly gauges: readonly Removable[] }>>()
  const remember = (uid: string, labels: Labels, gauges: readonly Removable[]): void => {
    let own = series.get(uid)
    if (own === undefined) series.set(uid, (own = new Map()))
    own.set(Object.values(labels).join('/'), { labels, gauges })
  }
  return {
    onDecision({ kind, metadata }, decision) {
      const { uid = '' } = metadata
      const labels = { namespace: metadata.namespace ?? '', kind, name: metadata.name ?? '', pool: decision.pool }
      remember(uid, labels, [current, recommended, desired, panic])
      current.set(labels, decision.current)
      desired.set(labels, decision.desired)
      panic.set(labels, decision.mode === 'Panic' ? 1 : 0)
      if (decision.recommended === undefined) recommended.remove(labels)
      else recommended.set(labels, decision.recommended)
      for (const metric of decision.metrics) {
        const own = { ...labels, metric: metric.name }
        remember(uid, own, [value, target])
        target.set(own, metric.target)
        if (metric.value === undefined) value.remove(own)
        else value.set(own, metric.value)
      }
      decisions.inc({ rule: decision.rule, direction: directionOf(decision) })
    },
    onForgotten(uid) {
      for (const { labels, gauges } of series.get(uid)?.values() ?? []) for (const each of gauges) each.remove(labels)
      series.delete(uid)
    },
    onScrape({ ok, durationMs }) {
      scrapes.observe({ outcome: ok ? 'answered' : 'failed' }, durationMs / 1000)
    },
  }
}

function directionOf({ current, desired }: Decision): 'up' | 'down' | 'none' {
  return desired === current ? 'none' : desired > current ? 'up' : 'down'
}
