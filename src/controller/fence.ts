import type { Clock, Timer } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'

const reads: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/**
 * Lets writes through only until a time that is moved on as long as all is well. It opens with the first `extend`;
 * once that time has come, or it was closed by hand, it stays closed.
 */
export class Fence {
  readonly #clock: Clock
  readonly #closed = new AbortController()
  /** Undefined until it opens. */
  #untilMs: number | undefined
  #timer: Timer | undefined

  /** Of a clock that runs steadily, whatever is done to the time of day. */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Aborted when it closes: calls under way end with it. The reason is a `Fault`. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  isOpen(): boolean {
    if (this.#untilMs === undefined || this.closed.aborted) return false
    if (this.#clock.now() < this.#untilMs) return true
    this.#lapse() // not left to the timer: after a stop of the whole process other things may run before it
    return false
  }

  /** An answer that comes when it is closed already changes nothing. */
  extend(untilMs: number): void {
    const leftMs = untilMs - this.#clock.now()
    const mayOpen = this.#untilMs === undefined ? !this.closed.aborted : this.isOpen()
    if (!mayOpen || leftMs <= 0) return
    this.#untilMs = untilMs
    this.#timer?.cancel()
    this.#timer = this.#clock.after(leftMs, () => this.#lapse())
  }

  close(reason: Fault): void {
    this.#timer?.cancel()
    this.#closed.abort(reason)
  }

  /** Call right before a request goes out: throws for a write that may no longer, or not yet, be made. */
  admit({ method }: Pick<Request, 'method'>): void {
    if (reads.has(method) || this.isOpen()) return
    throw new Fault('unavailable', 'NotLeading', 'nothing was written: another manager may lead by now')
  }

  #lapse(): void {
    this.close(new Fault('unavailable', 'LeaseLost', 'the lease could not be renewed in time'))
  }
}
