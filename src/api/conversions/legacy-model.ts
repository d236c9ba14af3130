/**
 * The earlier `Model` of `registry.matrixinfer.ai` as a ModelBooster: the fields are the same, the names of metrics are
 * not, and what its controller did unasked is written out. Reads the document alone, by its structure.
 */
import type { AnyResource } from '#machinery/meta.ts'
import { groups } from '../labels.ts'
import { compact, type Conversion, jsonOf, listOf, lossesOf } from './conversion.ts'

type Json = Readonly<Record<string, unknown>>
type Lost = (field: string, detail: string) => void

export const legacyModel = { apiVersion: 'registry.matrixinfer.ai/v1alpha1', kind: 'Model' } as const
const metricPrefix = ['matrixinfer:', 'kthena:'] as const

/** Of a backend, in the earlier kind. */
const backendFields: ReadonlySet<string> = new Set([
  'name',
  'type',
  'modelURI',
  'cacheURI',
  'envFrom',
  'env',
  'minReplicas',
  'maxReplicas',
  'scalingCost',
  'routeWeight',
  'scaleToZeroGracePeriod',
  'workers',
  'loraAdapters',
  'autoscalingPolicy',
]) // prettier-ignore
const specFields: ReadonlySet<string> = new Set([
  'name',
  'owner',
  'backends',
  'autoscalingPolicy',
  'costExpansionRatePercent',
  'modelMatch',
]) // prettier-ignore

export function modelToBooster(model: AnyResource): Conversion {
  const { list, lost } = lossesOf(model)
  const spec = known(jsonOf(model.spec), specFields, 'spec', lost)
  const booster = {
    ...model,
    apiVersion: `${groups.workload}/v1alpha1`,
    kind: 'ModelBooster',
    metadata: { ...model.metadata },
    spec: compact({
      ...spec,
      autoscalingPolicy: withMetrics(spec['autoscalingPolicy']),
      backends: listOf(spec['backends']).map((backend, i) => backendOf(jsonOf(backend), `spec.backends[${i}]`, lost)),
    }),
  }
  const { status: _, ...rest } = booster
  return { objects: [rest], losses: list }
}

function backendOf(given: Json, at: string, lost: Lost): Json {
  const backend = known(given, backendFields, at, lost)
  const disaggregated = String(backend['type']).endsWith('Disaggregated')
  return compact({
    ...backend,
    autoscalingPolicy: withMetrics(backend['autoscalingPolicy']),
    // Its controller asked for Volcano for pairs, and for nothing else.
    schedulerName: disaggregated ? 'volcano' : undefined,
    workers: listOf(backend['workers']).map((worker) => workerOf(jsonOf(worker))),
  })
}

/** Its controller started every engine with this flag. (Nor did it act on `affinity`, which a ModelBooster does.) */
function workerOf({ affinity, config, ...worker }: Json): Json {
  const flags = jsonOf(config)
  const eager = Object.keys(flags).some((key) => key.replaceAll('_', '-') === 'enforce-eager')
  return compact({ ...worker, affinity, config: eager ? flags : { ...flags, 'enforce-eager': '' } })
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

function known(given: Json, fields: ReadonlySet<string>, at: string, lost: Lost): Json {
  for (const name of Object.keys(given)) if (!fields.has(name)) lost(`${at}.${name}`, 'a Model has no such field')
  return Object.fromEntries(Object.entries(given).filter(([name]) => fields.has(name)))
}
