import { createHash } from 'node:crypto'

/** Where pods get their addresses. */
export interface Addresses {
  /** Whether all pods share one address, their ports being mapped to free ones of the machine. */
  readonly mapped: boolean
  readonly hostIP: string
  /** The pod's address, the same at every call; `preferred` is the one it had before a restart. */
  take(uid: string, preferred?: string): string
  release(uid: string): void
}

/**
 * An address of its own below 127.0.0.0/8 for every pod, as Linux answers on all of them. It follows from the pod's uid,
 * so that servers of several users or tests on one machine hardly ever meet; 127.0.0.0/12 is left to people.
 */
export function loopbackAddresses(): Addresses {
  const taken = new Map<string, string>() // address → uid
  const held = new Map<string, string>() // uid → address
  const hold = (uid: string, address: string) => {
    taken.set(address, uid)
    held.set(uid, address)
    return address
  }
  return {
    mapped: false,
    hostIP: '127.0.0.1',
    take(uid, preferred) {
      const known = held.get(uid)
      if (known !== undefined) return known
      if (preferred?.startsWith('127.') === true && !taken.has(preferred)) return hold(uid, preferred)
      for (let attempt = 0; ; attempt++) {
        const [a = 0, b = 0, c = 0] = createHash('sha256').update(`${uid} ${attempt}`).digest()
        const address = `127.${16 + (a % 239)}.${b}.${1 + (c % 254)}`
        if (!taken.has(address)) return hold(uid, address)
      }
    },
    release(uid) {
      const address = held.get(uid)
      held.delete(uid)
      if (address !== undefined) taken.delete(address)
    },
  }
}

/** For systems that answer on 127.0.0.1 alone. */
export function mappedAddresses(): Addresses {
  return { mapped: true, hostIP: '127.0.0.1', take: () => '127.0.0.1', release() {} }
}

export function addressesFor(platform: NodeJS.Platform): Addresses {
  return platform === 'linux' ? loopbackAddresses() : mappedAddresses()
}
