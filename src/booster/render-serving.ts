/** The ModelServing of a backend: one role `leader` for vLLM, the roles `prefill` and `decode` when disaggregated. */
import { revisionHash } from '#base/json.ts'
import type { Container, EnvVar, PodSpec, VolumeMount } from '#api/core/types.generated.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { loraAnnotations } from '#api/labels.ts'
import {
  backendEnv,
  defaultEnginePort,
  envLiteral,
  enginePortOf,
  type NormalBackend,
  type NormalBooster,
  type NormalWorker,
  servedModelName,
} from '#api/model-booster-normal.ts'
import { connectorNameOf } from '#api/model-booster-rules-connector.ts'
import type { Cache } from '#api/model-booster-rules-storage.ts'
import type { ModelServingRole, ModelServingSpecInput } from '#api/model-serving.ts'
import { sglangCommand } from '#engines/sglang-command.ts'
import { drainScript } from '#engines/vllm-pre-stop.ts'
import { connectorPackages, rayFollowerCommand, vllmCommand } from '#engines/vllm-command.ts'
import { vllm } from '#engines/vllm.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { adaptersOf, isHot } from './lora/adapters.ts'
import { childMeta, memberLabels, typeOf } from './names.ts'
import {
  downloaders,
  downloadPath,
  engineEnv,
  envFromOf,
  envOf,
  fieldEnv,
  httpProbe,
  type PlatformImages,
  resourcesOf,
  sidecar,
  type SidecarOptions,
  userEnv,
  weightsMount,
  weightsVolume,
} from './render-container.ts'

export interface RenderedServing {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: ModelServingSpecInput
}

type Role = ModelServingSpecInput['template']['roles'][number]
type PodTemplate = ModelServingRole['entryTemplate']

const defaultRestartGraceSeconds = 60
const drainSeconds = 300
/** 30 minutes to load the weights, at one look every 5 s. */
const startupFailures = 360

/** Assumes a backend that the rules accept, of type `vLLM`, `vLLMDisaggregated` or `SGLang`. */
export function renderServing(
  booster: NormalBooster,
  backend: NormalBackend,
  cache: Cache,
  images: PlatformImages,
): RenderedServing {
  return {
    ...typeOf(kindsOf(booster.dialect).serving),
    metadata: childMeta(booster, backend, servingRevision(booster, backend, cache)),
    spec: {
      replicas: backend.initial,
      ...rolloutOf(booster, backend),
      ...servingSpec(booster, backend, cache, images),
    },
  }
}

/**
 * Over all but what may change while a revision lives: the replicas, which a scaler moves, the platform's images,
 * which reach a serving only with another change, and the adapters, which an engine can load while it runs.
 */
function servingRevision(booster: NormalBooster, backend: NormalBackend, cache: Cache): string {
  const images = { downloader: '', runtime: '' }
  return revisionHash({
    ...rolloutOf(booster, backend),
    ...servingSpec(booster, { ...backend, loras: [] }, cache, images),
  })
}

function servingSpec(booster: NormalBooster, backend: NormalBackend, cache: Cache, images: PlatformImages) {
  const render = { booster, backend, cache, images, mount: weightsMount(backend, cache) }
  const roles =
    backend.type !== 'vLLMDisaggregated'
      ? backend.workers.slice(0, 1).map((worker) => leaderRole(render, worker))
      : ['prefill', 'decode'].flatMap((type) =>
          backend.workers.filter((worker) => worker.type === type).map((worker) => pairRole(render, worker)),
        )
  const { gang, networkTopology } = backend
  const pair = backend.type === 'vLLMDisaggregated'
  const schedulerName = backend.schedulerName ?? (pair ? booster.dialect.pairScheduler : undefined)
  const minRoleReplicas =
    gang?.minRoleReplicas ?? Object.fromEntries(roles.map(({ name, replicas }) => [name, replicas]))
  return {
    ...(schedulerName === undefined ? {} : { schedulerName }),
    template: {
      restartGracePeriodSeconds: backend.restartGracePeriodSeconds ?? defaultRestartGraceSeconds,
      ...(gang === undefined ? {} : { gangPolicy: { minRoleReplicas: minRoleReplicas as Record<string, number> } }),
      ...(networkTopology === undefined ? {} : { networkTopology }),
      roles,
    },
  }
}

/** How changes and losses are dealt with: none of it is in a pod. */
function rolloutOf(
  { dialect }: NormalBooster,
  { recoveryPolicy, rolloutStrategy }: NormalBackend,
): Partial<ModelServingSpecInput> {
  return {
    ...dialect.servingSpec,
    ...(recoveryPolicy === undefined ? {} : { recoveryPolicy }),
    ...(rolloutStrategy === undefined ? {} : { rolloutStrategy }),
  }
}

interface Render {
  readonly booster: NormalBooster
  readonly backend: NormalBackend
  readonly cache: Cache
  readonly images: PlatformImages
  readonly mount: VolumeMount
}

