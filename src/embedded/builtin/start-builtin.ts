import { CustomResourceDefinition, Namespace, Node, PersistentVolumeClaim, Pod } from '#api/core/kinds.ts'
import { factsOf } from '#base/log.ts'
import type { RunningController } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import type { Kind } from '#machinery/kind.ts'
import type { BuiltinRuntime } from './builtin-runtime.ts'
import { startGarbageCollector } from './garbage-collector.ts'
import { jobController } from './jobs.ts'
import { createKindSet } from './kind-set.ts'
import { startNamespaceController } from './namespaces.ts'
import { startPodBinder } from './pod-binder.ts'
import { startPvcBinder } from './pvc-binder.ts'

export interface BuiltinOptions extends BuiltinRuntime {
  /** All kinds that the server has from the start; those of CustomResourceDefinitions are found. */
  readonly kinds: readonly Kind[]
}

/** Starts what a cluster's own controllers and its scheduler do, as ordinary clients of the API. */
export function startBuiltin({ kinds: given, ...runtime }: BuiltinOptions): RunningController {
  const { informers, log } = runtime
  const stop = new AbortController()
  const kinds = createKindSet(informers, given)
  // Those who read whole objects first: the others share their caches.
  const runners = [
    startPodBinder(runtime),
    startPvcBinder(runtime),
    startNamespaceController(runtime, kinds),
    startGarbageCollector(runtime, kinds),
  ]
  const jobs = startController(jobController, runtime)
  let isStarted = false

  async function start(): Promise<void> {
    const needed = [CustomResourceDefinition, Namespace, Node, PersistentVolumeClaim, Pod] as readonly Kind[]
    await Promise.all([...needed, ...kinds.all()].map((kind) => informers.of(kind).synced(stop.signal)))
    for (const runner of runners) runner.start()
    isStarted = true
  }
  const starting = start().catch((error: unknown) => {
    if (!stop.signal.aborted) log.error('bug', factsOf(error))
  })

  return {
    idle: () => isStarted && jobs.idle() && runners.every((runner) => runner.idle()),
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException('the builtin controllers were stopped', 'AbortError'))
      await starting
      await Promise.all([...runners, jobs].map((each) => each[Symbol.asyncDispose]()))
    },
  }
}
