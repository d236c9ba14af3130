import { ControllerRevision, Pod, Service } from '#api/core/kinds.ts'
import { type Dialect, kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ModelServing, ModelServingStatus } from '#api/model-serving.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keysOfController } from '#controller/owned.ts'
import { spoken } from './dialect.ts'
import { type Around, type Observed, observe } from './observe.ts'
import { plan } from './plan.ts'
import { noRouters } from './routers.ts'
import { status } from './status.ts'
import { noVolcano } from './volcano.ts'

interface ServingControllerOptions extends Partial<Around> {
  /** Whose servings; ours by default. */
  readonly dialect?: Dialect
}

/**
 * With routers, a pod that they can route to is ready only when they do, and is emptied before it goes. With Volcano,
 * groups that ask for it are placed all or none.
 */
export function servingController({
  routers = noRouters,
  volcano = noVolcano,
  dialect = kthena,
}: ServingControllerOptions = {}): ControllerDefinition<ModelServing, Observed, ModelServingStatus> {
  const own = kindsOf(dialect).serving
  const around = { routers, volcano }
  return {
    name: dialect === kthena ? 'fairlead-serving' : `fairlead-serving-${dialect.name}`,
    kind: own,
    domain: spoken(
      { observe: (serving, read, signal) => observe(serving, read, around, signal), plan, status },
      dialect,
    ),
    watches: [Pod, Service, ControllerRevision].map((kind) => ({ kind, keysOf: keysOfController(own) })),
  }
}
