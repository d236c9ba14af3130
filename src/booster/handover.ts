/**
 * Backends that take the place of others get requests once they can answer them: until then, and no longer than the user
 * allows, routes stay as they are and what they point to is kept. What leaves stays until routers have heard of it.
 */
import { dialectOf } from '#api/dialects.ts'
import { isRoute, isServing, partOf } from '#api/family-kinds.ts'
import type { Resource } from '#machinery/meta.ts'
import type { Found, Observed, Owned } from './observe.ts'
import type { Child } from './settle.ts'

export interface Handover {
  /** Routes that are not written yet, by uid. */
  readonly routes: ReadonlySet<string>
  /** Until it is done in any case. */
  readonly leftMs: number
}

/** `undefined` where nothing is waited for. Read off the world alone, so a restarted controller goes on from here. */
export function handoverOf({ conversion, wanted, owned }: Observed, nowMs: number): Handover | undefined {
  if (!conversion.ok) return undefined
  const { waitMs } = conversion.desired.booster.update
  const old = new Set(leavingIn(wanted, owned))
  const routes = wanted.filter(({ live }) => targetsIn(live).some((target) => old.has(target)))
  const served = new Set(routes.flatMap(({ live }) => targetsIn(live)))
  const coming = wanted.filter(
    (found) => partOf(found.kind) === 'serving' && isComing(found) && !served.has(nameOf(found)),
  )
  if (routes.length === 0 || coming.length === 0) return undefined
  const sinceMs = Math.max(...coming.map(({ live }) => Date.parse(live?.metadata.creationTimestamp ?? '') || nowMs))
  const leftMs = sinceMs + waitMs - nowMs
  return leftMs > 0 ? { routes: new Set(routes.map(({ live }) => live?.metadata.uid ?? '')), leftMs } : undefined
}

/** From a route that was written until every router sends requests by it; times of writes are told in whole seconds. */
const routersHearMs = 2_000

/**
 * For how long what leaves may still get requests; `undefined` where it gets none, cannot answer them anyway, or the user is
 * in a hurry. Told by
 * when the server last saw us change a route, so it holds over a restart.
 */
export function farewellMs(observed: Observed, children: readonly Child[], nowMs: number): number | undefined {
  const { conversion, wanted, owned } = observed
  const waits = conversion.ok && conversion.desired.booster.update.waitMs > 0
  if (!waits || leavingIn(wanted, owned).length === 0) return undefined
  const routes = children.filter(({ kind }) => partOf(kind) === 'route')
  if (routes.some(({ state }) => state === 'differs' || state === 'missing')) return routersHearMs
  const left = Math.max(...routes.map(writtenMs)) + routersHearMs - nowMs
  return left > 0 ? left : undefined
}

function writtenMs({ live, desired }: Child): number {
  const { controllerName } = dialectOf(desired)
  const own = live?.metadata.managedFields?.find(
    ({ manager, operation }) => manager === controllerName && operation === 'Apply',
  )
  return Date.parse(own?.time ?? '') || 0
}

/** Names of servings that answer and are wanted no more; their servers have the same. */
function leavingIn(wanted: readonly Found[], owned: readonly Owned[]): string[] {
  const names = new Set(wanted.map(({ desired }) => desired.metadata.name))
  return owned.flatMap(({ object }) => {
    const { name = '' } = object.metadata
    return isAvailable(object) && !names.has(name) ? [name] : []
  })
}

/** Whether requests may still come to it while a handover is under way. */
export function mayServe({ kind }: Owned): boolean {
  return partOf(kind) === 'serving' || partOf(kind) === 'server'
}

function isComing({ live, desired }: Found): boolean {
  const replicas = isServing(live) ? live.spec.replicas : desired.spec?.['replicas']
  return replicas !== 0 && !isAvailable(live)
}

function isAvailable(object: Resource | undefined): boolean {
  if (!isServing(object)) return false
  const { metadata, status } = object
  const available = status?.conditions?.find(({ type }) => type === 'Available')
  return available?.status === 'True' && (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}

function targetsIn(route: Resource | undefined): string[] {
  if (!isRoute(route)) return []
  return route.spec.rules.flatMap(({ targetModels }) =>
    targetModels.flatMap(({ modelServerName }) => modelServerName ?? []),
  )
}

function nameOf({ desired }: Found): string {
  return desired.metadata.name ?? ''
}
