/** The ModelServing of a backend: one role `leader` for vLLM, the roles `prefill` and `decode` when disaggregated. */
import { revisionHash } from '#base/json.ts'
import type { Container, EnvVar, PodSpec, VolumeMount } from '#api/core/types.generated.ts'
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
import { ModelServing, type ModelServingRole, type ModelServingSpecInput } from '#api/model-serving.ts'
import { drainScript } from '#engines/vllm-pre-stop.ts'
import { connectorPackages, rayFollowerCommand, vllmCommand } from '#engines/vllm-command.ts'
import { vllm } from '#engines/vllm.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { childMeta, memberLabels } from './names.ts'
import {
  downloaders,
  downloadPath,
  engineEnv,
  envFromOf,
  envOf,
  fieldEnv,
  httpProbe,
  type PlatformImages,
  sidecar,
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

const restartGracePeriodSeconds = 60
const drainSeconds = 300
/** 30 minutes to load the weights, at one look every 5 s. */
const startupFailures = 360

/** Assumes a backend that the rules accept, of type `vLLM` or `vLLMDisaggregated`. */
export function renderServing(
  booster: NormalBooster,
  backend: NormalBackend,
  cache: Cache,
  images: PlatformImages,
): RenderedServing {
  return {
    apiVersion: apiVersionOf(ModelServing),
    kind: ModelServing.kind,
    metadata: childMeta(booster, backend, servingRevision(booster, backend, cache)),
    spec: { replicas: backend.initial, ...servingSpec(booster, backend, cache, images) },
  }
}

/**
 * Over all but what may change while a revision lives: the replicas, which a scaler moves, the platform's images,
 * which reach a serving only with another change, and the adapters, which an engine can load while it runs.
 */
function servingRevision(booster: NormalBooster, backend: NormalBackend, cache: Cache): string {
  const images = { downloader: '', runtime: '' }
  return revisionHash(servingSpec(booster, { ...backend, loras: [] }, cache, images))
}

function servingSpec(booster: NormalBooster, backend: NormalBackend, cache: Cache, images: PlatformImages) {
  const render = { booster, backend, cache, images, mount: weightsMount(backend, cache) }
  const roles =
    backend.type === 'vLLM'
      ? backend.workers.slice(0, 1).map((worker) => leaderRole(render, worker))
      : ['prefill', 'decode'].flatMap((type) =>
          backend.workers.filter((worker) => worker.type === type).map((worker) => pairRole(render, worker)),
        )
  const { schedulerName, gang, networkTopology } = backend
  const minRoleReplicas =
    gang?.minRoleReplicas ?? Object.fromEntries(roles.map(({ name, replicas }) => [name, replicas]))
  return {
    ...(schedulerName === undefined ? {} : { schedulerName }),
    template: {
      restartGracePeriodSeconds,
      ...(gang === undefined ? {} : { gangPolicy: { minRoleReplicas: minRoleReplicas as Record<string, number> } }),
      ...(networkTopology === undefined ? {} : { networkTopology }),
      roles,
    },
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
  const env = engineEnv(backend, [])
  const volumeMounts = [mount, sharedMemory]
  const engine: Container = {
    name: 'engine',
    ...imageOf(worker),
    command: engineCommand(render, worker),
    ...envOf(env),
    ...envFromOf(backend),
    ...resourcesOf(worker),
    volumeMounts,
    readinessProbe: httpProbe(vllm.healthPath, port, { failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1 }),
    lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', drainScript(port)] } } },
  }
  const follower: Container = {
    name: `${backend.name}-${backend.type}-worker`.toLowerCase(),
    ...imageOf(worker),
    command: rayFollowerCommand(),
    ...envOf(userEnv(backend)),
    ...envFromOf(backend),
    ...resourcesOf(worker),
    volumeMounts,
  }
  const pod = {
    initContainers: downloaders(booster, backend, cache, images.downloader),
    volumes: [weightsVolume(backend, cache), { name: 'dshm', emptyDir: { medium: 'Memory' } }],
    ...placement(backend, worker),
  }
  const runtime = sidecar(booster, backend, { image: images.runtime, enginePort: port, env, mount, probed: true })
  return {
    name: 'leader',
    replicas: worker.replicas,
    workerReplicas: worker.pods - 1,
    entryTemplate: template(render, {
      ...pod,
      containers: [runtime, engine],
      terminationGracePeriodSeconds: drainSeconds,
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
  const env = engineEnv(backend, roleEnv[worker.type] ?? [])
  const health = (failureThreshold: number) => httpProbe(vllm.healthPath, port, { failureThreshold })
  const engine: Container = {
    name: 'vllm',
    ...imageOf(worker),
    imagePullPolicy: 'IfNotPresent',
    command: engineCommand(render, worker),
    ...envOf(env),
    ...envFromOf(backend),
    ports: [{ containerPort: port }],
    ...resourcesOf(worker),
    volumeMounts: [mount, sharedMemory],
    startupProbe: health(startupFailures),
    readinessProbe: health(3),
    livenessProbe: health(3),
  }
  const runtime = sidecar(booster, backend, { image: images.runtime, enginePort: port, env, mount, probed: false })
  return {
    name: worker.type,
    replicas: worker.replicas,
    workerReplicas: 0,
    entryTemplate: template(render, {
      initContainers: downloaders(booster, backend, cache, images.downloader),
      containers: [runtime, engine],
      volumes: [weightsVolume(backend, cache), { name: 'dshm', emptyDir: { medium: 'Memory' } }],
      ...placement(backend, worker),
    }),
    // Makes the headless service that ENTRY_ADDRESS names; with no followers no pod comes of it.
    workerTemplate: template(render, { containers: [], ...placement(backend, worker) }),
  }
}

/** Beside a sidecar, `kubectl logs` and `exec` are meant for the engine, which comes last. */
function template({ booster, backend }: Render, spec: PodSpec): PodTemplate {
  const engine = spec.containers.length > 1 ? spec.containers.at(-1)?.name : undefined
  const annotations = engine === undefined ? {} : { annotations: { [defaultContainer]: engine } }
  return { metadata: { labels: memberLabels(booster, backend), ...annotations }, spec: withLastWords(spec) }
}

/** So that the status of a pod, and from there ours, has the last lines of a container that failed. */
function withLastWords({ containers, initContainers, ...pod }: PodSpec): PodSpec {
  const telling = (each: Container): Container => ({ ...each, terminationMessagePolicy: 'FallbackToLogsOnError' })
  return {
    ...(initContainers !== undefined && { initContainers: initContainers.map(telling) }),
    containers: containers.map(telling),
    ...pod,
  }
}

const defaultContainer = 'kubectl.kubernetes.io/default-container'

function imageOf({ image }: NormalWorker): Pick<Container, 'image'> {
  return image === '' ? {} : { image }
}

function resourcesOf({ resources }: NormalWorker): Pick<Container, 'resources'> {
  return resources === undefined ? {} : { resources }
}

/** Where the pods may run and as whom; only what was given. */
function placement(backend: NormalBackend, worker: NormalWorker): Partial<PodSpec> {
  const { runtimeClassName, serviceAccountName, imagePullSecrets } = backend
  const { affinity, tolerations, nodeSelector } = worker
  return {
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: [...imagePullSecrets] }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(tolerations === undefined ? {} : { tolerations: [...tolerations] }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  }
}

function engineCommand({ booster, backend, cache }: Render, worker: NormalWorker): string[] {
  return vllmCommand({
    modelPath: downloadPath(cache, backend.modelURI),
    servedName: servedModelName(booster, backend),
    config: worker.config,
    kvEvents: backend.kvEvents,
    loras: backend.loras.map(({ name, artifactURL }) => ({ name, path: downloadPath(cache, artifactURL) })),
    ray: worker.type === 'server' && worker.pods > 1 ? { pods: worker.pods, gpus: acceleratorsOf(worker) } : undefined,
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
