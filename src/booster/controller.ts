import { ConfigMap } from '#api/core/kinds.ts'
import { ModelBooster, type ModelBoosterStatus } from '#api/model-booster.ts'
import { normalBooster } from '#api/model-booster-normal.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import type { Index, Reader } from '#controller/domain.ts'
import { groupOf, controllerOf } from '#controller/owned.ts'
import { keyOf, type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { backendChildName, controllerName, family } from './names.ts'
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

/**
 * By the owner or, where a hand has removed that, by the label: either is enough to be put right. And by the name, which
 * somebody else may have taken, and given free.
 */
function boosterKeysOf(object: Resource, read: Reader): string[] {
  const { metadata } = object
  const owner = controllerOf(object)
  const owned = owner?.kind === family.owner.kind && groupOf(owner.apiVersion) === groupOf(family.owner.apiVersion)
  const names = [owned ? owner.name : undefined, metadata.labels?.[family.labels.modelName]]
  const known = names.filter((name) => name !== undefined).map((name) => keyOf({ ...metadata, name }))
  const wanting = owned ? [] : read.find(ModelBooster, byChildName, keyOf(placeOf(object)))
  return [...new Set([...known, ...wanting.map((booster) => keyOf(placeOf(booster)))])]
}

/** Under `namespace/name` of all that they become. */
const byChildName: Index<ModelBooster> = {
  name: 'childNames',
  valuesOf(booster) {
    const { namespace } = booster.metadata
    const { backends, routes, ...normal } = normalBooster(booster)
    const names = [...routes.map(({ name }) => name), ...backends.map((each) => backendChildName(normal, each))]
    return [...new Set(names)].map((name) => keyOf({ namespace, name }))
  },
}
