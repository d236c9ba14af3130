import { Worker } from 'node:worker_threads'
import { messageOf } from '#base/fault.ts'
import type { SimulatedContainer, SimulatedEvent, SimulatedProcess } from './containers.ts'

/** The simulated containers of this machine, all on one worker thread of their own. */
export interface Simulation extends AsyncDisposable {
  /** `tell` is called for every event; the last one is `exited` or `refused`. */
  start(container: SimulatedContainer, tell: (event: SimulatedEvent) => void): SimulatedProcess
}

/** Main thread → worker. */
export type SimulationOrder =
  | { readonly do: 'start'; readonly id: number; readonly container: SimulatedContainer }
  | { readonly do: 'stop'; readonly id: number; readonly signal: 'TERM' | 'KILL' }
  | { readonly do: 'probe'; readonly id: number; readonly port: number; readonly path: string; readonly call: number }

/** Worker → main thread. */
export type SimulationReport =
  | { readonly id: number; readonly event: SimulatedEvent }
  | { readonly call: number; readonly status: number | undefined }

/** The thread starts with the first container and does not keep the process alive. */
export function startSimulation(): Simulation {
  const running = new Map<number, (event: SimulatedEvent) => void>()
  const calls = new Map<number, (status: number | undefined) => void>()
  let worker: Worker | undefined
  let nextId = 1
  let closed = false

  /** A thread that ended took its containers along; the next start makes a new one. */
  const lose = (lost: Worker, error?: unknown) => {
    if (worker !== lost) return
    worker = undefined
    const told = [...running.values()]
    running.clear()
    for (const answer of calls.values()) answer(undefined)
    calls.clear()
    for (const tell of told) {
      // A bug of the simulator's own: without its words it would look like a container that was killed.
      if (error !== undefined) tell({ event: 'log', line: `ERROR: the simulator failed: ${messageOf(error)}` })
      tell({ event: 'exited', exitCode: 137 })
    }
  }
  const thread = (): Worker => {
    if (worker !== undefined) return worker
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const made = new Worker(new URL(file, import.meta.url), { name: 'simulation' })
    made.unref()
    made.on('message', (report: SimulationReport) => {
      if ('call' in report) {
        calls.get(report.call)?.(report.status)
        calls.delete(report.call)
        return
      }
      const { id, event } = report
      const tell = running.get(id)
      if (event.event === 'exited' || event.event === 'refused') running.delete(id)
      tell?.(event)
    })
    made.on('error', (error) => lose(made, error))
    made.on('exit', () => lose(made))
    worker = made
    return made
  }
  const send = (order: SimulationOrder) => thread().postMessage(order)

  return {
    start(container, tell) {
      if (closed) throw new Error('the simulation has ended')
      const id = nextId++
      running.set(id, tell)
      send({ do: 'start', id, container })
      return {
        probe(port, path) {
          if (!running.has(id)) return Promise.resolve(undefined)
          const call = nextId++
          send({ do: 'probe', id, port, path, call })
          return new Promise((resolve) => calls.set(call, resolve))
        },
        stop(signal) {
          if (running.has(id)) send({ do: 'stop', id, signal })
        },
      }
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await worker?.terminate()
    },
  }
}
