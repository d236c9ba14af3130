import type { Clock } from '#base/clock.ts'

export interface ManualClock extends Clock {
  /** Moves time on, timer by timer, and lets what each one sets off settle. */
  pass(ms: number): Promise<void>
}

export function manualClock(startMs = Date.UTC(2030, 0, 1)): ManualClock {
  let nowMs = startMs
  const timers = new Set<{ dueMs: number; run: () => void }>()
  const settle = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve()
  }
  return {
    now: () => nowMs,
    after(delayMs, run) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), run }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    async pass(ms) {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        const [next] = [...timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)
        if (next === undefined) break
        timers.delete(next)
        nowMs = Math.max(nowMs, next.dueMs)
        next.run()
        await settle()
      }
      nowMs = endMs
    },
  }
}
