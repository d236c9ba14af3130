import type { StartedController } from '#controller/controller.ts'

/** A controller with something of its own, which is closed once it has stopped. */
export function closingAfter(running: StartedController, close: () => PromiseLike<void>): StartedController {
  return {
    ...running,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await close()
    },
  }
}
