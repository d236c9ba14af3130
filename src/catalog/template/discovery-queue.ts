/**
 * Who may start a discovery Job: so many at once for all templates of both scopes, the oldest template first. What was
 * let in counts until its Job is seen, so that caches that lag let nobody past the limit.
 */
import type { Clock } from '#base/clock.ts'

export const mostDiscoveryJobs = 10
/** Until a place counts as given up, and a wait as well: both are renewed by every pass. */
const patienceMs = 60_000

export interface Candidate {
  readonly uid: string
  /** RFC 3339. */
  readonly createdAt: string
}

export class DiscoveryQueue {
  readonly #clock: Clock
  readonly #limit: number
  readonly #admitted = new Map<string, number>()
  readonly #waiting = new Map<string, { readonly createdAt: string; readonly seenMs: number }>()

  constructor(clock: Clock, limit = mostDiscoveryJobs) {
    this.#clock = clock
    this.#limit = limit
  }

  /** `running` are the uids of the templates that have an unfinished Job. */
  admit({ uid, createdAt }: Candidate, running: ReadonlySet<string>): boolean {
    const nowMs = this.#clock.now()
    this.#forget(running, nowMs)
    if (this.#admitted.has(uid)) return true
    const free = this.#limit - running.size - this.#admitted.size
    const before = [...this.#waiting].filter(([other, wait]) => other !== uid && wait.createdAt < createdAt).length
    if (free <= before) {
      this.#waiting.set(uid, { createdAt, seenMs: nowMs })
      return false
    }
    this.#waiting.delete(uid)
    this.#admitted.set(uid, nowMs)
    return true
  }

  #forget(running: ReadonlySet<string>, nowMs: number): void {
    for (const [uid, atMs] of this.#admitted)
      if (running.has(uid) || nowMs - atMs > patienceMs) this.#admitted.delete(uid)
    for (const [uid, { seenMs }] of this.#waiting) if (nowMs - seenMs > patienceMs) this.#waiting.delete(uid)
  }
}
