import { Pod } from '#api/core/kinds.ts'
import { ModelRoute, type ModelRouteStatus } from '#api/model-route.ts'
import { ModelServer, type ModelServerStatus } from '#api/model-server.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { selects } from './candidates.ts'
import { modelRouteDomain, namesOf, type RouteObserved, serverNamesOf } from './route-status.ts'
import { modelServerDomain, type ServerObserved } from './server-status.ts'

/** Owns the status of ModelRoutes, and nothing else. */
export const modelRouteController: ControllerDefinition<ModelRoute, RouteObserved, ModelRouteStatus> = {
  name: 'fairlead-modelroute',
  kind: ModelRoute,
  domain: modelRouteDomain,
  watches: [
    {
      kind: ModelServer,
      keysOf: ({ metadata }, read) =>
        read
          .list(ModelRoute, { namespace: metadata.namespace })
          .filter((route) => serverNamesOf(route).includes(metadata.name ?? ''))
          .map(keyOfObject),
    },
    {
      kind: ModelRoute,
      keysOf(object, read) {
        const names = new Set(namesOf(object as ModelRoute)) // a watch of this kind sees nothing else
        return read
          .list(ModelRoute)
          .filter(
            (route) => route.metadata.uid !== object.metadata.uid && namesOf(route).some((name) => names.has(name)),
          )
          .map(keyOfObject)
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
        const servers = read.list(ModelServer, { namespace: pod.metadata.namespace })
        return servers.filter((server) => selects(server, pod)).map(keyOfObject)
      },
    },
  ],
}

function keyOfObject(object: Resource): string {
  return keyOf(placeOf(object))
}
