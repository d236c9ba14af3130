import type { Clock, Timer } from '#base/clock.ts'
import { messageOf } from '#base/fault.ts'
import { type ContainerCommand, type DownloaderSettings, parseCommand, type SidecarSettings } from './command-line.ts'
import { downloadProblem } from './downloader.ts'
import { startEngine } from './engine.ts'
import type { EngineSettings } from './engine-flags.ts'
import type { Listening } from './http-exchange.ts'
import { startSidecar } from './sidecar.ts'

/** One network for the containers of a pod. */
export interface PodNetwork {
  readonly host: string
  /** Whether the address is shared with other pods, so that every port is a free one of the machine. */
  readonly mapped: boolean
}

export interface SimulatedContainer extends ContainerCommand {
  /** Containers with one pod reach each other. */
  readonly pod: string
  readonly network: PodNetwork
}

export type SimulatedEvent =
  | { readonly event: 'log'; readonly line: string }
  | { readonly event: 'listening'; readonly port: number; readonly hostPort: number }
  | { readonly event: 'exited'; readonly exitCode: number }
  /** It never started; as a container runtime that finds no such program. */
  | { readonly event: 'refused'; readonly message: string }

export interface SimulatedProcess {
  /** What a probe's GET on a port of the pod would answer, without the request; undefined while nothing listens. */
  probe(port: number, path: string): Promise<number | undefined>
  /** TERM ends it once its requests are answered; KILL at once. */
  stop(signal: 'TERM' | 'KILL'): void
}

interface Server extends Listening {
  probe(path: string): number
}

/** The containers of one process. Every container ends with one `exited` or `refused`, and says nothing after it. */
export class Containers {
  readonly #clock: Clock
  /** Pod → its ports → who listens there. */
  readonly #ports = new Map<string, Map<number, Server>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  start(container: SimulatedContainer, tell: (event: SimulatedEvent) => void): SimulatedProcess {
    const program = parseCommand(container)
    const timers = new Set<Timer>()
    let server: Server | undefined
    let servedPort: number | undefined
    let ended = false

    const log = (line: string) => {
      if (!ended) tell({ event: 'log', line })
    }
    const end = (event: SimulatedEvent) => {
      if (ended) return
      ended = true
      for (const timer of timers) timer.cancel()
      server?.kill()
      if (servedPort !== undefined) this.#forget(container.pod, servedPort)
      tell(event)
    }
    const exit = (exitCode: number) => end({ event: 'exited', exitCode })
    const later = (seconds: number, run: () => void) => {
      if (seconds <= 0) return run()
      const timer = this.#clock.after(seconds * 1000, () => {
        timers.delete(timer)
        run()
      })
      timers.add(timer)
    }
    const serve = (port: number, start: () => Promise<Server>) => {
      start().then(
        (listening) => {
          server = listening
          if (ended) return listening.kill()
          servedPort = port
          this.#remember(container.pod, port, listening)
          log(`Uvicorn running on http://${container.network.host}:${listening.port}`)
          tell({ event: 'listening', port, hostPort: listening.port })
        },
        (error: unknown) => {
          log(`ERROR: cannot listen on ${container.network.host}:${port}: ${messageOf(error)}`)
          exit(1)
        },
      )
    }
    const { host, mapped } = container.network
    const place = (port: number) => ({ host, port: mapped ? 0 : port })

    const runEngine = (settings: EngineSettings) => {
      const { simulate, servedNames, kvRole } = settings
      log(`simulated engine: speaks vLLM's API, runs no model. Serving ${servedNames.join(', ')}`)
      if (kvRole !== undefined) log(`KV transfer role: ${kvRole}`)
      if (simulate['crash-after-seconds'] > 0) {
        later(simulate['crash-after-seconds'], () => {
          log('ERROR: simulated crash')
          exit(simulate['exit-code'])
        })
      }
      later(simulate['start-seconds'], () =>
        serve(settings.port, () => startEngine({ settings, ...place(settings.port), clock: this.#clock })),
      )
    }
    const runSidecar = (settings: SidecarSettings) => {
      log(`simulated runtime sidecar of ${settings.pod} for model ${settings.model}`)
      const locate = (port: number) => {
        const hostPort = this.#ports.get(container.pod)?.get(port)?.port ?? (mapped ? undefined : port)
        return hostPort === undefined ? undefined : { host, port: hostPort }
      }
      const { env } = container
      serve(settings.port, () => startSidecar({ settings, ...place(settings.port), clock: this.#clock, locate, env }))
    }
    const runDownloader = ({ source, outputDir, env, simulate }: DownloaderSettings) => {
      log(`simulated download of ${source} to ${outputDir}: nothing is fetched`)
      const problem = downloadProblem(source, env, simulate)
      later(simulate['download-seconds'], () => {
        log(problem === undefined ? 'download complete' : `ERROR: ${problem}`)
        exit(problem === undefined ? 0 : 1)
      })
    }

    // A caller gets its handle before the first event.
    later(0.000_001, () => {
      switch (program.run) {
        case 'engine':
          return runEngine(program.settings)
        case 'sidecar':
          return runSidecar(program.settings)
        case 'downloader':
          return runDownloader(program.settings)
        case 'follower':
          return log('simulated ray worker: joined its leader')
        case 'exit':
          log(program.log)
          return exit(program.exitCode)
        case 'refuse':
          return end({ event: 'refused', message: program.message })
      }
    })
    return {
      probe: async (port, path) => this.#ports.get(container.pod)?.get(port)?.probe(path),
      stop(signal) {
        if (signal === 'KILL' || server === undefined) return exit(signal === 'KILL' ? 137 : 143)
        void server.close().then(() => exit(0))
      },
    }
  }

  #remember(pod: string, port: number, server: Server): void {
    const ports = this.#ports.get(pod) ?? new Map<number, Server>()
    this.#ports.set(pod, ports.set(port, server))
  }

  #forget(pod: string, port: number): void {
    const ports = this.#ports.get(pod)
    ports?.delete(port)
    if (ports?.size === 0) this.#ports.delete(pod)
  }
}
