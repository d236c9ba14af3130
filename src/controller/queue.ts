import type { Clock, Timer } from '#base/clock.ts'

export interface AddOptions {
  /** Not before this long from now; default 0. */
  readonly afterMs?: number
  /** Only when nothing of ordinary priority is due: for periodic looks at everything. */
  readonly low?: boolean
  /** Why the key is worth a look; that of the first to ask is kept. */
  readonly reason?: string
}

export interface Taken {
  readonly key: string
  readonly reason: string
  /** It was there only as a part of a look at everything. */
  readonly low: boolean
  /** Since it became due. */
  readonly waitedMs: number
}

export interface Backoff {
  readonly firstMs: number
  readonly longestMs: number
  /** What the other side asked for; waits at least as long. */
  readonly retryAfterMs?: number | undefined
}

interface Due {
  readonly reason: string
  readonly sinceMs: number
}

interface Waiting {
  readonly reason: string
  readonly low: boolean
  readonly dueMs: number
  readonly timer: Timer
}

/**
 * The keys that want work. However often a key is added, it is handed out once; while it is being worked on it is
 * not handed out again, but an addition in the meantime is kept for afterwards. Of several times the earliest wins.
 *
 *     add ──► waiting ──due──► ready ──take──► claimed ──done──► (gone, or ready if added while claimed)
 *
 * Within a priority keys come out in the order in which they became due.
 */
export class KeyQueue {
  readonly #clock: Clock
  readonly #wake: () => void
  readonly #waiting = new Map<string, Waiting>()
  /** By key, in order. */
  readonly #ready = { normal: new Map<string, Due>(), low: new Map<string, Due>() }
  /** Key → what was added while it was claimed. */
  readonly #claimed = new Map<string, { reason: string; low: boolean } | undefined>()
  readonly #failures = new Map<string, number>()
  #added = 0
  #retried = 0

  /** `wake` is called, possibly from within `add` and `done`, when there may be something to take. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock
    this.#wake = wake
  }

  add(key: string, { afterMs = 0, low = false, reason = '' }: AddOptions = {}): void {
    if (afterMs > 0) return this.#wait(key, { afterMs, low, reason })
    // Due now: nothing that waits for this key could come earlier.
    this.#waiting.get(key)?.timer.cancel()
    this.#waiting.delete(key)
    if (this.#claimed.has(key)) {
      const again = this.#claimed.get(key)
      this.#claimed.set(key, { reason: again?.reason ?? reason, low: low && (again?.low ?? true) })
      return
    }
    const { normal } = this.#ready
    if (normal.has(key)) return
    const kept = this.#ready.low.get(key)
    if (kept === undefined) this.#added++
    const due = kept ?? { reason, sinceMs: this.#clock.now() }
    if (low) this.#ready.low.set(key, due)
    else {
      this.#ready.low.delete(key)
      normal.set(key, due)
    }
    this.#wake()
  }

  /** The next key that is due. It is the caller's until `done`. */
  take(): Taken | undefined {
    const { normal, low } = this.#ready
    const lane = normal.size > 0 ? normal : low
    const first = lane.entries().next().value
    if (first === undefined) return undefined
    const [key, { reason, sinceMs }] = first
    lane.delete(key)
    this.#claimed.set(key, undefined)
    return { key, reason, low: lane === low, waitedMs: this.#clock.now() - sinceMs }
  }

  done(key: string): void {
    const again = this.#claimed.get(key)
    if (!this.#claimed.delete(key)) throw new Error(`${key} was not taken`)
    if (again !== undefined) this.add(key, again)
  }

  /** Adds the key after a delay that doubles with every call until `forget`. Returns the delay. */
  retry(key: string, { firstMs, longestMs, retryAfterMs = 0 }: Backoff, reason = 'retry'): number {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.#retried++
    const afterMs = Math.max(retryAfterMs, Math.min(longestMs, firstMs * 2 ** Math.min(failures, 30)))
    this.add(key, { afterMs, reason })
    return afterMs
  }

  /** The key did well: its next failure starts from the shortest delay. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Nothing is due and nothing claimed; keys may still wait for their time. */
  isIdle(): boolean {
    return this.#ready.normal.size === 0 && this.#ready.low.size === 0 && this.#claimed.size === 0
  }

  /** Keys due and not yet taken. */
  get depth(): number {
    return this.#ready.normal.size + this.#ready.low.size
  }

  /** How often a key became due so far. */
  get added(): number {
    return this.#added
  }

  /** How often a key was added after a failure so far. */
  get retried(): number {
    return this.#retried
  }

  /** Drops all that waits or is due; what is claimed can still be `done`. */
  clear(): void {
    for (const { timer } of this.#waiting.values()) timer.cancel()
    this.#waiting.clear()
    this.#ready.normal.clear()
    this.#ready.low.clear()
    for (const key of this.#claimed.keys()) this.#claimed.set(key, undefined)
  }

  #wait(key: string, { afterMs, low, reason }: Required<AddOptions>): void {
    const dueMs = this.#clock.now() + afterMs
    const waiting = this.#waiting.get(key)
    if (this.#ready.normal.has(key) || this.#ready.low.has(key)) return
    if (waiting !== undefined && waiting.dueMs <= dueMs) return
    waiting?.timer.cancel()
    const timer = this.#clock.after(afterMs, () => {
      this.#waiting.delete(key)
      this.add(key, { low, reason })
    })
    this.#waiting.set(key, { reason, low, dueMs, timer })
  }
}
