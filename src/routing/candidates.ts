import type { Pod } from '#api/core/kinds.ts'
import { routableGate } from '#api/labels.ts'
import type { ModelServer } from '#api/model-server.ts'

/**
 * Running, ready and not on its way out. Where readiness waits for us to route to the pod, it is ready but for that; and
 * it gets no requests any more once somebody has closed that gate.
 */
export function isServing(pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase !== 'Running') return false
  const states = new Map(pod.status.conditions?.map(({ type, status }) => [type, status]))
  if (states.get(routableGate) === 'False') return false
  if (states.get('Ready') === 'True') return true
  const gates = pod.spec?.readinessGates?.map(({ conditionType }) => conditionType) ?? []
  return (
    gates.includes(routableGate) &&
    ['ContainersReady', ...gates].every((type) => type === routableGate || states.get(type) === 'True')
  )
}

type Labels = Readonly<Record<string, string>>

/** Whether `labels` has every pair of `wanted`. No pairs select nothing: a forgotten selector must not take all pods. */
function hasLabels(labels: Labels | undefined, wanted: Labels | undefined): boolean {
  let some = false
  for (const name in wanted) {
    if (labels?.[name] !== wanted[name]) return false
    some = true
  }
  return some
}

export function selects(server: ModelServer, pod: Pod): boolean {
  return (
    server.metadata.namespace === pod.metadata.namespace &&
    hasLabels(pod.metadata.labels, server.spec.workloadSelector.matchLabels)
  )
}

/** A pod with both roles' labels decodes; undefined for a pod that could be neither, or that has no group. */
export function roleOf(
  server: ModelServer,
  pod: Pod,
): { readonly group: string; readonly decodes: boolean } | undefined {
  const { pdGroup } = server.spec.workloadSelector
  const group = pdGroup === undefined ? undefined : pod.metadata.labels?.[pdGroup.groupKey]
  if (pdGroup === undefined || group === undefined) return undefined
  if (hasLabels(pod.metadata.labels, pdGroup.decodeLabels)) return { group, decodes: true }
  return hasLabels(pod.metadata.labels, pdGroup.prefillLabels) ? { group, decodes: false } : undefined
}

/** Finds pods by labels without looking at each of them for each server. */
export class PodsByLabel {
  readonly #pods = new Map<string, Pod[]>()

  constructor(pods: Iterable<Pod>) {
    for (const pod of pods) {
      for (const [name, value] of Object.entries(pod.metadata.labels ?? {})) {
        const key = `${pod.metadata.namespace}/${name}=${value}`
        const list = this.#pods.get(key)
        if (list === undefined) this.#pods.set(key, [pod])
        else list.push(pod)
      }
    }
  }

  of(server: ModelServer): readonly Pod[] {
    let fewest: readonly Pod[] | undefined
    for (const [name, value] of Object.entries(server.spec.workloadSelector.matchLabels ?? {})) {
      const list = this.#pods.get(`${server.metadata.namespace}/${name}=${value}`) ?? []
      if (fewest === undefined || list.length < fewest.length) fewest = list
    }
    return (fewest ?? []).filter((pod) => selects(server, pod))
  }
}
