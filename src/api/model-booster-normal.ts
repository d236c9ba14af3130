/**
 * One shape for both ways to write a ModelBooster: `spec.backends[]` (a list) and `spec.backend` (one object).
 *
 * The rules and the planner read this instead of the stored object, which is never rewritten. It is made from
 * any JSON: what is missing or of a wrong type becomes a neutral value here and an error in the rules.
 */
import { isObject } from '#base/json.ts'
import { parseDuration } from '#machinery/duration.ts'
import type { Resource } from '#machinery/meta.ts'
import type {
  Affinity,
  EnvFromSource,
  EnvVar,
  LocalObjectReference,
  ResourceRequirements,
  Toleration,
} from './core/types.generated.ts'
import { type Dialect, dialectOf } from './dialects.ts'
import type { ModelBackend, ModelBoosterSpec } from './model-booster.ts'

/** `multi` is `spec.backends`, `single` is `spec.backend`; some defaults differ, as they did before there were both. */
type BoosterForm = 'multi' | 'single'
type JsonMap = Readonly<Record<string, unknown>>

export interface NormalBooster {
  readonly dialect: Dialect
  readonly form: BoosterForm
  readonly name: string
  readonly namespace: string | undefined
  readonly uid: string
  /** What clients write as `model`: `spec.name`, else the object's name. */
  readonly requestName: string
  readonly modelMatch: JsonMap | undefined
  /** Scales all backends as one pool; only in the list form. */
  readonly modelPolicy: JsonMap | undefined
  readonly costExpansionRatePercent: number
  readonly backends: readonly NormalBackend[]
  /** Of the model's own route. */
  readonly rateLimit: ModelBoosterSpec['rateLimit']
  readonly parentRefs: ModelBoosterSpec['parentRefs']
  readonly additionalRoutes: readonly NormalRoute[]
  readonly update: {
    /** How long old backends keep their requests until new ones are ready; 0 not at all. */
    readonly waitMs: number
    readonly followPlatformImages: boolean
  }
}

export interface NormalRoute {
  readonly path: string
  readonly name: string
  readonly modelName: string | undefined
  readonly loraAdapters: readonly string[]
  readonly modelMatch: JsonMap | undefined
  /** Names of backends; `undefined` is all of them, with their own weights. */
  readonly targets: readonly { readonly backend: string; readonly weight: number }[] | undefined
  readonly rateLimit: ModelBoosterSpec['rateLimit']
  readonly parentRefs: ModelBoosterSpec['parentRefs']
}

export interface NormalBackend {
  /** Where it stands: `spec.backends[1]` or `spec.backend`. */
  readonly path: string
  /** As written, for rules about what was given. */
  readonly given: JsonMap
  readonly name: string
  readonly type: string
  readonly modelURI: string
  readonly cacheURI: string | undefined
  readonly env: readonly EnvVar[]
  readonly envFrom: readonly EnvFromSource[]
  /** Serving groups to begin with, and the bounds within which a policy may move them. */
  readonly initial: number
  readonly min: number
  readonly max: number
  readonly cost: number
  /** Share of requests among the backends; `undefined` leaves it to the router. */
  readonly weight: number | undefined
  /** Go duration; `undefined` where no policy scales the backend to zero. */
  readonly scaleToZeroGracePeriod: string | undefined
  readonly workers: readonly NormalWorker[]
  readonly loras: readonly Lora[]
  /** Scales this backend alone. */
  readonly policy: JsonMap | undefined
  readonly schedulerName: string | undefined
  readonly runtimeClassName: string | undefined
  readonly serviceAccountName: string | undefined
  readonly imagePullSecrets: readonly LocalObjectReference[] | undefined
  /** Where the engine publishes KV cache events; `undefined` where it does not. */
  readonly kvEvents: NonNullable<ModelBackend['kvEvents']> | undefined
  /** Set only where gang scheduling was asked for; its role counts may still be open. */
  readonly gang: { readonly minRoleReplicas: JsonMap | undefined } | undefined
  readonly networkTopology: JsonMap | undefined
  readonly topologySpreadConstraints: ModelBackend['topologySpreadConstraints']
  readonly recoveryPolicy: ModelBackend['recoveryPolicy']
  readonly rolloutStrategy: ModelBackend['rolloutStrategy']
  readonly restartGracePeriodSeconds: number | undefined
  readonly engine: NonNullable<ModelBackend['engine']>
  readonly runtime: NonNullable<ModelBackend['runtime']>
  readonly downloader: NonNullable<ModelBackend['downloader']>
  readonly autoscaling: NonNullable<ModelBackend['autoscaling']>
  readonly trafficPolicy: ModelBackend['trafficPolicy']
}

