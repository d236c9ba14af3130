import { Pod } from '#api/core/kinds.ts'
import { type Dialect, kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ModelRoute, ModelRouteStatus } from '#api/model-route.ts'
import type { ModelServerStatus, ModelServer } from '#api/model-server.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { routeDomain, type RouteObserved, routesAskedFor, routesTo } from './route-status.ts'
import { modelServerDomain, type ServerObserved, serversOf } from './server-status.ts'

type RouteController = ControllerDefinition<ModelRoute, RouteObserved, ModelRouteStatus>
type ServerController = ControllerDefinition<ModelServer, ServerObserved, ModelServerStatus>

/** Owns the status of the routes of a family, and nothing else. */
export function routeController(dialect: Dialect = kthena): RouteController {
  const kinds = kindsOf(dialect)
  return {
    name: `fairlead-modelroute${suffixOf(dialect)}`,
    kind: kinds.route,
    domain: routeDomain(kinds),
    watches: [
      {
        kind: kinds.server,
        keysOf: (object, read) => routesTo(kinds, object, read).map(keyOfObject),
      },
      {
        kind: kinds.route,
        keysOf(object, read) {
          const sharing = routesAskedFor(kinds, object as ModelRoute, read) // a watch of this kind sees nothing else
          return sharing.filter(({ metadata }) => metadata.uid !== object.metadata.uid).map(keyOfObject)
        },
      },
    ],
  }
}

/** Owns the status of the servers of a family, and nothing else. */
export function serverController(dialect: Dialect = kthena): ServerController {
  const kinds = kindsOf(dialect)
  return {
    name: `fairlead-modelserver${suffixOf(dialect)}`,
    kind: kinds.server,
    domain: modelServerDomain,
    watches: [
      {
        kind: Pod,
        keysOf(object, read) {
          const pod = object as Pod // a watch of this kind sees nothing else
          if (pod.status?.phase === undefined || pod.status.phase === 'Pending') return [] // never was an endpoint
          return serversOf(kinds, pod, read).map(keyOfObject)
        },
      },
    ],
  }
}

function suffixOf(dialect: Dialect): string {
  return dialect === kthena ? '' : `-${dialect.name}`
}

function keyOfObject(object: Resource): string {
  return keyOf(placeOf(object))
}
