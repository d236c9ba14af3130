import { randomInt } from 'node:crypto'

/** Ports that services have on every node. Nothing listens there; they make a Service look as it does in a cluster. */
export interface NodePorts {
  /** Undefined when there is none left. */
  take(): number | undefined
  /** Whether it was free. */
  reserve(port: number): boolean
  release(port: number): void
}

const first = 30_000
const count = 2_768

export function createNodePorts(): NodePorts {
  const taken = new Set<number>()
  return {
    take() {
      const start = randomInt(count)
      for (let i = 0; i < count; i++) {
        const port = first + ((start + i) % count)
        if (taken.has(port)) continue
        taken.add(port)
        return port
      }
      return undefined
    },
    reserve(port) {
      if (taken.has(port)) return false
      taken.add(port)
      return true
    },
    release: (port) => void taken.delete(port),
  }
}
