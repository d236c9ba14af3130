/**
 * How each wanted child stands against what bears its name, and what to write where they differ.
 *
 * Compared is what we set; what others add beside it, and what the server fills in, is theirs. A field that we have
 * given up shows in the revision label. Three things in a serving are not as rendered: its replicas, which a scaler moves
 * while a policy targets the backend, the platform's images, which must not restart pods on their own account, and the
 * adapters that pods start with, where engines can load others while they run.
 */
import { isObject } from '#base/json.ts'
import type { Container, PodSpec } from '#api/core/types.generated.ts'
import { dialectOf } from '#api/dialects.ts'
import { isRoute, isServing, partOf } from '#api/family-kinds.ts'
import type { NormalBackend, NormalBooster } from '#api/model-booster-normal.ts'
import type { ModelServingSpecInput } from '#api/model-serving.ts'
import { controllerOf } from '#controller/owned.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import type { Desired, DesiredBackend } from './convert.ts'
import { type Adapters, isHot, templateAdapters } from './lora/adapters.ts'
import { type HotBackends, routable } from './lora/observed.ts'
import { backendChildName } from './names.ts'
import type { Found } from './observe.ts'
import { renderRoutes } from './render-network.ts'

/**
 * - `missing`, `differs`: to be written
 * - `current`: as we want it
 * - `leaving`: being deleted, or left over from a former booster of this name; written once it is gone
 * - `replaced`: has a field that cannot change, so it has to go first
 * - `foreign`: somebody else's; never touched
 */
type ChildState = 'missing' | 'differs' | 'current' | 'leaving' | 'replaced' | 'foreign'

export interface Child extends Found {
  readonly state: ChildState
}

export function settle(desired: Desired, wanted: readonly Found[], hot: HotBackends): Child[] {
  const servings = new Map(desired.backends.map((backend) => [backend.serving.metadata.name, backend]))
  const adapted = wanted.map((found) => {
    const backend = partOf(found.kind) === 'serving' ? servings.get(found.desired.metadata.name) : undefined
    return backend === undefined ? found : { ...found, desired: adaptServing(backend, found, desired.booster.update) }
  })
  const routes = hot.size === 0 ? new Map() : routesNow(desired.booster, adapted, hot)
  return adapted.map((found) => {
    const route = partOf(found.kind) === 'route' ? routes.get(found.desired.metadata.name) : undefined
    const child = route === undefined ? found : { ...found, desired: route }
    return { ...child, state: stateOf(desired.booster.uid, child) }
  })
}

/** The routes, by name, without adapters that no engine has yet. */
function routesNow(booster: NormalBooster, servings: readonly Found[], hot: HotBackends): Map<string, AnyResource> {
  const backends = booster.backends.map((backend) => {
    const name = backendChildName(booster, backend)
    const serving = servings.find(({ kind, desired }) => partOf(kind) === 'serving' && desired.metadata.name === name)
    return routable(
      backend,
      serving === undefined ? undefined : adaptersIn(serving.desired.spec as ModelServingSpecInput),
      hot,
    )
  })
  return new Map(renderRoutes({ ...booster, backends }).map((route) => [route.metadata.name ?? '', route]))
}

/** Those that pods of a serving start with. */
function adaptersIn({ template }: ModelServingSpecInput): Adapters | undefined {
  return templateAdapters(template.roles[0]?.entryTemplate.metadata?.annotations)
}

function stateOf(uid: string, { desired, live }: Found): ChildState {
  if (live === undefined) return 'missing'
  const owner = controllerOf(live)
  const ours =
    owner === undefined ? live.metadata.labels?.[dialectOf(desired).labels.modelUid] === uid : owner.uid === uid
  if (!ours) return owner !== undefined && isSameOwner(owner, desired) ? 'leaving' : 'foreign'
  if (live.metadata.deletionTimestamp !== undefined) return 'leaving'
  if (isRoute(live) && live.spec.modelName !== specOf(desired)['modelName']) return 'replaced'
  const same =
    includes(live.metadata.labels, desired.metadata.labels) &&
    owner !== undefined &&
    desired.metadata.ownerReferences?.every((reference) => includes(owner, reference)) === true &&
    includes(specOf(live), specOf(desired))
  return same ? 'current' : 'differs'
}

/** A booster of this name was deleted and made anew, and garbage collection has not come by yet. */
function isSameOwner(owner: { kind: string; name: string }, desired: AnyResource): boolean {
  const own = controllerOf(desired)
  return own !== undefined && own.kind === owner.kind && own.name === owner.name
}

