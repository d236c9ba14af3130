import { endpointsOf, isReady, type RoutingSnapshot, type ServerEntry } from '#routing/snapshot.ts'
import type { Holding } from './holding.ts'
import type { InFlight } from './in-flight.ts'

/** `GET /v1/models`: every name that a route answers to, adapters included, once and in order. */
export function listModels(snapshot: RoutingSnapshot): {
  readonly object: 'list'
  readonly data: readonly ModelObject[]
} {
  const names = new Set([...snapshot.byModel.keys(), ...snapshot.byAdapter.keys()])
  return { object: 'list', data: [...names].sort().map(modelObject) }
}

/** OpenAI's model object. */
export interface ModelObject {
  readonly id: string
  readonly object: 'model'
  readonly created: number
  readonly owned_by: string
}

export function modelObject(id: string): ModelObject {
  return { id, object: 'model', created: 0, owned_by: 'fairlead' }
}

export function hasModel(snapshot: RoutingSnapshot, name: string): boolean {
  return snapshot.byModel.has(name) || snapshot.byAdapter.has(name)
}

/**
 * `GET /debug/endpoints`: what this router can route to at this moment.
 * A pod stands in it once requests for the server can reach it; in a disaggregated server, once its group is whole.
 */
export interface EndpointList {
  readonly models: readonly { readonly model: string; readonly adapter: boolean; readonly routes: readonly string[] }[]
  readonly servers: readonly {
    /** `namespace/name` of the ModelServer. */
    readonly server: string
    readonly ready: boolean
    readonly endpoints: readonly EndpointFacts[]
  }[]
  /** Requests under way at pods that get no more of them. */
  readonly leaving: readonly { readonly uid: string; readonly inFlight: number }[]
}

export interface EndpointFacts {
  /** `namespace/name`. */
  readonly pod: string
  readonly uid: string
  /** Such as `http://10.1.2.3:8000`. */
  readonly origin: string
  readonly role: 'serve' | 'prefill' | 'decode'
  /** Requests of this router under way. */
  readonly inFlight: number
}

export function listEndpoints(snapshot: RoutingSnapshot, inFlight: InFlight): EndpointList {
  const models = [
    ...[...snapshot.byModel].map(([model, routes]) => ({ model, adapter: false, routes })),
    ...[...snapshot.byAdapter].map(([model, routes]) => ({ model, adapter: true, routes })),
  ]
  const servers = [...snapshot.servers.values()].map((server) => ({
    server: server.key,
    ready: isReady(server),
    endpoints: rolesOf(server).map(([role, endpoint]) => ({ ...endpoint, role, inFlight: inFlight.of(endpoint) })),
  }))
  const routable = new Set(servers.flatMap(({ endpoints }) => endpoints.map(({ uid }) => uid)))
  return {
    models: models.map((entry) => ({ ...entry, routes: entry.routes.map(({ key }) => key) })),
    servers,
    leaving: [...inFlight.all()].flatMap(([uid, count]) => (routable.has(uid) ? [] : [{ uid, inFlight: count }])),
  }
}

/** `GET /debug/load`: what the autoscaler reads, and what wakes a model that was scaled to zero. */
export interface LoadList {
  readonly servers: readonly {
    /** `namespace/name` of the ModelServer. */
    readonly server: string
    /** Requests at pods. */
    readonly inFlight: number
    /** Requests that no pod was there for. */
    readonly waiting: number
  }[]
}

export function listLoad(snapshot: RoutingSnapshot, inFlight: InFlight, holding: Holding): LoadList {
  return {
    servers: [...snapshot.servers.values()].map((server) => ({
      server: server.key,
      inFlight: endpointsOf(server).reduce((sum, endpoint) => sum + inFlight.of(endpoint), 0),
      waiting: holding.waiting(server.key),
    })),
  }
}

function rolesOf({ backend }: ServerEntry) {
  if (backend.kind === 'plain') return backend.endpoints.map((endpoint) => ['serve', endpoint] as const)
  const prefill = new Set(backend.pairings.flatMap((pairing) => pairing.prefill))
  return [
    ...[...prefill].map((endpoint) => ['prefill', endpoint] as const),
    ...backend.pairings.map(({ decode }) => ['decode', decode] as const),
  ]
}
