/**
 * A ModelBooster from the list of backends to the single one and back. What the two forms take for granted differs, so
 * that is written out; a policy of the spec is that of the whole model in a list, and of the only backend in the other.
 */
import type { AnyResource } from '#machinery/meta.ts'
import { compact, type Conversion, jsonOf, listOf, lossesOf } from './conversion.ts'

export function toListForm(booster: AnyResource): Conversion {
  const { backend, autoscalingPolicy: specPolicy, costExpansionRatePercent: rate, ...spec } = jsonOf(booster.spec)
  if (backend === undefined) return { objects: [booster], losses: [] }
  const { list, lost } = lossesOf(booster)
  const { minReplicas, scaleToZeroGracePeriod, kvEvents, ...given } = jsonOf(backend)
  const policy = specPolicy ?? given['autoscalingPolicy']
  if (rate !== undefined) lost('spec.costExpansionRatePercent', 'has no meaning for one backend')
  if (scaleToZeroGracePeriod !== undefined)
    lost('spec.backend.scaleToZeroGracePeriod', 'a backend of a list that scales by itself keeps one group at least')
  const toZero = policy !== undefined && minReplicas === 0
  if (toZero)
    lost('spec.backend.minReplicas', 'a backend of a list that scales by itself keeps one group at least: now 1')
  const only = compact({
    ...given,
    minReplicas: toZero ? 1 : minReplicas,
    kvEvents: { enabled: jsonOf(kvEvents)['enabled'] ?? false },
    autoscalingPolicy: policy,
  })
  return { objects: [{ ...booster, spec: { ...spec, backends: [only] } }], losses: list }
}

export function toSingleForm(booster: AnyResource): Conversion {
  const { backends, autoscalingPolicy: modelPolicy, costExpansionRatePercent: rate, ...spec } = jsonOf(booster.spec)
  const [first, ...others] = listOf(backends)
  if (first === undefined) return { objects: [booster], losses: [] }
  const { list, lost } = lossesOf(booster)
  others.forEach((_, i) =>
    lost(`spec.backends[${i + 1}]`, 'a single backend leaves no room for another; make a booster of it'),
  )
  const { scalingCost, kvEvents, ...given } = jsonOf(first)
  if (modelPolicy !== undefined)
    lost('spec.autoscalingPolicy', 'scales the backend and not the model: its objects are named <model>-<backend>')
  if (rate !== undefined) lost('spec.costExpansionRatePercent', 'has no meaning for one backend')
  if (scalingCost !== undefined) lost('spec.backends[0].scalingCost', 'has no meaning for one backend')
  const only = compact({
    ...given,
    kvEvents: { enabled: jsonOf(kvEvents)['enabled'] ?? true },
    autoscalingPolicy: modelPolicy ?? given['autoscalingPolicy'],
  })
  return { objects: [{ ...booster, spec: { ...spec, backend: only } }], losses: list }
}
