import type { Clock } from '#base/clock.ts'
import type { GainsByPod } from './pod-metrics.ts'

/** What is kept of a policy between two looks at its metrics; all of it can be lost. */
interface Kept {
  lastMs: number
  stamp: string
  readonly gains: Map<string, GainsByPod>
}

export interface Pass {
  /** Milliseconds until the next look; 0 when it is due, as it is at once for another `stamp`. */
  dueInMs(stamp: string): number
  begin(): {
    readonly returning: boolean
    readonly nextInMs: number
    readonly gains: (member: string) => GainsByPod
  }
}

/** A policy that was not looked at for so long is gone. */
const forgetMs = 60 * 60_000

/** When each policy was last looked at. A change of the world wakes it more often than its metrics may be read. */
export class Passes {
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #onForgotten: (uid: string) => void
  /** In the order of their last look. */
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock, tickMs: number, onForgotten: (uid: string) => void = () => {}) {
    this.#clock = clock
    this.#tickMs = tickMs
    this.#onForgotten = onForgotten
  }

  of(uid: string): Pass {
    const nowMs = this.#clock.now()
    const kept = this.#kept.get(uid)
    let wanted = kept?.stamp ?? ''
    return {
      dueInMs: (stamp) => {
        wanted = stamp
        return kept === undefined || kept.stamp !== stamp ? 0 : Math.max(0, kept.lastMs + this.#tickMs - nowMs)
      },
      begin: () => {
        const lastMs = kept === undefined ? nowMs - this.#phaseOf(uid) : nowMs
        const next: Kept = { lastMs, stamp: wanted, gains: kept?.gains ?? new Map<string, GainsByPod>() }
        this.#kept.delete(uid)
        this.#kept.set(uid, next)
        this.#forget(nowMs)
        return {
          returning: kept === undefined,
          nextInMs: lastMs + this.#tickMs - nowMs,
          gains: (member) => {
            let gains = next.gains.get(member)
            if (gains === undefined) next.gains.set(member, (gains = new Map()))
            return gains
          },
        }
      },
    }
  }

  /** The second look comes up to half a tick early, so that after a start not all policies are looked at together for ever. */
  #phaseOf(uid: string): number {
    const number = Number.parseInt(uid.replaceAll('-', '').slice(-8), 16)
    return Number.isNaN(number) ? 0 : number % Math.max(1, Math.floor(this.#tickMs / 2))
  }

  #forget(nowMs: number): void {
    for (const [uid, { lastMs }] of this.#kept) {
      if (nowMs - lastMs < forgetMs) return
      this.#kept.delete(uid)
      this.#onForgotten(uid)
    }
  }
}
