import type { Clock, Timer } from '#base/clock.ts'

/** What has to be done for somebody who waits for it goes before what only keeps things as they are. */
export type Priority = 'normal' | 'background'

export interface LimiterOptions {
  readonly clock: Clock
  /** Requests a second in the long run; 0 for as many as there are. */
  readonly qps: number
  /** Requests that may go at once after a silence. */
  readonly burst: number
  /** Told how long each request has waited. */
  readonly onTurn?: (waitedMs: number) => void
}

/** Who sends requests through a limiter. */
export interface Flow {
  /** Resolves when a request may go out; rejects with the signal's reason. */
  turn(priority: Priority, signal?: AbortSignal): Promise<void>
  /** The server wants nobody of us to ask for so long. */
  pause(ms: number): void
}

interface Waiter {
  readonly sinceMs: number
  readonly go: () => void
}

/** Waiting requests by their flow. The flow whose turn is next comes first. */
type Lane = Map<Flow, Set<Waiter>>

/**
 * Paces the requests of one program to one server: a token bucket. Flows take turns, so that none waits behind all
 * that another has to send; within a flow the first to come is the first to go.
 */
export class Limiter {
  readonly #options: LimiterOptions
  readonly #lanes: Readonly<Record<Priority, Lane>> = { normal: new Map(), background: new Map() }
  #tokens: number
  #atMs: number
  #pausedUntilMs = 0
  #timer: Timer | undefined

  constructor(options: LimiterOptions) {
    this.#options = options
    this.#tokens = options.burst
    this.#atMs = options.clock.now()
  }

  flow(): Flow {
    const flow: Flow = {
      turn: (priority, signal) => this.#wait(flow, this.#lanes[priority], signal),
      pause: (ms) => this.#pause(ms),
    }
    return flow
  }

  #wait(flow: Flow, lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const leave = (): void => {
        remove(lane, flow, waiter)
        reject(signal?.reason as Error)
      }
      const waiter: Waiter = {
        sinceMs: this.#options.clock.now(),
        go() {
          signal?.removeEventListener('abort', leave)
          resolve()
        },
      }
      signal?.addEventListener('abort', leave, { once: true })
      lane.set(flow, (lane.get(flow) ?? new Set()).add(waiter))
      this.#serve()
    })
  }

  #pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#options.clock.now() + ms)
  }

  #serve(): void {
    for (;;) {
      const lane = this.#lanes.normal.size > 0 ? this.#lanes.normal : this.#lanes.background
      if (lane.size === 0) return
      const waitMs = this.#untilTokenMs()
      if (waitMs > 0) return this.#serveAfter(waitMs)
      if (this.#options.qps > 0) this.#tokens--
      const waiter = next(lane)
      this.#options.onTurn?.(this.#options.clock.now() - waiter.sinceMs)
      waiter.go()
    }
  }

  #serveAfter(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(ms, () => this.#serve())
  }

  #untilTokenMs(): number {
    const { clock, qps, burst } = this.#options
    const nowMs = clock.now()
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs - nowMs
    if (qps === 0) return 0
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) * qps) / 1000)
    this.#atMs = nowMs
    return this.#tokens >= 1 ? 0 : Math.max(1, ((1 - this.#tokens) * 1000) / qps)
  }
}

/** The first request of the flow whose turn it is; the flow goes to the end. */
function next(lane: Lane): Waiter {
  const [flow, waiters] = lane.entries().next().value as [Flow, Set<Waiter>] // lanes hold neither nothing nor empty sets
  const waiter = waiters.values().next().value as Waiter
  lane.delete(flow)
  waiters.delete(waiter)
  if (waiters.size > 0) lane.set(flow, waiters)
  return waiter
}

function remove(lane: Lane, flow: Flow, waiter: Waiter): void {
  const waiters = lane.get(flow)
  waiters?.delete(waiter)
  if (waiters?.size === 0) lane.delete(flow)
}
