import type { Clock, Timer } from '#base/clock.ts'
import type { Probe } from '#api/core/types.generated.ts'

export interface ProbeLoopOptions {
  readonly probe: Probe
  readonly clock: Clock
  /** Tries once; undefined is success, a text says why not. Never rejects. */
  readonly attempt: (signal: AbortSignal) => Promise<string | undefined>
  /** Whether `poke` will come when the container listens: then the first attempt waits for it, or for one period. */
  readonly waitForPoke: boolean
  /** The threshold of successes was reached, or that of failures. Called at every such attempt, not only at flips. */
  readonly verdict: (ok: boolean, why: string) => void
  /** One attempt failed, whether or not it decides anything. */
  readonly failed: (why: string) => void
}

const firstRetryMs = 20

/**
 * One probe of one run of a container.
 *
 *     start ─initialDelay─► attempt ─period─► attempt ─period─► …
 *
 * Until the first success it also tries in between, at 20, 40, 80, … ms, so that a container that starts in
 * milliseconds is ready in milliseconds; only attempts a period apart count against `failureThreshold`.
 */
export class ProbeLoop {
  readonly #options: ProbeLoopOptions
  readonly #periodMs: number
  readonly #startMs: number
  #timer: Timer | undefined
  /** Of the attempt under way. */
  #deadline: AbortController | undefined
  #stopped = false
  #poked = false
  #succeeded = false
  #retryMs = firstRetryMs
  #successes = 0
  #failures = 0
  #lastCountedMs = -Infinity

  constructor(options: ProbeLoopOptions) {
    this.#options = options
    const { probe, clock } = options
    this.#periodMs = Math.max(1, probe.periodSeconds ?? 10) * 1000
    this.#startMs = clock.now() + (probe.initialDelaySeconds ?? 0) * 1000
    const delayMs = this.#startMs - clock.now()
    this.#schedule(options.waitForPoke ? delayMs + this.#periodMs : delayMs)
  }

  /** The container listens on another port: a good moment to look. */
  poke(): void {
    if (this.#succeeded || this.#options.clock.now() < this.#startMs) return
    if (this.#deadline !== undefined) this.#poked = true
    else this.#schedule(0)
  }

  stop(): void {
    this.#stopped = true
    this.#deadline?.abort()
    this.#timer?.cancel()
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    if (!this.#stopped) this.#timer = this.#options.clock.after(delayMs, () => void this.#attempt())
  }

  async #attempt(): Promise<void> {
    const { probe, clock, attempt, verdict, failed, waitForPoke } = this.#options
    const deadline = new AbortController()
    this.#deadline = deadline
    const timer = clock.after(Math.max(1, probe.timeoutSeconds ?? 1) * 1000, () => deadline.abort())
    const startedMs = clock.now()
    const why = await attempt(deadline.signal)
    timer.cancel()
    this.#deadline = undefined
    if (this.#stopped) return
    let nextMs = this.#periodMs
    if (why === undefined) {
      this.#succeeded = true
      this.#failures = 0
      this.#successes++
      if (this.#successes >= (probe.successThreshold ?? 1)) verdict(true, '')
    } else {
      this.#successes = 0
      if (startedMs - this.#lastCountedMs >= 0.9 * this.#periodMs) {
        this.#lastCountedMs = startedMs
        this.#failures++
        failed(why)
        if (this.#failures >= (probe.failureThreshold ?? 3)) verdict(false, why)
      }
      if (!this.#succeeded) {
        nextMs = waitForPoke && !this.#poked ? this.#periodMs : Math.min(this.#periodMs, this.#retryMs)
        this.#retryMs *= 2
      }
    }
    this.#poked = false
    this.#schedule(Math.max(0, nextMs - (clock.now() - startedMs)))
  }
}
