import { boosterController } from '#booster/controller.ts'
import type { ControllerDefinition, RunningController, Runtime } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import type { Resource } from '#machinery/meta.ts'
import { modelRouteController, modelServerController } from '#routing/controller.ts'
import { servingController } from '#serving/controller.ts'
import { type AutoscalingOptions, startBindingScaler, startPolicyScaler } from './autoscaling.ts'

/** A controller with its types closed over, so that different ones fit into one list. */
interface Startable {
  /** As in the definition: field manager, component of events. */
  readonly name: string
  start(runtime: Runtime, autoscaling: AutoscalingOptions): RunningController
}

/** All our controllers, by the name under which a part of them can be asked for. */
const controllers = {
  'model-booster': [startable(boosterController)],
  'model-serving': [startable(servingController)],
  routing: [startable(modelRouteController), startable(modelServerController)],
  autoscaler: [
    { name: 'fairlead-autoscaler', start: startBindingScaler },
    { name: 'fairlead-autoscaler-policy', start: startPolicyScaler },
  ],
} as const satisfies Readonly<Record<string, readonly Startable[]>>

export type ControllerName = keyof typeof controllers

const controllerNames = Object.keys(controllers) as readonly ControllerName[] // of a constant: the keys are known

/** Starts each with the runtime that `runtimeFor` gives it, in the order of the list. */
export function startControllers(
  runtimeFor: (name: string) => Runtime,
  names: readonly ControllerName[] = controllerNames,
  autoscaling: AutoscalingOptions = {},
): RunningController[] {
  const wanted: readonly Startable[] = names.flatMap((name) => controllers[name])
  return wanted.map((each) => each.start(runtimeFor(each.name), autoscaling))
}

function startable<T extends Resource, Observed, Status>(
  definition: ControllerDefinition<T, Observed, Status>,
): Startable {
  return { name: definition.name, start: (runtime) => startController(definition, runtime) }
}
