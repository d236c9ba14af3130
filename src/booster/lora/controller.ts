import { Pod } from '#api/core/kinds.ts'
import type { Dialect } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import type { Reader } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Fetch } from '#machinery/http.ts'
import { isAdapterPod } from './adapters.ts'
import { adapterDomain, type PodObserved } from './domain.ts'
import { adapterCalls } from './perform.ts'

/** By the family whose pods it tends. */
export const adapterControllerName = ({ controllerName }: Dialect): string => `${controllerName}-adapters`

/** Pods wait for downloads side by side. */
const workers = 16

/** Loads and unloads LoRA adapters in engines that run. `fetch` reaches pods. */
export function createAdapterController(fetch: Fetch, dialect: Dialect): ControllerDefinition<Pod, PodObserved, never> {
  const { booster, route, serving } = kindsOf(dialect)
  const podsOf = (uid: string | undefined, read: Reader) => podKeys(dialect, uid, read)
  return {
    name: adapterControllerName(dialect),
    kind: Pod,
    workers,
    domain: adapterDomain(dialect),
    concerns: isAdapterPod,
    perform: adapterCalls(fetch),
    watches: [
      { kind: booster, keysOf: ({ metadata: { uid } }, read) => podsOf(uid, read) },
      { kind: serving, keysOf: () => [] }, // only looked up
      { kind: route, keysOf: (object, read) => podsOf(controllerOf(object)?.uid, read) },
    ],
  }
}

function podKeys({ labels }: Dialect, boosterUid: string | undefined, read: Reader): string[] {
  if (boosterUid === undefined) return []
  const pods = read.list(Pod, { labels: { [labels.modelUid]: boosterUid } })
  return pods.filter(isAdapterPod).map((pod) => keyOf(placeOf(pod)))
}
