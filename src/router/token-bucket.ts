export interface BucketSize {
  readonly capacity: number
  /** Time in which an empty bucket fills. */
  readonly fillMs: number
}

/**
 * Tokens that come back at a steady pace, up to a bound; full at first. A level below zero is a debt, paid off at the same
 * pace: what was spent without being known beforehand is never forgiven.
 */
export class TokenBucket {
  #size: BucketSize
  #level: number
  #atMs: number

  constructor(size: BucketSize, nowMs: number) {
    this.#size = size
    this.#level = size.capacity
    this.#atMs = nowMs
  }

  get size(): BucketSize {
    return this.#size
  }

  level(nowMs: number): number {
    const { capacity, fillMs } = this.#size
    // Somebody may set the clock back.
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    this.#level = Math.min(capacity, this.#level + (elapsedMs * capacity) / fillMs)
    this.#atMs = nowMs
    return this.#level
  }

  /** Takes tokens, whether there are so many or not; a negative number gives some back. */
  take(tokens: number, nowMs: number): void {
    this.#level = Math.min(this.#size.capacity, this.level(nowMs) - tokens)
  }

  /** How long until the bucket holds so many; 0 when it does, `Infinity` when it never can. */
  waitMs(tokens: number, nowMs: number): number {
    const { capacity, fillMs } = this.#size
    if (tokens > capacity) return Infinity
    return Math.max(0, ((tokens - this.level(nowMs)) * fillMs) / capacity)
  }

  /** Another size from now on. What was spent stays spent: a limit that is raised does not fill the bucket. */
  resize(size: BucketSize, nowMs: number): void {
    this.#level = Math.min(size.capacity, this.level(nowMs))
    this.#size = size
  }
}
