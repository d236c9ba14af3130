import { ConfigMap, Pod } from '#api/core/kinds.ts'
import { type Dialect, kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ModelBooster, ModelBoosterStatus } from '#api/model-booster.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import { groupOf, controllerOf } from '#controller/owned.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { isAdapterPod } from './lora/adapters.ts'
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
  const boosterKeysOf = (object: Resource) => keysOf(dialect, object)
  const watches: Watch[] = childKindsOf(dialect).map((child) => ({ kind: child, keysOf: boosterKeysOf }))
  watches.push({ kind: Pod, keysOf: (pod) => (isAdapterPod(pod) ? boosterKeysOf(pod) : []) })
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

/** By the owner or, where a hand has removed that, by the label: either is enough to be put right. */
function keysOf(dialect: Dialect, { metadata }: Resource): string[] {
  const owner = controllerOf({ apiVersion: '', kind: '', metadata })
  const owned = owner?.kind === dialect.boosterKind && groupOf(owner.apiVersion) === dialect.groups.booster
  const names = [owned ? owner.name : undefined, metadata.labels?.[dialect.labels.modelName]]
  return [...new Set(names)].filter((name) => name !== undefined).map((name) => keyOf({ ...metadata, name }))
}
