/** Lets a number of holders in at once; the others wait in the order they came. */
export class Gate {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(width: number) {
    this.#free = width
  }

  /** Disposing what it resolves with lets the next one in. Rejects with the signal's reason. */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#turn(signal)
    return { [Symbol.dispose]: () => this.#leave() }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#waiting.delete(admit)
        reject(signal.reason as Error)
      }
      this.#waiting.add(admit)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#free++
    else {
      this.#waiting.delete(next)
      next()
    }
  }
}

/** So many at once for each host, and for all of them together. A host that hangs holds up only its own. */
export class HostGates {
  readonly #all: Gate
  readonly #perHost: number
  /** Of hosts that somebody is at. */
  readonly #hosts = new Map<string, { readonly gate: Gate; users: number }>()

  constructor({ all, perHost }: { readonly all: number; readonly perHost: number }) {
    this.#all = new Gate(all)
    this.#perHost = perHost
  }

  async run<T>(host: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const place = this.#hosts.get(host) ?? { gate: new Gate(this.#perHost), users: 0 }
    this.#hosts.set(host, place)
    place.users++
    try {
      // In this order: who waits for a host must not keep others from theirs.
      using _own = await place.gate.enter(signal)
      using _shared = await this.#all.enter(signal)
      return await work()
    } finally {
      if (--place.users === 0) this.#hosts.delete(host)
    }
  }
}
