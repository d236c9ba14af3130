import { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import type { Reader } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Fetch } from '#machinery/http.ts'
import { family } from '../names.ts'
import { isAdapterPod } from './adapters.ts'
import { adapterDomain, type PodObserved } from './domain.ts'
import { adapterCalls } from './perform.ts'

export const adapterControllerName = 'model-booster-adapters'

/** Pods wait for downloads side by side. */
const workers = 16

/** Loads and unloads LoRA adapters in engines that run. `fetch` reaches pods. */
export function createAdapterController(fetch: Fetch): ControllerDefinition<Pod, PodObserved, never> {
  return {
    name: adapterControllerName,
    kind: Pod,
    workers,
    domain: adapterDomain,
    perform: adapterCalls(fetch),
    watches: [
      { kind: ModelBooster, keysOf: ({ metadata: { uid } }, read) => podsOf(uid, read) },
      { kind: ModelRoute, keysOf: (route, read) => podsOf(controllerOf(route)?.uid, read) },
    ],
  }
}

function podsOf(boosterUid: string | undefined, read: Reader): string[] {
  if (boosterUid === undefined) return []
  const pods = read.list(Pod, { labels: { [family.labels.modelUid]: boosterUid } })
  return pods.filter(isAdapterPod).map((pod) => keyOf(placeOf(pod)))
}
