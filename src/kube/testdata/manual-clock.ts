import type { Clock } from '#base/clock.ts'

/** A clock that moves only when told to; timers fire in the order of their times. */
export interface ManualClock extends Clock {
  advance(ms: number): void
  /** Timers that have yet to fire. */
  readonly pending: number
}

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = startMs
  let timers: { readonly dueMs: number; readonly run: () => void }[] = []
  return {
    now: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + delayMs, run }
      timers.push(timer)
      return {
        cancel() {
          timers = timers.filter((other) => other !== timer)
        },
      }
    },
    advance(ms) {
      const endMs = nowMs + ms
      for (;;) {
        const next = timers.toSorted((a, b) => a.dueMs - b.dueMs)[0]
        if (next === undefined || next.dueMs > endMs) break
        nowMs = Math.max(nowMs, next.dueMs)
        timers = timers.filter((other) => other !== next)
        next.run()
      }
      nowMs = endMs
    },
    get pending() {
      return timers.length
    },
  }
}
