interface Flight<T> {
  readonly result: Promise<T>
  readonly stop: AbortController
  waiting: number
}

/** One piece of work for all who want the same at the same time. It is stopped when none of them waits any more. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /** Who gives up gets the reason of the own signal; the work goes on for the others. */
  async join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    const flight = this.#flights.get(key) ?? this.#take(key, start)
    flight.waiting++
    const left = Promise.withResolvers<never>()
    const onAbort = () => left.reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([flight.result, left.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (--flight.waiting === 0) this.#end(key, flight)
    }
  }

  #take(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const stop = new AbortController()
    const flight = { result: start(stop.signal), stop, waiting: 0 }
    this.#flights.set(key, flight)
    return flight
  }

  #end(key: string, { stop, result }: Flight<T>): void {
    this.#flights.delete(key)
    stop.abort()
    result.catch(() => {}) // nobody is left to be told
  }
}
