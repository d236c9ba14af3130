/** How far the adapters of a booster's backends have come, as its pods tell. */
import { Pod } from '#api/core/kinds.ts'
import type { NormalBackend, NormalBooster } from '#api/model-booster-normal.ts'
import type { Reader } from '#controller/domain.ts'
import { type Adapters, adaptersOf, differing, isHot, isServing, loadedIn } from './adapters.ts'

export interface PodAdapters {
  readonly pod: string
  readonly present: Adapters
  readonly failed: Readonly<Record<string, string>>
}

/** By backend: the pods whose engines answer. Backends whose adapters do not change while engines run are not in it. */
export type HotBackends = ReadonlyMap<string, readonly PodAdapters[]>

export function observeAdapters({ dialect, backends, namespace, uid }: NormalBooster, read: Reader): HotBackends {
  const { labels, podLabels } = dialect
  return new Map(
    backends.filter(isHot).map(({ name }) => {
      const selector = { [labels.modelUid]: uid, [labels.backendName]: name, [podLabels.entry]: 'true' }
      const pods = read.list(Pod, { namespace, labels: selector }).filter(isServing)
      return [
        name,
        pods.map((pod) => ({
          pod: pod.metadata.name ?? '',
          present: loadedIn(pod).adapters,
          failed: loadedIn(pod).failed,
        })),
      ]
    }),
  )
}

/**
 * The backend with those adapters alone for which a route may send it requests: of a hot one, those that new pods start
 * with or that an engine has by now.
 */
export function routable(backend: NormalBackend, template: Adapters | undefined, hot: HotBackends): NormalBackend {
  const pods = hot.get(backend.name)
  if (pods === undefined || template === undefined) return backend
  const has = (adapters: Adapters, name: string) => adapters[name] !== undefined
  const loras = backend.loras.filter(
    ({ name }) => has(template, name) || pods.some(({ present }) => has(present, name)),
  )
  return { ...backend, loras }
}

export interface Unsynced {
  readonly message: string
  readonly failed: boolean
}

/** What pods lack, have too much, or could not do, pod by pod. */
export function unsynced({ backends }: NormalBooster, hot: HotBackends): Unsynced[] {
  return backends.flatMap((backend) =>
    (hot.get(backend.name) ?? []).flatMap(({ pod, present, failed }) => {
      const names = differing(adaptersOf(backend), present)
      if (names.length === 0) return []
      const problems = names.flatMap((name) => failed[name] ?? [])
      const detail = problems.length > 0 ? problems.join(', ') : `waiting for ${names.join(', ')}`
      return [{ message: `pod ${pod}: ${detail}`, failed: problems.length > 0 }]
    }),
  )
}
