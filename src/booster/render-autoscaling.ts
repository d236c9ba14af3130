/** A policy and the binding that ties it to servings: one pair for the model, or one for each backend that has one. */
import { revisionHash } from '#base/json.ts'
import type { NormalBackend, NormalBooster } from '#api/model-booster-normal.ts'
import { kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { vllm } from '#engines/vllm.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { backendChildName, childMeta, typeOf } from './names.ts'
import { metricsPort } from './render-container.ts'

export interface Autoscaling {
  readonly policies: readonly AnyResource[]
  readonly bindings: readonly AnyResource[]
}

export function renderAutoscaling(booster: NormalBooster): Autoscaling {
  const { modelPolicy, backends, costExpansionRatePercent } = booster
  if (modelPolicy !== undefined) {
    const params = backends.map((backend) => ({
      target: target(booster, backend),
      cost: backend.cost,
      minReplicas: backend.min,
      maxReplicas: backend.max,
      ...grace(backend),
    }))
    return pair(booster, undefined, modelPolicy, { optimizerConfiguration: { params, costExpansionRatePercent } })
  }
  const pairs = backends.map((backend) => {
    if (backend.policy === undefined) return { policies: [], bindings: [] }
    const { min: minReplicas, max: maxReplicas } = backend
    const scalingConfiguration = { target: target(booster, backend), minReplicas, maxReplicas, ...grace(backend) }
    return pair(booster, backend, backend.policy, { scalingConfiguration })
  })
  return {
    policies: pairs.flatMap(({ policies }) => policies),
    bindings: pairs.flatMap(({ bindings }) => bindings),
  }
}

/** Of no use where the last instance never goes. */
function grace({ min, scaleToZeroGracePeriod }: NormalBackend): Readonly<Record<string, string>> {
  return min > 0 || scaleToZeroGracePeriod === undefined ? {} : { scaleToZeroGracePeriod }
}

function pair(
  booster: NormalBooster,
  backend: NormalBackend | undefined,
  policy: Readonly<Record<string, unknown>>,
  scaling: Readonly<Record<string, unknown>>,
): Autoscaling {
  const name = backend === undefined ? booster.name : backendChildName(booster, backend)
  const { policy: policyKind, binding: bindingKind } = kindsOf(booster.dialect)
  const child = (kind: Kind, spec: Record<string, unknown>) => ({
    ...typeOf(kind),
    metadata: childMeta(booster, backend, revisionHash(spec)),
    spec,
  })
  return {
    policies: [child(policyKind, { ...policy })],
    bindings: [child(bindingKind, { policyRef: { name }, ...scaling })],
  }
}

/** A ModelServing is meant where nothing is said. */
function servingRef({ dialect }: NormalBooster): { kind: string; apiVersion?: string } {
  return dialect === kthena ? { kind: dialect.servingKind } : typeOf(kindsOf(dialect).serving)
}

/** Metrics are read from the sidecar of the pods that answer: the leaders, or when disaggregated the decoders. */
function target(booster: NormalBooster, backend: NormalBackend): Record<string, unknown> {
  const { metricRole, metricEndpoint } = backend.autoscaling
  const role = metricRole ?? (backend.type === 'vLLMDisaggregated' ? 'decode' : 'leader')
  return {
    targetRef: { ...servingRef(booster), name: backendChildName(booster, backend) },
    additionalMatchLabels: { [booster.dialect.podLabels.role]: role },
    metricEndpoint: { uri: vllm.metricsPath, port: metricsPort(backend), ...metricEndpoint },
  }
}
