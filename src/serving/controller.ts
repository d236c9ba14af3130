import { ControllerRevision, Pod, Service } from '#api/core/kinds.ts'
import { ModelServing, type ModelServingStatus } from '#api/model-serving.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keysOfController } from '#controller/owned.ts'
import { type Observed, observe } from './observe.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

export const servingController: ControllerDefinition<ModelServing, Observed, ModelServingStatus> = {
  name: 'fairlead-serving',
  kind: ModelServing,
  domain: { observe, plan, status },
  watches: [Pod, Service, ControllerRevision].map((kind) => ({ kind, keysOf: keysOfController(ModelServing) })),
}
