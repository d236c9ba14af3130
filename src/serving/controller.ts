import { ControllerRevision, Pod, Service } from '#api/core/kinds.ts'
import { ModelServing, type ModelServingStatus } from '#api/model-serving.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keysOfController } from '#controller/owned.ts'
import { type Around, type Observed, observe } from './observe.ts'
import { plan } from './plan.ts'
import { noRouters } from './routers.ts'
import { status } from './status.ts'
import { noVolcano } from './volcano.ts'

/**
 * With routers, a pod that they can route to is ready only when they do, and is emptied before it goes. With Volcano,
 * groups that ask for it are placed all or none.
 */
export function servingController({
  routers = noRouters,
  volcano = noVolcano,
}: Partial<Around> = {}): ControllerDefinition<ModelServing, Observed, ModelServingStatus> {
  return {
    name: 'fairlead-serving',
    kind: ModelServing,
    domain: { observe: (serving, read, signal) => observe(serving, read, { routers, volcano }, signal), plan, status },
    watches: [Pod, Service, ControllerRevision].map((kind) => ({ kind, keysOf: keysOfController(ModelServing) })),
  }
}
