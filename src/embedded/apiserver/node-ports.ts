import { randomInt } from 'node:crypto'

/** Ports that services have on every node. Nothing listens there; they make a Service look as it does in a cluster. */
export interface NodePorts {
  /** So many that were free; undefined when there are fewer left. */
  take(count: number): number[] | undefined
  has(port: number): boolean
  reserve(port: number): void
  release(port: number): void
}

const first = 30_000
const size = 2_768

export function createNodePorts(): NodePorts {
  const taken = new Set<number>()
  return {
    take(count) {
      const start = randomInt(size)
      const all = Array.from({ length: size }, (_, i) => first + ((start + i) % size))
      const free = all.filter((port) => !taken.has(port)).slice(0, count)
      if (free.length < count) return undefined
      for (const port of free) taken.add(port)
      return free
    },
    has: (port) => taken.has(port),
    reserve: (port) => void taken.add(port),
    release: (port) => void taken.delete(port),
  }
}
