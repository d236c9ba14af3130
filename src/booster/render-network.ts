/** Where requests for a booster go: a ModelServer for each backend and one ModelRoute over them. */
import { revisionHash } from '#base/json.ts'
import {
  defaultEnginePort,
  enginePortOf,
  type NormalBackend,
  type NormalBooster,
  type NormalRoute,
  type NormalTarget,
  servedModelName,
} from '#api/model-booster-normal.ts'
import { kvConnectorOf } from '#api/model-booster-rules-connector.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { backendChildName, childMeta, family } from './names.ts'

export function renderServer(booster: NormalBooster, backend: NormalBackend): AnyResource {
  const { labels, podLabels } = family
  const [worker] = backend.workers
  const connector = backend.type === 'vLLMDisaggregated' ? kvConnectorOf(backend) : undefined
  const pdGroup = {
    groupKey: podLabels.groupName,
    prefillLabels: { [podLabels.role]: 'prefill' },
    decodeLabels: { [podLabels.role]: 'decode' },
  }
  const spec = {
    model: servedModelName(booster, backend),
    inferenceEngine: 'vLLM',
    workloadSelector: {
      matchLabels: {
        [labels.modelUid]: booster.uid,
        [labels.backendName]: backend.name,
        [podLabels.entry]: 'true',
      },
      ...(backend.type === 'vLLMDisaggregated' ? { pdGroup } : {}),
    },
    workloadPort: { port: (worker === undefined ? undefined : enginePortOf(worker)) ?? defaultEnginePort },
    trafficPolicy: {
      retry: { attempts: 5, retryInterval: '0s' },
      ...(wakes(booster, backend) ? { hold: { timeout: wakeTimeout } } : {}),
    },
    ...(connector === undefined ? {} : { kvConnector: { type: connector } }),
  }
  const metadata = childMeta(booster, backend, revisionHash(spec))
  return { apiVersion: apiVersionOf(ModelServer), kind: ModelServer.kind, metadata, spec }
}

/** Weights take their time to load. */
const wakeTimeout = '5m'

/** Scaled to zero at times: then requests wait for the first pod. */
function wakes({ modelPolicy }: NormalBooster, { policy, min }: NormalBackend): boolean {
  return min === 0 && (modelPolicy ?? policy) !== undefined
}

/**
 * The rule `default` takes requests for the model. With several targets each adapter has a rule of its own after it,
 * over those backends that load it; both then match on the model's name, so that neither takes the other's requests.
 */
export function renderRoute(booster: NormalBooster, route: NormalRoute): AnyResource {
  const { modelName, adapters, modelMatch, targets, rateLimit, parentRefs } = route
  const matchModel = (model: string) => ({
    ...modelMatch,
    body: { ...(modelMatch?.body as object | undefined), model },
  })
  const several = targets.length > 1
  const ownMatch = several && modelName !== undefined ? matchModel(modelName) : modelMatch
  const ownRule = {
    name: 'default',
    ...(ownMatch === undefined ? {} : { modelMatch: ownMatch }),
    targetModels: targetModels(booster, targets),
  }
  const adapterRules = adapters.map((adapter) => ({
    name: adapter,
    modelMatch: matchModel(adapter),
    targetModels: targetModels(booster, targetsWith(booster, targets, adapter)),
  }))
  const spec = {
    ...(modelName === undefined ? {} : { modelName }),
    ...(adapters.length === 0 ? {} : { loraAdapters: adapters }),
    ...(parentRefs === undefined ? {} : { parentRefs }),
    rules: [...(several && modelName === undefined ? [] : [ownRule]), ...(several ? adapterRules : [])],
    ...(rateLimit === undefined ? {} : { rateLimit }),
  }
  const metadata = { ...childMeta(booster, undefined, revisionHash(spec)), name: route.name }
  return { apiVersion: apiVersionOf(ModelRoute), kind: ModelRoute.kind, metadata, spec }
}

function targetModels(booster: NormalBooster, targets: readonly NormalTarget[]) {
  return targets.map(({ backend, weight }) => ({
    modelServerName: backendChildName(booster, { name: backend }),
    ...(weight === undefined ? {} : { weight }),
  }))
}

function targetsWith({ backends }: NormalBooster, targets: readonly NormalTarget[], adapter: string): NormalTarget[] {
  const loading = backends.filter(({ loras }) => loras.some(({ name }) => name === adapter))
  return targets.filter((target) => loading.some(({ name }) => name === target.backend))
}
