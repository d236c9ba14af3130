import type { SimulatedContainer, SimulatedEvent, SimulatedProcess } from '#simulator/containers.ts'
import type { ContainerRuntime } from './container-runtime.ts'

/** The part of a `Simulation` that the node uses. */
export interface SimulationHandle {
  start(container: SimulatedContainer, tell: (event: SimulatedEvent) => void): SimulatedProcess
}

export function simulatedRuntime(simulation: SimulationHandle): ContainerRuntime {
  return {
    reportsPorts: true,
    simulated: true,
    start({ podUid, image, command, args, env, host, mapped }, tell) {
      const started = simulation.start({ pod: podUid, image, command, args, env, network: { host, mapped } }, tell)
      return {
        stop: (signal) => started.stop(signal),
        get: (port, path) => started.probe(port, path),
      }
    },
  }
}