const sharedMemory = { name: 'dshm', mountPath: '/dev/shm' }

function leaderRole(render: Render, worker: NormalWorker): Role {
  const { booster, backend, cache, images, mount } = render
  const port = enginePortOf(worker) ?? defaultEnginePort
  const env = engineEnv(booster, backend, [])
  const volumeMounts = [mount, sharedMemory]
  const engine: Container = {
    name: 'engine',
    ...imageOf(worker),
    command: engineCommand(render, worker),
    ...envOf(env),
    ...envFromOf(backend),
    ...resourcesOf(worker),
    volumeMounts,
    ...(backend.engine.portName === undefined ? {} : portsOf(backend, port)),
    readinessProbe: httpProbe(vllm.healthPath, port, { failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1 }),
    ...probesOf(backend),
    ...lifecycleOf(backend, port),
  }
  const follower: Container = {
    name: `${backend.name}-${backend.type}-worker`.toLowerCase(),
    ...imageOf(worker),
    command: backend.type === 'SGLang' ? engineCommand(render, worker) : rayFollowerCommand(backend.engine.rayScript),
    ...envOf(userEnv(backend)),
    ...envFromOf(backend),
    ...resourcesOf(worker),
    volumeMounts,
  }
  const pod = {
    initContainers: downloaders(booster, backend, cache, images.downloader),
    volumes: [weightsVolume(backend, cache), { name: 'dshm', emptyDir: { medium: 'Memory' } }],
    ...placement(render, worker),
  }
  return {
    name: 'leader',
    replicas: worker.replicas,
    workerReplicas: worker.pods - 1,
    entryTemplate: template(render, {
      ...pod,
      containers: [
        ...sidecars(booster, backend, { image: images.runtime, enginePort: port, env, mount, probed: true }),
        engine,
      ],
      terminationGracePeriodSeconds: backend.engine.terminationGracePeriodSeconds ?? drainSeconds,
    }),
    workerTemplate: template(render, { ...pod, containers: [follower] }),
  }
}

const roleEnv: Readonly<Record<string, readonly EnvVar[]>> = {
  prefill: [{ name: 'HF_HUB_OFFLINE', value: '1' }, fieldEnv('HCCL_IF_IP', 'status.podIP')],
  decode: [
    { name: 'HF_HUB_OFFLINE', value: '1' },
    { name: 'GLOO_SOCKET_IFNAME', value: 'eth0' },
    { name: 'TP_SOCKET_IFNAME', value: 'eth0' },
    { name: 'HCCL_SOCKET_IFNAME', value: 'eth0' },
  ],
}

function pairRole(render: Render, worker: NormalWorker): Role {
  const { booster, backend, cache, images, mount } = render
  const port = enginePortOf(worker) ?? defaultEnginePort
  const env = engineEnv(booster, backend, roleEnv[worker.type] ?? [])
  const health = (failureThreshold: number) => httpProbe(vllm.healthPath, port, { failureThreshold })
  const engine: Container = {
    name: 'vllm',
    ...imageOf(worker),
    imagePullPolicy: 'IfNotPresent',
    command: engineCommand(render, worker),
    ...envOf(env),
    ...envFromOf(backend),
    ...portsOf(backend, port),
    ...resourcesOf(worker),
    volumeMounts: [mount, sharedMemory],
    startupProbe: health(startupFailures),
    readinessProbe: health(3),
    livenessProbe: health(3),
    ...probesOf(backend),
    ...(backend.engine.preStop === undefined ? {} : lifecycleOf(backend, port)),
  }
  const { terminationGracePeriodSeconds } = backend.engine
  return {
    name: worker.type,
    replicas: worker.replicas,
    workerReplicas: 0,
    entryTemplate: template(render, {
      initContainers: downloaders(booster, backend, cache, images.downloader),
      containers: [
        ...sidecars(booster, backend, { image: images.runtime, enginePort: port, env, mount, probed: false }),
        engine,
      ],
      ...(terminationGracePeriodSeconds === undefined ? {} : { terminationGracePeriodSeconds }),
      volumes: [weightsVolume(backend, cache), { name: 'dshm', emptyDir: { medium: 'Memory' } }],
      ...placement(render, worker),
    }),
    // Makes the headless service that ENTRY_ADDRESS names; with no followers no pod comes of it.
    workerTemplate: template(render, { containers: [], ...placement(render, worker) }),
  }
}

/** Beside a sidecar, `kubectl logs` and `exec` are meant for the engine, which comes last. */
function template({ booster, backend }: Render, spec: PodSpec): PodTemplate {
  const engine = spec.containers.length > 1 ? spec.containers.at(-1)?.name : undefined
  const annotations = {
    ...(engine === undefined ? {} : { [defaultContainer]: engine }),
    ...(engine !== undefined && isHot(backend)
      ? { [loraAnnotations.template]: JSON.stringify(adaptersOf(backend)) }
      : {}),
  }
  const annotated = Object.keys(annotations).length === 0 ? {} : { annotations }
  return { metadata: { labels: memberLabels(booster, backend), ...annotated }, spec: withLastWords(spec) }
}

