import { ControllerRevision, Pod, Service } from '#api/core/kinds.ts'
import { ModelServing, type ModelServingStatus } from '#api/model-serving.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keysOfController } from '#controller/owned.ts'
import { type Observed, observe } from './observe.ts'
import { plan } from './plan.ts'
import { noRouters, type Routers } from './routers.ts'
import { status } from './status.ts'

/** With routers, a pod that they can route to is ready only when they do, and is emptied before it goes. */
export function servingController(
  routers: Routers = noRouters,
): ControllerDefinition<ModelServing, Observed, ModelServingStatus> {
  return {
    name: 'fairlead-serving',
    kind: ModelServing,
    domain: { observe: (serving, read, signal) => observe(serving, read, { routers, signal }), plan, status },
    watches: [Pod, Service, ControllerRevision].map((kind) => ({ kind, keysOf: keysOfController(ModelServing) })),
  }
}
