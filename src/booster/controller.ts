import { ConfigMap, Pod } from '#api/core/kinds.ts'
import { ModelBooster, type ModelBoosterStatus } from '#api/model-booster.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import { groupOf, controllerOf } from '#controller/owned.ts'
import { keyOf, type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { isAdapterPod } from './lora/adapters.ts'
import { controllerName, family } from './names.ts'
import { childKinds, observe, type Observed } from './observe.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

interface BoosterControllerOptions {
  /** Namespace of the ConfigMap that names the platform's images; without it the defaults hold. */
  readonly controllerNamespace?: string
}

type BoosterController = ControllerDefinition<ModelBooster, Observed, ModelBoosterStatus>

/** More than usual: a pass waits for the disk three times and works little between. */
const workers = 16

/** Makes and keeps the servings, servers, route and scaling of every ModelBooster. */
export function createBoosterController({ controllerNamespace }: BoosterControllerOptions = {}): BoosterController {
  const watches: Watch[] = childKinds.map((kind: Kind) => ({ kind, keysOf: boosterKeysOf }))
  watches.push({ kind: Pod, keysOf: (pod) => (isAdapterPod(pod) ? boosterKeysOf(pod) : []) })
  if (controllerNamespace !== undefined) {
    watches.push({
      kind: ConfigMap,
      keysOf: ({ metadata: { name, namespace } }, read) =>
        name === family.configMap.name && namespace === controllerNamespace
          ? read.list(ModelBooster).map((booster) => keyOf(placeOf(booster)))
          : [],
    })
  }
  return {
    name: controllerName,
    kind: ModelBooster,
    workers,
    domain: { observe: (booster, read) => observe(booster, read, controllerNamespace), plan, status },
    watches,
  }
}

export const boosterController: BoosterController = createBoosterController()

/** By the owner or, where a hand has removed that, by the label: either is enough to be put right. */
function boosterKeysOf({ metadata }: Resource): string[] {
  const owner = controllerOf({ apiVersion: '', kind: '', metadata })
  const owned = owner?.kind === family.owner.kind && groupOf(owner.apiVersion) === groupOf(family.owner.apiVersion)
  const names = [owned ? owner.name : undefined, metadata.labels?.[family.labels.modelName]]
  return [...new Set(names)].filter((name) => name !== undefined).map((name) => keyOf({ ...metadata, name }))
}
