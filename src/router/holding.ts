/**
 * Requests that found no ready pod, as while a model that was scaled to zero wakes: they wait, so many for each server, so
 * long, and no more bytes of them than fit. What waits, and what was refused a moment ago, is what wakes the model.
 */
import type { Clock } from '#base/clock.ts'
import type { RoutingSnapshot, ServerEntry } from '#routing/snapshot.ts'
import { ByteBudget } from './byte-budget.ts'
import type { Exchange } from './exchange.ts'

/** How often a request that waits looks whether a pod is there. */
const lookMs = 50
/** Bodies of all requests that wait, together. */
const mostBytes = 64 << 20
/** A refused request speaks for its model this long: whoever reads the load comes by more often. */
const refusalMs = 30_000

export type HoldOutcome = 'ready' | 'gone' | 'full' | 'late'

export interface HoldRequest {
  readonly exchange: Exchange
  readonly server: ServerEntry
  readonly bodyBytes: number
  readonly snapshot: () => RoutingSnapshot
  /** Whether the request can go to a pod by now, of this server or of another one. */
  readonly isReady: (snapshot: RoutingSnapshot) => boolean
}

export class Holding {
  readonly #clock: Clock
  readonly #held = new Map<string, number>()
  readonly #refusedMs = new Map<string, number>()
  readonly #bodies = new ByteBudget(mostBytes)
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Requests of a server that no pod was there for. One that was refused, and may be tried again, counts once. */
  waiting(server: string): number {
    const refusedMs = this.#refusedMs.get(server)
    const recent = refusedMs !== undefined && this.#clock.now() - refusedMs < refusalMs
    return this.held(server) + (recent ? 1 : 0)
  }

  held(server: string): number {
    return this.#held.get(server) ?? 0
  }

  refused(server: string): void {
    this.#refusedMs.set(server, this.#clock.now())
  }

  /** Resolves once the request can go to a pod, the client is gone, or waiting is over. */
  async untilReady({ exchange, server, bodyBytes, snapshot, isReady }: HoldRequest): Promise<HoldOutcome> {
    const { key, hold } = server
    const share = this.#bodies.share()
    if (hold === undefined || this.#closed || this.held(key) >= hold.maxRequests || !share.take(bodyBytes)) {
      return 'full'
    }
    const deadlineMs = this.#clock.now() + hold.timeoutMs
    this.#held.set(key, this.held(key) + 1)
    try {
      for (let seen = snapshot(); ; ) {
        await exchange.wait(lookMs)
        if (exchange.gone) return 'gone'
        const now = snapshot()
        if (now !== seen && isReady(now)) return 'ready'
        if (this.#closed || !now.servers.has(key) || this.#clock.now() >= deadlineMs) return 'late'
        seen = now
      }
    } finally {
      share.free()
      if (this.held(key) > 1) this.#held.set(key, this.held(key) - 1)
      else this.#held.delete(key)
    }
  }

  /** Nobody waits for a pod any more. */
  close(): void {
    this.#closed = true
  }
}
