import { boosterController } from '#booster/controller.ts'
import type { ControllerDefinition, RunningController, Runtime } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import type { Resource } from '#machinery/meta.ts'
import { modelRouteController, modelServerController } from '#routing/controller.ts'
import { servingController } from '#serving/controller.ts'
import type { Routers } from '#serving/routers.ts'
import { leaderWorkerSetController } from '#serving/leader-worker-set/controller.ts'
import { findVolcano } from '#serving/volcano.ts'

/** A controller with its types closed over, so that different ones fit into one list. */
interface Startable {
  /** As in the definition: field manager, component of events. */
  readonly name: string
  start(runtime: Runtime): RunningController
}

/** All our controllers, by the name under which a part of them can be asked for. */
const controllers = {
  'model-booster': () => [startable(boosterController)],
  'model-serving': ({ routers }) => [
    startableWith('fairlead-serving', ({ client, clock }) =>
      servingController({ ...(routers !== undefined && { routers }), volcano: findVolcano(client, clock) }),
    ),
  ],
  'leader-worker-set': () => [startable(leaderWorkerSetController)],
  routing: () => [startable(modelRouteController), startable(modelServerController)],
} as const satisfies Readonly<Record<string, (parts: ControllerParts) => readonly Startable[]>>

export type ControllerName = keyof typeof controllers

/** Those that nobody gets who does not ask for them. */
const onDemand: ReadonlySet<ControllerName> = new Set(['leader-worker-set'])

export const controllerNames = (Object.keys(controllers) as readonly ControllerName[]) // of a constant: the keys are known
  .filter((name) => !onDemand.has(name))

/** What some controllers need beside the API server. */
export interface ControllerParts {
  /** Who sends requests to pods; nobody by default. */
  readonly routers?: Routers
}

/** Starts each with the runtime that `runtimeFor` gives it, in the order of the list. */
export function startControllers(
  runtimeFor: (name: string) => Runtime,
  names: readonly ControllerName[] = controllerNames,
  parts: ControllerParts = {},
): RunningController[] {
  return names.flatMap((name) => controllers[name](parts)).map((each) => each.start(runtimeFor(each.name)))
}

/** One whose definition needs what it runs on. */
function startableWith<T extends Resource, Observed, Status>(
  name: string,
  define: (runtime: Runtime) => ControllerDefinition<T, Observed, Status>,
): Startable {
  return { name, start: (runtime) => startController(define(runtime), runtime) }
}

function startable<T extends Resource, Observed, Status>(
  definition: ControllerDefinition<T, Observed, Status>,
): Startable {
  return { name: definition.name, start: (runtime) => startController(definition, runtime) }
}
