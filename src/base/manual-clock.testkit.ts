import type { Clock } from './clock.ts'

/** A clock that moves only when told to; timers fire in the order of their times. */
export interface ManualClock extends Clock {
  /** Moves time on; what a timer sets off beyond its own turn comes later. */
  advance(ms: number): void
  /** Moves time on, timer by timer, and lets what each one sets off settle. */
  pass(ms: number): Promise<void>
  /** Timers that have yet to fire. */
  readonly pending: number
}

export function manualClock(startMs = Date.UTC(2030, 0, 1)): ManualClock {
  let nowMs = startMs
  const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>()

  /** Fires the next timer due by `endMs`; false when there is none. */
  function fireNext(endMs: number): boolean {
    const [next] = [...timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)
    if (next === undefined) return false
    timers.delete(next)
    nowMs = Math.max(nowMs, next.dueMs)
    next.run()
    return true
  }
  async function settle(): Promise<void> {
    for (let i = 0; i < 50; i++) await Promise.resolve()
  }

  return {
    now: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(ms) {
      const endMs = nowMs + ms
      while (fireNext(endMs));
      nowMs = endMs
    },
    async pass(ms) {
      const endMs = nowMs + ms
      await settle()
      while (fireNext(endMs)) await settle()
      nowMs = endMs
    },
    get pending() {
      return timers.size
    },
  }
}
