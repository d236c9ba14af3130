import type { SimulatedContainer, SimulatedEvent } from '#simulator/containers.ts'
import type { SimulationHandle } from './simulated-runtime.ts'

export interface FakeRun {
  readonly container: SimulatedContainer
  readonly stops: string[]
  tell(event: SimulatedEvent): void
}

/**
 * Containers that do as the test says. Left alone, one opens port 8000 at once (a downloader exits with 0), answers
 * every probe with `status`, and exits when told to stop.
 */
export class FakeSimulation implements SimulationHandle {
  readonly runs: FakeRun[] = []
  status: number | undefined = 200
  /** What a container does after its start; by image. */
  readonly script = new Map<string, readonly SimulatedEvent[]>()
  ignoresTerm = false

  start(container: SimulatedContainer, tell: (event: SimulatedEvent) => void) {
    const run: FakeRun = { container, stops: [], tell }
    this.runs.push(run)
    const usual: SimulatedEvent = container.image.includes('downloader')
      ? { event: 'exited', exitCode: 0 }
      : { event: 'listening', port: 8000, hostPort: 8000 }
    queueMicrotask(() => {
      for (const event of this.script.get(container.image) ?? [usual]) tell(event)
    })
    return {
      probe: async () => this.status,
      stop: (signal: 'TERM' | 'KILL') => {
        run.stops.push(signal)
        if (signal === 'TERM' && this.ignoresTerm) return
        queueMicrotask(() => tell({ event: 'exited', exitCode: signal === 'KILL' ? 137 : 0 }))
      },
    }
  }
}
