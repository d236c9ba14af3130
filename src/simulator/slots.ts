/** Places of an engine's batch: so many sequences run, the rest wait in order of arrival. */
export class Slots {
  readonly #size: number
  readonly #queue = new Set<() => void>()
  #running = 0

  constructor(size: number) {
    this.#size = size
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#queue.size
  }

  /** Resolves to the function that gives the place back (once counts); rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#running < this.#size) this.#running++
    else await this.#wait(signal) // whoever leaves hands the place on, so `running` stays
    let held = true
    return () => {
      if (held) this.#leave()
      held = false
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#queue.delete(enter)
        reject(signal.reason as Error)
      }
      const enter = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      this.#queue.add(enter)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  #leave(): void {
    const [next] = this.#queue
    if (next === undefined) this.#running--
    else {
      this.#queue.delete(next)
      next()
    }
  }
}
