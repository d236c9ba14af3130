/** Where requests for a booster go: a ModelServer for each backend and one ModelRoute over them. */
import { revisionHash } from '#base/json.ts'
import { kindsOf } from '#api/family-kinds.ts'
import {
  defaultEnginePort,
  enginePortOf,
  type NormalBackend,
  type NormalBooster,
  type NormalRoute,
  servedModelName,
} from '#api/model-booster-normal.ts'
import { kvConnectorOf } from '#api/model-booster-rules-connector.ts'
import { targetsOf } from '#api/model-booster-rules-route.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { backendChildName, childMeta, typeOf } from './names.ts'

const defaultRetry = { attempts: 5, retryInterval: '0s' }

export function renderServer(booster: NormalBooster, backend: NormalBackend): AnyResource {
  const { labels, podLabels, tellsConnector } = booster.dialect
  const [worker] = backend.workers
  const pair = backend.type === 'vLLMDisaggregated'
  const connector = pair && tellsConnector ? kvConnectorOf(backend) : undefined
  const pdGroup = {
    groupKey: podLabels.groupName,
    prefillLabels: { [podLabels.role]: 'prefill' },
    decodeLabels: { [podLabels.role]: 'decode' },
  }
  const spec = {
    model: servedModelName(booster, backend),
    inferenceEngine: backend.type === 'SGLang' ? 'SGLang' : 'vLLM',
    workloadSelector: {
      matchLabels: {
        [labels.modelUid]: booster.uid,
        [labels.backendName]: backend.name,
        [podLabels.entry]: 'true',
      },
      ...(pair ? { pdGroup } : {}),
    },
    workloadPort: { port: (worker === undefined ? undefined : enginePortOf(worker)) ?? defaultEnginePort },
    trafficPolicy: {
      retry: defaultRetry,
      ...(wakes(booster, backend) ? { hold: { timeout: wakeTimeout } } : {}),
      ...backend.trafficPolicy,
    },
    ...(connector === undefined ? {} : { kvConnector: { type: connector } }),
  }
  const metadata = childMeta(booster, backend, revisionHash(spec))
  return { ...typeOf(kindsOf(booster.dialect).server), metadata, spec }
}

/** Weights take their time to load. */
const wakeTimeout = '5m'

/** Scaled to zero at times: then requests wait for the first pod. */
function wakes({ modelPolicy }: NormalBooster, { policy, min }: NormalBackend): boolean {
  return min === 0 && (modelPolicy ?? policy) !== undefined
}

/** The model's own route, and those beside it. */
export function renderRoutes(booster: NormalBooster): AnyResource[] {
  return [ownRoute(booster), ...booster.additionalRoutes.map((route) => additionalRoute(booster, route))]
}

/**
 * The rule `default` takes requests for the model. With several backends each adapter has a rule of its own after it,
 * over those backends that load it; both then match on the model's name, so that neither takes the other's requests.
 */
function ownRoute(booster: NormalBooster): AnyResource {
  const { backends, requestName, modelMatch, rateLimit, parentRefs } = booster
  const elsewhere = new Set(booster.additionalRoutes.flatMap(({ loraAdapters }) => loraAdapters))
  const adapters = [...new Set(backends.flatMap(({ loras }) => loras.map(({ name }) => name)))]
    .filter((name) => !elsewhere.has(name))
    .toSorted()
  const matchModel = (model: string) => ({
    ...modelMatch,
    body: { ...(modelMatch?.body as object | undefined), model },
  })
  const several = backends.length > 1
  const ownMatch = several ? matchModel(requestName) : modelMatch
  const adapterRules = adapters.map((adapter) => ({
    name: adapter,
    modelMatch: matchModel(adapter),
    targetModels: targetModels(
      booster,
      backends.filter(({ loras }) => loras.some(({ name }) => name === adapter)),
    ),
  }))
  return routeOf(booster, booster.name, {
    modelName: requestName,
    ...(adapters.length === 0 ? {} : { loraAdapters: adapters }),
    ...optional({ rateLimit, parentRefs }),
    rules: [
      {
        name: 'default',
        ...optional({ modelMatch: ownMatch }),
        targetModels: targetModels(booster, backends),
      },
      ...(several ? adapterRules : []),
    ],
  })
}

function additionalRoute(booster: NormalBooster, route: NormalRoute): AnyResource {
  const { name, modelName, loraAdapters, rateLimit, parentRefs, modelMatch } = route
  return routeOf(booster, `${booster.name}-${name}`, {
    ...optional({ modelName, rateLimit, parentRefs }),
    ...(loraAdapters.length === 0 ? {} : { loraAdapters: [...loraAdapters] }),
    rules: [
      {
        name: 'default',
        ...optional({ modelMatch }),
        targetModels: targetModels(booster, targetsOf(booster, route)),
      },
    ],
  })
}

function targetModels(booster: NormalBooster, backends: readonly NormalBackend[]) {
  return backends.map((backend) => ({
    modelServerName: backendChildName(booster, backend),
    ...optional({ weight: backend.weight }),
  }))
}

function routeOf(booster: NormalBooster, name: string, spec: Record<string, unknown>): AnyResource {
  const metadata = { ...childMeta(booster, undefined, revisionHash(spec)), name }
  return { ...typeOf(kindsOf(booster.dialect).route), metadata, spec }
}

/** Only the members that have a value. */
function optional(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}
