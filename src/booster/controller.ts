import { ConfigMap, Pod } from '#api/core/kinds.ts'
import { type Dialect, kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ModelBooster, ModelBoosterStatus } from '#api/model-booster.ts'
import { normalBooster } from '#api/model-booster-normal.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import type { Index, Reader } from '#controller/domain.ts'
import { groupOf, controllerOf } from '#controller/owned.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { isAdapterPod } from './lora/adapters.ts'
import { backendChildName } from './names.ts'
import { childKindsOf, observe, type Observed } from './observe.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

interface BoosterControllerOptions {
  /** Namespace of the ConfigMap that names the platform's images; without it the defaults hold. */
  readonly controllerNamespace?: string
  /** Whose boosters; ours by default. */
  readonly dialect?: Dialect
}

type BoosterController = ControllerDefinition<ModelBooster, Observed, ModelBoosterStatus>

/** More than usual: a pass waits for the disk three times and works little between. */
const workers = 16

/** Makes and keeps the servings, servers, route and scaling of every ModelBooster. */
export function createBoosterController({
  controllerNamespace,
  dialect = kthena,
}: BoosterControllerOptions = {}): BoosterController {
  const kind = kindsOf(dialect).booster
  const boosterKeysOf: Watch['keysOf'] = (object, read) => keysOf(dialect, object, read)
  const watches: Watch[] = childKindsOf(dialect).map((child) => ({ kind: child, keysOf: boosterKeysOf }))
  watches.push({ kind: Pod, keysOf: (pod, read) => (isAdapterPod(pod) ? boosterKeysOf(pod, read) : []) })
  if (controllerNamespace !== undefined) {
    watches.push({
      kind: ConfigMap,
      keysOf: ({ metadata: { name, namespace } }, read) =>
        name === dialect.configMap.name && namespace === controllerNamespace
          ? read.list(kind).map((booster) => keyOf(placeOf(booster)))
          : [],
    })
  }
  return {
    name: dialect.controllerName,
    kind,
    workers,
    domain: { observe: (booster, read) => observe(booster, read, controllerNamespace), plan, status },
    watches,
  }
}

/**
 * By the owner or, where a hand has removed that, by the label: either is enough to be put right. And by the name, which
 * somebody else may have taken, and given free.
 */
function keysOf(dialect: Dialect, object: Resource, read: Reader): string[] {
  const { metadata } = object
  const owner = controllerOf(object)
  const owned = owner?.kind === dialect.boosterKind && groupOf(owner.apiVersion) === dialect.groups.booster
  const names = [owned ? owner.name : undefined, metadata.labels?.[dialect.labels.modelName]]
  const known = names.filter((name) => name !== undefined).map((name) => keyOf({ ...metadata, name }))
  const { booster } = kindsOf(dialect)
  const wanting = owned ? [] : read.find(booster, byChildName, keyOf(placeOf(object)))
  return [...new Set([...known, ...wanting.map((each) => keyOf(placeOf(each)))])]
}

/** Under `namespace/name` of all that they become. */
const byChildName: Index<ModelBooster> = {
  name: 'childNames',
  valuesOf(object) {
    const { namespace } = object.metadata
    const booster = normalBooster(object)
    const beside = [...booster.backends, ...booster.additionalRoutes].map((each) => backendChildName(booster, each))
    return [...new Set([booster.name, ...beside])].map((name) => keyOf({ namespace, name }))
  },
}
