import type { Pod } from '#api/core/kinds.ts'
import { routableGate } from '#api/labels.ts'
import type { ModelServer } from '#api/model-server.ts'
import { selectorOf, selectsLabels } from '#api/model-server-selector.ts'

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

export function selects(server: ModelServer, pod: Pod): boolean {
  return server.metadata.namespace === pod.metadata.namespace && selectsLabels(server, pod.metadata.labels)
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
    for (const [name, value] of Object.entries(selectorOf(server))) {
      const list = this.#pods.get(`${server.metadata.namespace}/${name}=${value}`) ?? []
      if (fewest === undefined || list.length < fewest.length) fewest = list
    }
    return (fewest ?? []).filter((pod) => selects(server, pod))
  }
}
