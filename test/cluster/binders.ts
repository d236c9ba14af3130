import { CustomResourceDefinition, Node, PersistentVolumeClaim, Pod } from '#api/core/kinds.ts'
import type { RunningController, Runtime } from '#controller/controller.ts'
import { startPodBinder } from '#embedded/builtin/pod-binder.ts'
import { startPvcBinder } from '#embedded/builtin/pvc-binder.ts'
import type { Kind } from '#machinery/kind.ts'

const seen = [CustomResourceDefinition, Node, PersistentVolumeClaim, Pod] as readonly Kind[]

/** What a cluster without a scheduler and without storage lacks for pods to run. */
export async function startBinders(runtime: Runtime): Promise<RunningController> {
  await using stack = new AsyncDisposableStack()
  const binders = [stack.use(startPodBinder(runtime)), stack.use(startPvcBinder(runtime))]
  await Promise.all(seen.map((kind) => runtime.informers.of(kind).synced()))
  for (const binder of binders) binder.start()
  const started = stack.move()
  return {
    idle: () => binders.every((binder) => binder.idle()),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