function adaptServing(
  { scaled, backend, servingWith }: DesiredBackend,
  { desired: wanted, live }: Found,
  { followPlatformImages }: NormalBooster['update'],
): AnyResource {
  if (!isServing(live)) return wanted
  const { controllerName, labels } = dialectOf(wanted)
  const { revision } = labels
  const former = live.metadata.labels?.[revision]
  const changed = former !== undefined && former !== wanted.metadata.labels?.[revision]
  // Adapters reach the engines that run, so they alone are no reason for new pods.
  const started = isHot(backend) ? adaptersIn(live.spec) : undefined
  const before = started === undefined ? undefined : servingWith(lorasOf(started))
  const desired: AnyResource =
    before !== undefined && samePods(live.spec, before.spec, backend) ? { ...before } : wanted
  let spec = desired.spec as ModelServingSpecInput
  if (scaled) {
    const { replicas: _, ...rest } = spec
    const present = live.spec.replicas
    const replicas = Math.min(Math.max(present, backend.min), backend.max)
    // Claiming the number that a scaler has set would take it from the scaler, and revert it from a stale cache.
    spec = replicas === present && hasOtherManager(live, controllerName) ? rest : { ...rest, replicas }
  }
  if (followPlatformImages || changed) return { ...desired, spec }
  const kept = withImages(spec, imagesOf(live.spec, backend))
  return { ...desired, spec: includes(live.spec, kept) ? kept : spec }
}

/** Whether pods would stay as they are, platform's images apart. */
function samePods(live: ModelServingSpecInput, spec: ModelServingSpecInput, backend: NormalBackend): boolean {
  return includes(podsOf(live), podsOf(withImages(spec, imagesOf(live, backend))))
}

function podsOf({ template }: ModelServingSpecInput): unknown {
  return template.roles.map(({ name, workerReplicas, entryTemplate, workerTemplate }) => {
    return { name, workerReplicas, entryTemplate, workerTemplate }
  })
}

function lorasOf(adapters: Adapters): NormalBackend['loras'] {
  return Object.entries(adapters).map(([name, artifactURL]) => ({ name, artifactURL }))
}

function hasOtherManager(live: Resource, own: string): boolean {
  const managers = (live.metadata.managedFields ?? []).filter(({ fieldsV1 }) => {
    const spec = fieldsV1['f:spec']
    return isObject(spec) && 'f:replicas' in spec
  })
  return managers.some(({ manager }) => manager !== own)
}

interface Images {
  readonly downloader: string | undefined
  readonly runtime: string | undefined
}

/** The platform's, as they are; those that the user has named are none of these. */
function imagesOf({ template }: ModelServingSpecInput, { downloader, runtime }: NormalBackend): Images {
  const pod = template.roles[0]?.entryTemplate.spec as PodSpec | undefined
  return {
    downloader: downloader.image === undefined ? pod?.initContainers?.[0]?.image : undefined,
    runtime: runtime.image === undefined ? pod?.containers.find(({ name }) => name === 'runtime')?.image : undefined,
  }
}

function withImages(spec: ModelServingSpecInput, { downloader, runtime }: Images): ModelServingSpecInput {
  const set = (containers: readonly Container[], image: string | undefined, name?: string) =>
    containers.map((container) =>
      image === undefined || (name !== undefined && container.name !== name) ? container : { ...container, image },
    )
  const adapt = <T extends { readonly spec: unknown }>(template: T): T => {
    const pod = template.spec as PodSpec // typed as unknown on the way into the schema
    const init = pod.initContainers === undefined ? {} : { initContainers: set(pod.initContainers, downloader) }
    return { ...template, spec: { ...pod, ...init, containers: set(pod.containers, runtime, 'runtime') } }
  }
  const roles = spec.template.roles.map((role) => ({
    ...role,
    entryTemplate: adapt(role.entryTemplate),
    ...(role.workerTemplate === undefined ? {} : { workerTemplate: adapt(role.workerTemplate) }),
  }))
  return { ...spec, template: { ...spec.template, roles } }
}

function specOf(object: Resource): Record<string, unknown> {
  const { spec } = object as AnyResource
  return spec ?? {}
}

/** Every value of `wanted` is in `live`; lists match item by item. */
function includes(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(live) && live.length === wanted.length && wanted.every((item, i) => includes(live[i], item))
  }
  if (!isObject(wanted)) return live === wanted
  if (!isObject(live)) return false
  return Object.entries(wanted).every(([key, value]) => value === undefined || includes(live[key], value))
}
