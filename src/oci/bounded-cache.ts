import type { Clock } from '#base/clock.ts'

export interface CacheLimits {
  readonly lifetimeMs: number
  /** Of all values together, in the unit of their weights. */
  readonly mostWeight: number
}

/** Forgets what is old, and what was used least recently when there is too much. */
export class BoundedCache<V> {
  readonly #limits: CacheLimits
  readonly #clock: Clock
  /** Least recently used first. */
  readonly #entries = new Map<string, { readonly value: V; readonly weight: number; readonly endsMs: number }>()
  #weight = 0

  constructor(limits: CacheLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.endsMs > this.#clock.now()) {
      this.#entries.set(key, entry)
      return entry.value
    }
    this.#weight -= entry.weight
    return undefined
  }

  set(key: string, value: V, weight: number): void {
    this.#drop(key)
    this.#entries.set(key, { value, weight, endsMs: this.#clock.now() + this.#limits.lifetimeMs })
    this.#weight += weight
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#limits.mostWeight) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#weight -= this.#entries.get(key)?.weight ?? 0
    this.#entries.delete(key)
  }
}
