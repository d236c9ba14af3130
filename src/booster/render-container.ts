/** The containers of a serving pod: downloader and sidecar of the platform, engine and Ray follower of the user. */
import {
  backendEnv,
  defaultEnginePort,
  enginePortOf,
  envLiteral,
  type NormalBackend,
  type NormalBooster,
  portOf,
} from '#api/model-booster-normal.ts'
import { controllerEnvNames } from '#api/model-booster-rules.ts'
import type { Container, EnvVar, Probe, ResourceRequirements, Volume, VolumeMount } from '#api/core/types.generated.ts'
import type { Cache } from '#api/model-booster-rules-storage.ts'
import { downloaderArguments, isDownloaderEnv } from '#engines/downloader.ts'
import { runtimeSidecar, vllm } from '#engines/vllm.ts'
import { containerName, md5 } from './names.ts'

/** Images of the platform's own containers. */
export interface PlatformImages {
  readonly downloader: string
  readonly runtime: string
}

export function weightsVolume(backend: NormalBackend, cache: Cache): Volume {
  const name = weightsVolumeName(backend)
  const { kind, claimName = '', hostPath = '' } = cache
  if (kind === 'pvc') return { name, persistentVolumeClaim: { claimName } }
  if (kind === 'hostPath') return { name, hostPath: { path: hostPath, type: 'DirectoryOrCreate' } }
  return { name, emptyDir: {} }
}

export function weightsMount(backend: NormalBackend, cache: Cache): VolumeMount {
  const subPath = cache.subPath === undefined ? {} : { subPath: cache.subPath }
  return { name: weightsVolumeName(backend), mountPath: cache.mountPath, ...subPath }
}

function weightsVolumeName(backend: NormalBackend): string {
  return `${backend.name}-weights`
}

/** Where the downloader puts a source: its directory is named after the URI, so that a new one starts empty. */
export function downloadPath(cache: Cache, uri: string): string {
  return `${cache.mountPath}/${md5(uri)}`
}

/** One for the model, then one for each adapter. */
export function downloaders(booster: NormalBooster, backend: NormalBackend, cache: Cache, image: string): Container[] {
  const { downloader } = backend
  const shared = userEnv(backend).filter(
    ({ name, value, valueFrom }) => isDownloaderEnv(name) && (valueFrom !== undefined || (value ?? '') !== ''),
  )
  const env = mergeEnv(downloader.env ?? [], shared)
  const sources = [
    { uri: backend.modelURI, suffix: 'model-downloader' },
    ...backend.loras.map(({ artifactURL }, k) => ({ uri: artifactURL, suffix: `lora-downloader-${k}` })),
  ]
  return sources.map(({ uri, suffix }) => ({
    name: containerName(booster.name, suffix),
    image: downloader.image ?? image,
    args: downloaderArguments(uri, downloadPath(cache, uri)),
    ...envOf(env),
    ...envFromOf(backend),
    ...resourcesOf(downloader),
    volumeMounts: [weightsMount(backend, cache)],
  }))
}

export interface SidecarOptions {
  readonly image: string
  readonly enginePort: number
  readonly env: readonly EnvVar[]
  readonly mount: VolumeMount
  readonly probed: boolean
}

/** Engine-independent metrics and LoRA loading beside the engine. */
export function sidecar(booster: NormalBooster, backend: NormalBackend, options: SidecarOptions): Container {
  const port = runtimePort(backend)
  const engineUrl = envLiteral(backend, backendEnv.runtimeUrl) || `http://localhost:${options.enginePort}`
  const metricsPath = envLiteral(backend, backendEnv.runtimeMetricsPath) || vllm.metricsPath
  const readiness = { readinessProbe: httpProbe(runtimeSidecar.healthPath, port) }
  return {
    name: 'runtime',
    image: backend.runtime.image ?? options.image,
    args: Object.entries({
      '--port': String(port),
      '--engine': backend.type.toLowerCase(),
      '--engine-base-url': engineUrl,
      '--engine-metrics-path': metricsPath,
      '--pod': '$(POD_NAME).$(NAMESPACE)',
      '--model': booster.name,
    }).flat(),
    ports: [{ containerPort: port }],
    ...envOf(options.env),
    ...envFromOf(backend),
    ...resourcesOf(backend.runtime),
    volumeMounts: [options.mount],
    ...(options.probed ? readiness : {}),
  }
}

