/** The autoscaler as one of our controllers: it brings its own connections, to pods, routers and Prometheus. */
import { createBindingScaler, createPolicyScaler } from '#autoscaler/controller.ts'
import type { AutoscalerParts } from '#autoscaler/observe.ts'
import type { Clock } from '#base/clock.ts'
import type { ControllerDefinition, RunningController, Runtime } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import { connectPlainly } from '#kube/plain-fetch.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Resource } from '#machinery/meta.ts'

export interface AutoscalingOptions
  extends Partial<Pick<AutoscalerParts, 'tickMs' | 'routers' | 'allowedServers' | 'onDecision' | 'onScrape'>> {
  /** For all that has to do with policies; default the runtime's. */
  readonly clock?: Clock
  /** Default connections of its own. */
  readonly fetch?: Fetch
}

const defaultTickMs = 15_000

export function startBindingScaler(runtime: Runtime, options: AutoscalingOptions): RunningController {
  return startScaler(createBindingScaler, runtime, options)
}

export function startPolicyScaler(runtime: Runtime, options: AutoscalingOptions): RunningController {
  return startScaler(createPolicyScaler, runtime, options)
}

function startScaler<T extends Resource, Observed, Status>(
  create: (parts: AutoscalerParts) => ControllerDefinition<T, Observed, Status>,
  runtime: Runtime,
  { clock = runtime.clock, ...options }: AutoscalingOptions,
): RunningController {
  const connection = connectPlainly()
  const defaults = { tickMs: defaultTickMs, routers: () => [], allowedServers: [], fetch: connection.fetch }
  const definition = create({ ...defaults, ...options, client: runtime.client, clock })
  const running = startController(definition, { ...runtime, clock })
  return {
    idle: () => running.idle(),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]()
      await connection[Symbol.asyncDispose]()
    },
  }
}
