import { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { adapterControllerName, createAdapterController } from '#booster/lora/controller.ts'
import { startController } from '#controller/start-controller.ts'
import { connectPlainly } from '#kube/plain-fetch.ts'
import type { Startable } from './controllers.ts'

/** The controller of LoRA adapters, which brings its own connections to pods. */
export const adapterLoader: Startable = {
  name: adapterControllerName,
  kind: Pod,
  kinds: [Pod, ModelBooster, ModelRoute],
  start(runtime) {
    const connection = connectPlainly()
    const running = startController(createAdapterController(connection.fetch), runtime)
    return {
      ...running,
      async [Symbol.asyncDispose]() {
        await running[Symbol.asyncDispose]()
        await connection[Symbol.asyncDispose]()
      },
    }
  },
}