/** Where the pods of a backend tell their metrics. */
export function metricsPort(backend: NormalBackend): number {
  if (backend.runtime.enabled !== false) return runtimePort(backend)
  const [worker] = backend.workers
  return (worker === undefined ? undefined : enginePortOf(worker)) ?? defaultEnginePort
}

export function runtimePort(backend: NormalBackend): number {
  return portOf(envLiteral(backend, backendEnv.runtimePort)) ?? runtimeSidecar.defaultPort
}

/** Every 5 s from the start on: a delay would only keep a ready pod out of service. */
export function httpProbe(path: string, port: number, more: Omit<Probe, 'httpGet'> = {}): Probe {
  return { httpGet: { path, port }, periodSeconds: 5, ...more }
}

const redisEnv: readonly EnvVar[] = [
  { name: 'REDIS_HOST', valueFrom: { configMapKeyRef: { name: 'redis-config', key: 'REDIS_HOST', optional: true } } },
  { name: 'REDIS_PORT', valueFrom: { configMapKeyRef: { name: 'redis-config', key: 'REDIS_PORT', optional: true } } },
  {
    name: 'REDIS_PASSWORD',
    valueFrom: { secretKeyRef: { name: 'redis-secret', key: 'REDIS_PASSWORD', optional: true } },
  },
]

/** What an engine and its sidecar find in their environment; `extras` are those of a role. */
export function engineEnv({ dialect }: NormalBooster, backend: NormalBackend, extras: readonly EnvVar[]): EnvVar[] {
  return mergeEnv(backend.env, [
    fieldEnv('POD_NAME', 'metadata.name'),
    fieldEnv('NAMESPACE', 'metadata.namespace'),
    ...(backend.type === 'SGLang' ? [] : [{ name: 'VLLM_USE_V1', value: '1' }]),
    ...(dialect.redis ? redisEnv : []),
    ...extras,
  ])
}

/** The user's own variables, without those that a controller sets. */
export function userEnv(backend: NormalBackend): EnvVar[] {
  return mergeEnv(backend.env, [])
}

/** One entry for each name, where it first stood; the user's value wins, except for what a controller owns. */
function mergeEnv(given: readonly EnvVar[], injected: readonly EnvVar[]): EnvVar[] {
  const owned = new Set<string>(controllerEnvNames)
  const merged = new Map<string, EnvVar>()
  const ours = new Map(injected.map((entry) => [entry.name, entry]))
  for (const entry of given) {
    const value = owned.has(entry.name) ? ours.get(entry.name) : entry
    if (value !== undefined) merged.set(entry.name, value)
  }
  for (const entry of injected) if (!merged.has(entry.name)) merged.set(entry.name, entry)
  return [...merged.values()]
}

export function fieldEnv(name: string, fieldPath: string): EnvVar {
  return { name, valueFrom: { fieldRef: { fieldPath } } }
}

export function envOf(env: readonly EnvVar[]): Pick<Container, 'env'> {
  return env.length === 0 ? {} : { env: [...env] }
}

export function envFromOf({ envFrom }: NormalBackend): Pick<Container, 'envFrom'> {
  return envFrom.length === 0 ? {} : { envFrom: [...envFrom] }
}

export function resourcesOf({
  resources,
}: {
  readonly resources?: ResourceRequirements | undefined
}): Pick<Container, 'resources'> {
  return resources === undefined ? {} : { resources }
}
