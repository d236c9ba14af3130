/**
 * Addresses of services: 127.96.0.1 to 127.96.255.254, loopback so that nothing leaves the machine by mistake.
 * Nothing listens there; they make a Service look as it does in a cluster.
 */
export interface ClusterIps {
  take(): string | undefined
  /** Whether it was free; true too for an address outside the range, which is nobody's business. */
  reserve(address: string): boolean
  release(address: string): void
}

const size = 256 * 256 - 2

export function createClusterIps(): ClusterIps {
  const taken = new Set<string>()
  let next = 0
  return {
    take() {
      if (taken.size >= size) return undefined
      for (;;) {
        const number = (next++ % size) + 1
        const address = `127.96.${number >> 8}.${number & 255}`
        if (taken.has(address)) continue
        taken.add(address)
        return address
      }
    },
    reserve(address) {
      if (taken.has(address)) return false
      taken.add(address)
      return true
    },
    release: (address) => void taken.delete(address),
  }
}