export interface NormalWorker {
  readonly path: string
  readonly given: JsonMap
  readonly type: string
  readonly image: string
  /** Role replicas in a serving group. */
  readonly replicas: number
  /** Pods of one role replica: an entry pod and its followers. At least 1. */
  readonly pods: number
  readonly resources: ResourceRequirements | undefined
  readonly affinity: Affinity | undefined
  readonly tolerations: readonly Toleration[] | undefined
  readonly nodeSelector: Record<string, string> | undefined
  /** Engine arguments, keys as written. */
  readonly config: JsonMap
}

interface Lora {
  readonly name: string
  readonly artifactURL: string
}

/** Variables of a backend's `env` that the controller reads, besides handing them on. */
export const backendEnv = {
  /** Base URL of the engine, as the sidecar sees it. */
  runtimeUrl: 'RUNTIME_URL',
  runtimePort: 'RUNTIME_PORT',
  runtimeMetricsPath: 'RUNTIME_METRICS_PATH',
  allowRuntimeLora: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING',
  skipEngineDependencyInstall: 'KTHENA_SKIP_ENGINE_DEPENDENCY_INSTALL',
} as const

const defaultCostExpansionRatePercent = 200
const defaultScaleToZeroGracePeriod = '30s'
const defaultRouteWeight = 100
/** Weights take their time to load. */
const defaultUpdateTimeoutMs = 30 * 60_000
export const defaultEnginePort = 8000
export const defaultRuntimePort = 8100

/** The form that the spec is written in; `undefined` when it has both keys or neither. */
export function formOf(spec: JsonMap): BoosterForm | undefined {
  const multi = isGiven(spec.backends)
  return multi === isGiven(spec.backend) ? undefined : multi ? 'multi' : 'single'
}

/** Total: never throws, whatever the JSON. A spec in no form, or in both, has no backends. */
export function normalBooster(object: Resource): NormalBooster {
  const { metadata: givenMetadata, spec: givenSpec } = object as Resource & { spec?: unknown }
  const metadata = mapOf(givenMetadata)
  const spec = mapOf(givenSpec)
  const form = formOf(spec)
  const name = textOf(metadata.name) ?? ''
  const modelPolicy = form === 'multi' ? optionalMap(spec.autoscalingPolicy) : undefined
  const context = { form, modelPolicy, specPolicy: optionalMap(spec.autoscalingPolicy) }
  return {
    dialect: dialectOf(object),
    form: form ?? 'multi',
    name,
    namespace: textOf(metadata.namespace),
    uid: textOf(metadata.uid) ?? '',
    requestName: textOf(spec.name) || name,
    modelMatch: optionalMap(spec.modelMatch),
    modelPolicy,
    costExpansionRatePercent: numberOf(spec.costExpansionRatePercent) ?? defaultCostExpansionRatePercent,
    backends:
      form === undefined
        ? []
        : form === 'single'
          ? [normalBackend('spec.backend', spec.backend, context)]
          : listOf(spec.backends).map((backend, i) => normalBackend(`spec.backends[${i}]`, backend, context)),
    rateLimit: optionalMap(spec.rateLimit) as NormalBooster['rateLimit'],
    parentRefs: optionalList(spec.parentRefs) as NormalBooster['parentRefs'],
    additionalRoutes: listOf(spec.additionalRoutes).map((route, i) =>
      normalRoute(`spec.additionalRoutes[${i}]`, route),
    ),
    update: normalUpdate(mapOf(spec.updateStrategy)),
  }
}

