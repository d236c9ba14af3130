/**
 * Brings the adapters of one pod to what its backend wants:
 *
 *     unload what is gone, or comes from elsewhere now → load what is missing
 *
 * What a route still sends requests for is not taken away; its going wakes the pod again.
 */
import { Pod } from '#api/core/kinds.ts'
import type { Dialect } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { type NormalBackend, type NormalBooster, normalBooster } from '#api/model-booster-normal.ts'
import { cacheOf } from '#api/model-booster-rules-storage.ts'
import type { Domain, Plan, PodCall, Reader } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { vllm } from '#engines/vllm.ts'
import { placeOf } from '#machinery/kind.ts'
import { backendChildName } from '../names.ts'
import { downloadPath, runtimePort } from '../render-container.ts'
import { type Adapters, adaptersOf, isHot, isServing, loadedIn } from './adapters.ts'

/** `undefined` where nothing is to be done with the pod. */
export type PodObserved =
  | {
      readonly backend: NormalBackend
      /** Adapters for which requests may come to the pod. */
      readonly routed: ReadonlySet<string>
    }
  | undefined

export const adapterDomain = (dialect: Dialect): Domain<Pod, PodObserved, never> => ({
  observe(pod, read) {
    if (!isServing(pod)) return undefined
    const booster = boosterOf(dialect, pod, read)
    const name = booster === undefined ? undefined : pod.metadata.labels?.[booster.dialect.labels.backendName]
    const backend = booster?.backends.find((one) => one.name === name)
    if (booster === undefined || backend === undefined || !isHot(backend)) return undefined
    if (!isOwn(booster, backend, pod, read)) return undefined
    return { backend, routed: routedTo(booster, backend, read) }
  },
  plan: planAdapters,
  status: () => undefined,
})

function planAdapters(pod: Pod, observed: PodObserved): Plan {
  if (observed === undefined) return { stages: [] }
  const calls = callsFor(observed.backend, loadedIn(pod).adapters, observed.routed)
  if (calls.length === 0) return { stages: [] }
  const note = calls.map(({ path, body }) => `${wordOf(path)} ${String(body['lora_name'])}`).join(', ')
  return {
    stages: [[{ do: 'call', ref: { kind: Pod, ...placeOf(pod) }, calls, why: { reason: 'AdaptersChanged', note } }]],
  }
}

export function callsFor(backend: NormalBackend, present: Adapters, routed: ReadonlySet<string>): PodCall[] {
  const cache = cacheOf(backend.cacheURI)
  const wanted = adaptersOf(backend)
  const port = runtimePort(backend)
  const missing = backend.loras.filter(({ name, artifactURL }) => present[name] !== artifactURL)
  const gone = Object.keys(present).filter((name) => wanted[name] === undefined && !routed.has(name))
  const moved = missing.map(({ name }) => name).filter((name) => present[name] !== undefined)
  if (cache === undefined) return [] // the rules have said so
  return [
    ...[...gone, ...moved].map((name) => ({ port, path: vllm.unloadLoraPath, body: { lora_name: name } })),
    ...missing.map(({ name, artifactURL }) => ({
      port,
      path: vllm.loadLoraPath,
      body: {
        lora_name: name,
        source: artifactURL,
        output_dir: downloadPath(cache, artifactURL),
        async_download: false,
      },
    })),
  ]
}

export function wordOf(path: string): 'load' | 'unload' {
  return path === vllm.unloadLoraPath ? 'unload' : 'load'
}

function boosterOf(dialect: Dialect, { metadata }: Pod, read: Reader): NormalBooster | undefined {
  const { [dialect.labels.modelName]: name, [dialect.labels.modelUid]: uid } = metadata.labels ?? {}
  const { booster } = kindsOf(dialect)
  const found = name === undefined ? undefined : read.get(booster, { namespace: metadata.namespace, name })
  if (found?.metadata.uid !== uid || found?.metadata.deletionTimestamp !== undefined) return undefined
  return found === undefined ? undefined : normalBooster(found)
}

/** Labels alone say too little: anybody who may make a pod could have its address called. */
function isOwn(booster: NormalBooster, backend: NormalBackend, pod: Pod, read: Reader): boolean {
  const place = { namespace: booster.namespace, name: backendChildName(booster, backend) }
  const serving = read.get(kindsOf(booster.dialect).serving, place)
  return (
    serving !== undefined &&
    controllerOf(serving)?.uid === booster.uid &&
    controllerOf(pod)?.uid === serving.metadata.uid
  )
}

function routedTo(booster: NormalBooster, backend: NormalBackend, read: Reader): ReadonlySet<string> {
  const server = backendChildName(booster, backend)
  const routes = read.list(kindsOf(booster.dialect).route, { namespace: booster.namespace, controllerUid: booster.uid })
  return new Set(
    routes.flatMap(({ spec: { loraAdapters = [], rules } }) =>
      loraAdapters.filter((adapter) =>
        rules.some(
          ({ modelMatch, targetModels }) =>
            (modelMatch?.body?.model ?? adapter) === adapter &&
            targetModels.some(({ modelServerName }) => modelServerName === server),
        ),
      ),
    ),
  )
}
