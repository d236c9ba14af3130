/**
 * Who may start a discovery Job: so many at once for all templates of both scopes, the oldest template first. What was
 * let in counts until its Job is seen, so that caches that lag let nobody past the limit.
 */
import type { Clock } from '#base/clock.ts'

const mostDiscoveryJobs = 10
/** Until a place counts as given up, and a wait as well: both are renewed by every pass. */
const patienceMs = 60_000

export interface Candidate {
  readonly uid: string
  /** Name of the Job that it would make. */
  readonly job: string
  /** RFC 3339. */
  readonly createdAt: string
}

export class DiscoveryQueue {
  readonly #clock: Clock
  readonly #limit: number
  /** Jobs that were let in and not seen yet. */
  readonly #admitted = new Map<string, number>()
  readonly #waiting = new Map<string, { readonly createdAt: string; readonly seenMs: number }>()

  constructor(clock: Clock, limit = mostDiscoveryJobs) {
    this.#clock = clock
    this.#limit = limit
  }

  /** `jobs` are those that there are, by name, and whether they are still running. */
  admit({ uid, job, createdAt }: Candidate, jobs: ReadonlyMap<string, boolean>): boolean {
    const nowMs = this.#clock.now()
    this.#forget(jobs, nowMs)
    if (this.#admitted.has(job)) return true
    const running = [...jobs.values()].filter(Boolean).length
    const free = this.#limit - running - this.#admitted.size
    const before = [...this.#waiting].filter(([other, wait]) => other !== uid && wait.createdAt < createdAt).length
    if (free <= before) {
      this.#waiting.set(uid, { createdAt, seenMs: nowMs })
      return false
    }
    this.#waiting.delete(uid)
    this.#admitted.set(job, nowMs)
    return true
  }

  #forget(jobs: ReadonlyMap<string, boolean>, nowMs: number): void {
    for (const [job, atMs] of this.#admitted) {
      if (jobs.has(job) || nowMs - atMs > patienceMs) this.#admitted.delete(job)
    }
    for (const [uid, { seenMs }] of this.#waiting) if (nowMs - seenMs > patienceMs) this.#waiting.delete(uid)
  }
}
