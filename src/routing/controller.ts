import { Pod } from '#api/core/kinds.ts'
import { ModelRoute, type ModelRouteStatus } from '#api/model-route.ts'
import { ModelServer, type ModelServerStatus } from '#api/model-server.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { modelRouteDomain, type RouteObserved, routesAskedFor, routesTo } from './route-status.ts'
import { modelServerDomain, type ServerObserved, serversOf } from './server-status.ts'

/** Owns the status of ModelRoutes, and nothing else. */
export const modelRouteController: ControllerDefinition<ModelRoute, RouteObserved, ModelRouteStatus> = {
  name: 'fairlead-modelroute',
  kind: ModelRoute,
  domain: modelRouteDomain,
  watches: [
    {
      kind: ModelServer,
      keysOf: (object, read) => routesTo(object, read).map(keyOfObject),
    },
    {
      kind: ModelRoute,
      keysOf(object, read) {
        const sharing = routesAskedFor(object as ModelRoute, read) // a watch of this kind sees nothing else
        return sharing.filter(({ metadata }) => metadata.uid !== object.metadata.uid).map(keyOfObject)
      },
    },
  ],
}

/** Owns the status of ModelServers, and nothing else. */
export const modelServerController: ControllerDefinition<ModelServer, ServerObserved, ModelServerStatus> = {
  name: 'fairlead-modelserver',
  kind: ModelServer,
  domain: modelServerDomain,
  watches: [
    {
      kind: Pod,
      keysOf(object, read) {
        const pod = object as Pod // a watch of this kind sees nothing else
        if (pod.status?.phase === undefined || pod.status.phase === 'Pending') return [] // never was an endpoint
        return serversOf(pod, read).map(keyOfObject)
      },
    },
  ],
}

function keyOfObject(object: Resource): string {
  return keyOf(placeOf(object))
}
