/** The thread of a simulation: runs what it is told to, reports what happens. Loaded by `simulation.ts` alone. */
import { parentPort } from 'node:worker_threads'
import { systemClock } from '#base/clock.ts'
import { Containers, type SimulatedProcess } from './containers.ts'
import type { SimulationOrder, SimulationReport } from './simulation.ts'

const containers = new Containers(systemClock)
const processes = new Map<number, SimulatedProcess>()
const port = parentPort

port?.on('message', (order: SimulationOrder) => {
  if (order.do === 'stop') return processes.get(order.id)?.stop(order.signal)
  if (order.do === 'probe') {
    const answer = (status?: number) => port.postMessage({ call: order.call, status } satisfies SimulationReport)
    // Of a container that has just ended the caller may not know yet; it waits for an answer all the same.
    const asked = processes.get(order.id)?.probe(order.port, order.path) ?? Promise.resolve(undefined)
    return void asked.then(answer, () => answer())
  }
  const { id, container } = order
  const started = containers.start(container, (event) => {
    if (event.event === 'exited' || event.event === 'refused') processes.delete(id)
    port.postMessage({ id, event } satisfies SimulationReport)
  })
  processes.set(id, started)
})
