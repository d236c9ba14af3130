import { Pod } from '#api/core/kinds.ts'
import type { Dialect } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { adapterControllerName, createAdapterController } from '#booster/lora/controller.ts'
import { startController } from '#controller/start-controller.ts'
import { connectPlainly } from '#kube/plain-fetch.ts'
import type { Kind } from '#machinery/kind.ts'
import { closingAfter } from './closing-after.ts'
import type { Startable } from './controllers.ts'

/** The controller of LoRA adapters, which brings its own connections to pods. */
export function adapterLoader(dialect: Dialect): Startable {
  const { booster, route, serving } = kindsOf(dialect)
  return {
    name: adapterControllerName(dialect),
    kind: Pod,
    kinds: [Pod, booster, route, serving] as readonly Kind[],
    start(runtime) {
      const connection = connectPlainly()
      const running = startController(createAdapterController(connection.fetch, dialect), runtime)
      return closingAfter(running, () => connection[Symbol.asyncDispose]())
    },
  }
}
