import type { FamilyKinds } from '#api/family-kinds.ts'
import type { ModelRoute, ModelRouteStatus } from '#api/model-route.ts'
import { checkModelRoute } from '#api/model-route-rules.ts'
import type { Domain, Index, Reader } from '#controller/domain.ts'
import { setCondition } from '#machinery/conditions.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Condition, Resource } from '#machinery/meta.ts'
import { byAge, needsGateway } from './build-index.ts'

export interface RouteObserved {
  /** Names of the route's ModelServers that exist. */
  readonly servers: ReadonlySet<string>
  /** Routes that go before this one for a name of its. */
  readonly rivals: readonly { readonly name: string; readonly route: string }[]
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** Writes nothing but the route's status. */
export const routeDomain = (kinds: FamilyKinds): Domain<ModelRoute, RouteObserved, ModelRouteStatus> => ({
  observe: (route, read) => ({
    servers: existingServers(kinds, route, read),
    rivals: rivalsOf(route, routesAskedFor(kinds, route, read)),
  }),
  plan: () => ({ stages: [] }),
  status(route, observed, _outcome, nowMs) {
    const observedGeneration = route.metadata.generation ?? 0
    const verdicts = {
      Accepted: accepted(route),
      ResolvedRefs: resolved(route, observed.servers),
      Conflicted: conflicted(observed.rivals),
    }
    let conditions = route.status?.conditions ?? []
    for (const [type, verdict] of Object.entries(verdicts)) {
      conditions = setCondition(conditions, { type, observedGeneration, ...verdict }, nowMs)
    }
    return { observedGeneration, conditions: conditions.filter(({ type }) => type in verdicts) }
  },
})

/** None for what an API server with another schema than ours let through without a spec. */
function rulesOf({ spec }: ModelRoute): ModelRoute['spec']['rules'] {
  return spec?.rules ?? []
}

/** Names of the ModelServers that a route points to. */
function serverNamesOf(route: ModelRoute): readonly string[] {
  return rulesOf(route).flatMap((rule) => rule.targetModels.flatMap(({ modelServerName }) => modelServerName ?? []))
}

/** All that a request can ask a route for. */
function namesOf({ spec }: ModelRoute): readonly string[] {
  return [...(spec?.modelName ? [spec.modelName] : []), ...(spec?.loraAdapters ?? [])]
}

/** Under every name that a request can ask them for. */
const byName: Index<ModelRoute> = { name: 'routeNames', valuesOf: namesOf }
/** Under `namespace/name` of every ModelServer they point to. */
const byServer: Index<ModelRoute> = {
  name: 'routeServers',
  valuesOf: (route) => [...new Set(serverNamesOf(route))].map((name) => `${route.metadata.namespace}/${name}`),
}

/** The routes, `route` among them, that share a name with it. */
export function routesAskedFor(kinds: FamilyKinds, route: ModelRoute, read: Reader): readonly ModelRoute[] {
  return [...new Set(namesOf(route).flatMap((name) => read.find(kinds.route, byName, name)))]
}

export function routesTo(kinds: FamilyKinds, { metadata }: Resource, read: Reader): readonly ModelRoute[] {
  return read.find(kinds.route, byServer, `${metadata.namespace}/${metadata.name}`)
}

function existingServers(kinds: FamilyKinds, route: ModelRoute, read: Reader): ReadonlySet<string> {
  const { namespace } = route.metadata
  return new Set(serverNamesOf(route).filter((name) => read.get(kinds.server, { namespace, name }) !== undefined))
}

/** A model name goes before an adapter of the same name, whatever their ages; else the older route goes first. */
function rivalsOf(route: ModelRoute, routes: readonly ModelRoute[]): RouteObserved['rivals'] {
  const adapters = new Set(route.spec?.loraAdapters)
  return routes.flatMap((other) => {
    if (other.metadata.uid === route.metadata.uid || needsGateway(other)) return []
    const { modelName, loraAdapters = [] } = other.spec
    const older = byAge(other, route) < 0
    const names = [
      ...(modelName && ((older && modelName === route.spec.modelName) || adapters.has(modelName)) ? [modelName] : []),
      ...(older ? loraAdapters.filter((name) => adapters.has(name)) : []),
    ]
    return [...new Set(names)].map((name) => ({ name, route: keyOf(placeOf(other)) }))
  })
}

function accepted(route: ModelRoute): Verdict {
  if (needsGateway(route)) {
    const message = 'spec.parentRefs: Gateways are not supported yet; remove them to have the router serve this route'
    return { status: 'False', reason: 'GatewayNotSupported', message }
  }
  if (rulesOf(route).length === 0) {
    return {
      status: 'False',
      reason: 'NoRules',
      message: 'spec.rules: without a rule no request matches; add one with a target',
    }
  }
  const broken = checkModelRoute(route).map(({ field }) => field)
  if (broken.length === 0) {
    const message = 'The router serves this route.'
    const local = 'spec.rateLimit.global is not supported yet: each router counts by itself.'
    return {
      status: 'True',
      reason: 'Accepted',
      message: route.spec.rateLimit?.global ? `${message} ${local}` : message,
    }
  }
  return {
    status: 'False',
    reason: 'InvalidRegex',
    message: `${firstOf(broken, ', ')}: not a valid regular expression, so it matches nothing; write it in RE2’s syntax`,
  }
}

function resolved(route: ModelRoute, servers: ReadonlySet<string>): Verdict {
  const missing: string[] = []
  const unsupported: string[] = []
  for (const [i, rule] of rulesOf(route).entries()) {
    for (const [j, { modelServerName, externalModelProviderName }] of rule.targetModels.entries()) {
      const path = `spec.rules[${i}].targetModels[${j}]`
      if (modelServerName === undefined) {
        unsupported.push(`${path}.externalModelProviderName: ${externalModelProviderName} cannot be routed to yet`)
      } else if (!servers.has(modelServerName)) {
        const what = `there is no ModelServer ${modelServerName} in this namespace; create it or correct the name`
        missing.push(`${path}.modelServerName: ${what}`)
      }
    }
  }
  const message = firstOf([...missing, ...unsupported], '; ')
  if (missing.length > 0) return { status: 'False', reason: 'BackendNotFound', message }
  if (unsupported.length > 0) return { status: 'False', reason: 'UnsupportedBackend', message }
  return { status: 'True', reason: 'ResolvedRefs', message: 'Every target exists.' }
}

function conflicted(rivals: RouteObserved['rivals']): Verdict {
  if (rivals.length === 0) return { status: 'False', reason: 'NoConflict', message: 'No other route goes first.' }
  const shown = firstOf(
    rivals.map(({ name, route }) => `${route} goes first for ${name}`),
    ', ',
  )
  const message = `${shown}; this route gets only what no rule there matches. Rename one of them, or delete it.`
  return { status: 'True', reason: 'SameModelName', message }
}

/** A message is for reading, and Kubernetes takes none above 32 KiB. */
const mostShown = 5

function firstOf(parts: readonly string[], separator: string): string {
  const more = parts.length > mostShown ? ` and ${parts.length - mostShown} more` : ''
  return `${parts.slice(0, mostShown).join(separator)}${more}`
}
