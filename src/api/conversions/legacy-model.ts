/**
 * The earlier `Model` as a ModelBooster: the fields are the same, the names of metrics are not, and what its controller
 * did unasked, which its dialect says, is written out.
 */
import type { AnyResource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { matrixinfer } from '../dialects.ts'
import { Model } from '../family-kinds.ts'
import { groups } from '../labels.ts'
import { compact, type Conversion, jsonOf, listOf, lossesOf } from './conversion.ts'

type Json = Readonly<Record<string, unknown>>

const metricPrefix = ['matrixinfer:', 'kthena:'] as const

export function modelToBooster(model: AnyResource): Conversion {
  const { list, lost } = lossesOf(model)
  const { value, unknown } = compileSchema(Model.schema()).prune(model)
  for (const field of unknown) lost(field, 'a Model has no such field')
  const { status: _, spec, ...rest } = value
  const { backends, autoscalingPolicy, ...given } = jsonOf(spec)
  const booster = {
    ...rest,
    apiVersion: `${groups.workload}/v1alpha1`,
    kind: 'ModelBooster',
    spec: compact({
      ...given,
      autoscalingPolicy: withMetrics(autoscalingPolicy),
      backends: listOf(backends).map((backend) => backendOf(jsonOf(backend))),
    }),
  }
  return { objects: [booster], losses: list }
}

function backendOf({ autoscalingPolicy, workers, ...backend }: Json): Json {
  const isPair = String(backend['type']).endsWith('Disaggregated')
  return compact({
    ...backend,
    autoscalingPolicy: withMetrics(autoscalingPolicy),
    schedulerName: isPair ? matrixinfer.pairScheduler : undefined,
    workers: listOf(workers).map((worker) => workerOf(jsonOf(worker))),
  })
}

function workerOf({ config, ...worker }: Json): Json {
  const given = jsonOf(config)
  const names = new Set(Object.keys(given).map((key) => key.replaceAll('_', '-')))
  const unasked = matrixinfer.engineFlags.map((flag) => flag.replace(/^--/, '')).filter((flag) => !names.has(flag))
  return { ...worker, config: { ...given, ...Object.fromEntries(unasked.map((flag) => [flag, ''])) } }
}

function withMetrics(policy: unknown): unknown {
  if (policy === undefined) return undefined
  const { metrics, ...rest } = jsonOf(policy)
  const [before, after] = metricPrefix
  return {
    ...rest,
    metrics: listOf(metrics).map((metric) => {
      const { metricName, ...more } = jsonOf(metric)
      const name = String(metricName)
      return { metricName: name.startsWith(before) ? `${after}${name.slice(before.length)}` : name, ...more }
    }),
  }
}
