/** Time as a parameter: milliseconds since the epoch, and timers that a test can drive. */
export interface Clock {
  now(): number
  /** Calls `run` once, `delayMs` from now, unless cancelled first. Never keeps the process alive by itself. */
  after(delayMs: number, run: () => void): Timer
}

export interface Timer {
  cancel(): void
}

/** Timers of the runtime that are to run longer run at once. */
const longestTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    let timer: NodeJS.Timeout
    const start = (restMs: number): void => {
      const laterMs = restMs - longestTimerMs
      timer = laterMs > 0 ? setTimeout(start, longestTimerMs, laterMs) : setTimeout(run, restMs)
      timer.unref()
    }
    start(delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** Only a stop of the machine lets the time of day run ahead of the processor's count by more than this at once. */
const suspendedMs = 1_000

/**
 * Counts the time that passes, from any start, and never runs back: for what must be over before something else
 * begins. Setting the time of day does not slow it. Time for which the machine was suspended counts; the processor's
 * own counter leaves it out.
 */
export function steadyClock(countMs = () => performance.now(), timeOfDayMs = () => Date.now()): Clock {
  let last = { count: countMs(), timeOfDay: timeOfDayMs() }
  let missedMs = 0
  return {
    ...systemClock,
    now() {
      const next = { count: countMs(), timeOfDay: timeOfDayMs() }
      const aheadMs = next.timeOfDay - last.timeOfDay - (next.count - last.count)
      if (aheadMs > suspendedMs) missedMs += aheadMs
      last = next
      return next.count + missedMs
    },
  }
}

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const onAbort = () => {
      timer.cancel()
      reject(signal.reason as Error)
    }
    const timer = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** RFC 3339 with seconds, as Kubernetes writes `metav1.Time`. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** With microseconds, as Kubernetes writes `metav1.MicroTime`, which takes no other precision. */
export function microTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