function normalRoute(path: string, value: unknown): NormalRoute {
  const { name, modelName, loraAdapters, modelMatch, targets, rateLimit, parentRefs } = mapOf(value)
  return {
    path,
    name: textOf(name) ?? '',
    modelName: textOf(modelName) || undefined,
    loraAdapters: listOf(loraAdapters).filter((adapter) => typeof adapter === 'string'),
    modelMatch: optionalMap(modelMatch),
    targets: optionalList(targets)?.map((target) => {
      const { backend, weight } = mapOf(target)
      return { backend: textOf(backend) ?? '', weight: numberOf(weight) ?? defaultRouteWeight }
    }),
    rateLimit: optionalMap(rateLimit) as NormalBooster['rateLimit'],
    parentRefs: optionalList(parentRefs) as NormalBooster['parentRefs'],
  }
}

function normalUpdate({ waitForReady, timeout, followPlatformImages }: JsonMap): NormalBooster['update'] {
  const timeoutMs = typeof timeout === 'string' ? parseDuration(timeout) : undefined
  return {
    waitMs: waitForReady === false ? 0 : (timeoutMs ?? defaultUpdateTimeoutMs),
    followPlatformImages: followPlatformImages === true,
  }
}

interface SpecContext {
  readonly form: BoosterForm | undefined
  readonly modelPolicy: JsonMap | undefined
  readonly specPolicy: JsonMap | undefined
}

function normalBackend(path: string, value: unknown, { form, modelPolicy, specPolicy }: SpecContext): NormalBackend {
  const given = mapOf(value)
  const replicas = numberOf(given.replicas)
  const min = numberOf(given.minReplicas) ?? replicas ?? 0
  const max = numberOf(given.maxReplicas) ?? replicas ?? min
  const gang = mapOf(given.gangPolicy)
  const kvEvents: NonNullable<ModelBackend['kvEvents']> = mapOf(given.kvEvents)
  const engine: NonNullable<ModelBackend['engine']> = mapOf(given.engine)
  return {
    path,
    given,
    name: textOf(given.name) ?? '',
    type: textOf(given.type) ?? '',
    modelURI: textOf(given.modelURI) ?? '',
    cacheURI: textOf(given.cacheURI) || undefined,
    env: listOf(given.env).filter(isEnvVar),
    envFrom: listOf(given.envFrom).filter(isObject),
    initial: replicas ?? min,
    min,
    max,
    cost: numberOf(given.scalingCost) ?? 0,
    weight: numberOf(given.routeWeight) ?? (form === 'single' ? undefined : defaultRouteWeight),
    scaleToZeroGracePeriod:
      textOf(given.scaleToZeroGracePeriod) ?? (modelPolicy === undefined ? undefined : defaultScaleToZeroGracePeriod),
    workers: listOf(given.workers).map((worker, i) => normalWorker(`${path}.workers[${i}]`, worker, engine.port)),
    loras: listOf(given.loraAdapters).map((lora) => ({
      name: textOf(mapOf(lora).name) ?? '',
      artifactURL: textOf(mapOf(lora).artifactURL) ?? '',
    })),
    policy: optionalMap(given.autoscalingPolicy) ?? (form === 'single' ? specPolicy : undefined),
    schedulerName: textOf(given.schedulerName) || undefined,
    runtimeClassName: textOf(given.runtimeClassName) || undefined,
    serviceAccountName: textOf(given.serviceAccountName) || undefined,
    imagePullSecrets: optionalList(given.imagePullSecrets) as LocalObjectReference[] | undefined,
    kvEvents: (kvEvents.enabled ?? form !== 'single') ? kvEvents : undefined,
    gang: gang.enabled === true ? { minRoleReplicas: optionalMap(gang.minRoleReplicas) } : undefined,
    networkTopology: optionalMap(given.networkTopology),
    // As with what is below workers, the structural schema has checked these.
    topologySpreadConstraints: optionalList(
      given.topologySpreadConstraints,
    ) as NormalBackend['topologySpreadConstraints'],
    recoveryPolicy: textOf(given.recoveryPolicy) as NormalBackend['recoveryPolicy'],
    rolloutStrategy: optionalMap(given.rolloutStrategy) as NormalBackend['rolloutStrategy'],
    restartGracePeriodSeconds: numberOf(given.restartGracePeriodSeconds),
    engine,
    runtime: mapOf(given.runtime),
    downloader: mapOf(given.downloader),
    autoscaling: mapOf(given.autoscaling),
    trafficPolicy: optionalMap(given.trafficPolicy),
  }
}