/** So that the status of a pod, and from there ours, has the last lines of a container that failed. */
function withLastWords(pod: PodSpec): PodSpec {
  const telling = (each: Container): Container => ({ ...each, terminationMessagePolicy: 'FallbackToLogsOnError' })
  const { containers, initContainers } = pod
  return {
    ...pod,
    ...(initContainers !== undefined && { initContainers: initContainers.map(telling) }),
    containers: containers.map(telling),
  }
}

const defaultContainer = 'kubectl.kubernetes.io/default-container'

function imageOf({ image }: NormalWorker): Pick<Container, 'image'> {
  return image === '' ? {} : { image }
}

function portsOf({ engine: { portName } }: NormalBackend, containerPort: number): Pick<Container, 'ports'> {
  return { ports: [{ containerPort, ...(portName === undefined ? {} : { name: portName }) }] }
}

/** The user's own, in place of ours. */
function probesOf({ engine: { startupProbe, readinessProbe, livenessProbe } }: NormalBackend): Partial<Container> {
  return {
    ...(startupProbe === undefined ? {} : { startupProbe }),
    ...(readinessProbe === undefined ? {} : { readinessProbe }),
    ...(livenessProbe === undefined ? {} : { livenessProbe }),
  }
}

/** SGLang ends its requests by itself when it is told to stop. */
function lifecycleOf({ type, engine: { preStop } }: NormalBackend, port: number): Pick<Container, 'lifecycle'> {
  if (preStop !== undefined) return { lifecycle: { preStop } }
  return type === 'SGLang'
    ? {}
    : { lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', drainScript(port)] } } } }
}

function sidecars(booster: NormalBooster, backend: NormalBackend, options: SidecarOptions): Container[] {
  return backend.runtime.enabled === false ? [] : [sidecar(booster, backend, options)]
}

/** Where the pods may run and as whom; only what was given. */
function placement({ booster, backend }: Render, worker: NormalWorker): Partial<PodSpec> {
  const { runtimeClassName, serviceAccountName, imagePullSecrets, topologySpreadConstraints } = backend
  const { affinity, tolerations, nodeSelector } = worker
  return {
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: [...imagePullSecrets] }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(topologySpreadConstraints === undefined
      ? {}
      : {
          topologySpreadConstraints: topologySpreadConstraints.map((constraint) => ({
            labelSelector: { matchLabels: memberLabels(booster, backend) },
            ...constraint,
          })),
        }),
  }
}

function engineCommand({ booster, backend, cache }: Render, worker: NormalWorker): string[] {
  const { rayScript: script, extraArgs = [] } = backend.engine
  const start = {
    modelPath: downloadPath(cache, backend.modelURI),
    servedName: servedModelName(booster, backend),
    config: worker.config,
    loras: backend.loras.map(({ name, artifactURL }) => ({ name, path: downloadPath(cache, artifactURL) })),
    extraArgs: [...booster.dialect.engineFlags, ...extraArgs],
  }
  if (backend.type === 'SGLang') {
    return sglangCommand({ ...start, port: enginePortOf(worker) ?? defaultEnginePort, pods: worker.pods })
  }
  const spans = worker.type === 'server' && worker.pods > 1
  return vllmCommand({
    ...start,
    lorasLater: isHot(backend),
    kvEvents: backend.kvEvents,
    ray: spans ? { pods: worker.pods, gpus: acceleratorsOf(worker), script } : undefined,
    packages: packagesOf(backend, worker),
  })
}

const nvidiaGpu = 'nvidia.com/gpu'
const accelerators = [nvidiaGpu, 'amd.com/gpu', 'huawei.com/ascend-1980']

/** GPUs of one pod, for Ray: limits, or requests where there are none. */
function acceleratorsOf({ resources }: NormalWorker): number {
  const sum = (amounts: Readonly<Record<string, unknown>> | undefined) =>
    accelerators.reduce((total, name) => total + (Number(amounts?.[name] ?? 0) || 0), 0)
  return sum(resources?.limits) || sum(resources?.requests)
}

/** What the connector of a worker needs in its image; nobody wants pip to run where the cluster has no way out. */
function packagesOf(backend: NormalBackend, worker: NormalWorker) {
  // As Go's strconv.ParseBool reads it, like the released controllers.
  const skip = /^(1|t|T|TRUE|true|True)$/.test(envLiteral(backend, backendEnv.skipEngineDependencyInstall) ?? '')
  const nvidia = backend.workers.some(({ resources }) => Number(resources?.limits?.[nvidiaGpu] ?? 0) > 0)
  const connector = connectorNameOf(worker)
  if (skip || !nvidia || connector === undefined || !Object.hasOwn(connectorPackages, connector)) return []
  const found = connectorPackages[connector]
  return found === undefined ? [] : [found]
}