/** `enginePort` is that of the whole backend, for workers that name none. */
function normalWorker(path: string, value: unknown, enginePort: number | undefined): NormalWorker {
  const given = mapOf(value)
  const config = mapOf(given.config)
  const named = enginePort === undefined || configValue({ config }, 'port') !== undefined
  return {
    path,
    given,
    type: textOf(given.type) || 'server',
    image: textOf(given.image) ?? '',
    replicas: numberOf(given.replicas) ?? 1,
    pods: Math.max(1, numberOf(given.pods) ?? 1),
    // The structural schema has checked what is below these; they go into the pod template as they are.
    resources: optionalMap(given.resources),
    affinity: optionalMap(given.affinity),
    tolerations: optionalList(given.tolerations) as Toleration[] | undefined,
    nodeSelector: optionalMap(given.nodeSelector) as Record<string, string> | undefined,
    config: named ? config : { ...config, port: enginePort },
  }
}

/** The engine argument `key`, whether written with `-` or `_`; the last one wins, as on a command line. */
export function configValue(worker: Pick<NormalWorker, 'config'>, key: string): unknown {
  return Object.entries(worker.config).findLast(([name]) => flagKey(name) === key)?.[1]
}

/** A config key as the engine's flag spells it. Upper case is kept. */
export function flagKey(key: string): string {
  return key.replaceAll('_', '-')
}

/** The port that a worker's engine listens on, or `undefined` where `config.port` is no port. */
export function enginePortOf(worker: NormalWorker): number | undefined {
  const value = configValue(worker, 'port')
  return value === undefined ? defaultEnginePort : portOf(value)
}

/** A port given as a number or a numeric string. */
export function portOf(value: unknown): number | undefined {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535 ? port : undefined
}

/** The value of an environment variable that is given literally. */
export function envLiteral(backend: NormalBackend, name: string): string | undefined {
  return backend.env.findLast((entry) => entry.name === name)?.value
}

/** The name under which the engines of a backend serve the base model, and to which the router rewrites requests. */
export function servedModelName(booster: NormalBooster, { workers }: NormalBackend): string {
  if (booster.dialect.servedName === 'last') {
    return workers.map(servedNameOf).findLast((name) => name !== undefined) ?? booster.name
  }
  const answering = workers.filter(({ type }) => type === 'server' || type === 'decode')
  return answering.map(servedNameOf).find((name) => name !== undefined) ?? booster.name
}

/** A worker's `served-model-name`, if it has one that can be served. */
export function servedNameOf(worker: Pick<NormalWorker, 'config'>): string | undefined {
  const value = configValue(worker, 'served-model-name')
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'number' ? String(first) : textOf(first) || undefined
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function isEnvVar(value: unknown): value is EnvVar {
  return isObject(value) && typeof value.name === 'string'
}

function mapOf(value: unknown): JsonMap {
  return isObject(value) ? value : {}
}

function optionalMap(value: unknown): JsonMap | undefined {
  return isObject(value) ? value : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function optionalList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
