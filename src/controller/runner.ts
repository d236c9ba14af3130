import type { Clock } from '#base/clock.ts'
import { type Fault, type FaultKind, isFault, messageOf } from '#base/fault.ts'
import { factsOf, type Log } from '#base/log.ts'
import { type AddOptions, type Backoff, KeyQueue, type Taken } from './queue.ts'

const minuteMs = 60_000

/**
 * What becomes of a key whose pass failed, by the kind of its fault; undefined: it waits for a change.
 * A bug waits longest: it will most likely happen again.
 */
const backoffs: Readonly<Record<FaultKind | 'bug', Backoff | undefined>> = {
  invalid: undefined,
  missing: { firstMs: 5 * minuteMs, longestMs: 5 * minuteMs },
  // An API server that has just started denies everything until it has read its roles.
  denied: { firstMs: 1_000, longestMs: 5 * minuteMs },
  conflict: { firstMs: 100, longestMs: 5 * minuteMs },
  exhausted: { firstMs: 30_000, longestMs: 5 * minuteMs },
  unavailable: { firstMs: 1_000, longestMs: 5 * minuteMs },
  bug: { firstMs: 5 * minuteMs, longestMs: 5 * minuteMs },
}

/** What a pass says about when to come again. */
export interface PassResult {
  readonly recheckAfterMs?: number | undefined
  /**
   * All that went wrong; the soonest of their times counts, though never one before what a server asked for. Thrown
   * errors are added by the runner.
   */
  readonly errors?: readonly unknown[]
  /** Nothing was tried: neither a success nor a failure. */
  readonly held?: boolean
}

export interface Pass {
  readonly key: string
  readonly id: number
  /** What woke the key. */
  readonly reason: string
  /** Nothing did: it is looked at because everything is. */
  readonly low: boolean
  readonly log: Log
  readonly signal: AbortSignal
}

export interface RunnerOptions {
  readonly clock: Clock
  readonly log: Log
  /** Keys worked on side by side. */
  readonly workers: number
  readonly run: (pass: Pass) => Promise<PassResult | void>
  /** Called after every pass; `outcome` is the worst that happened. */
  readonly onPass?: (outcome: PassOutcome) => void
}

export interface PassOutcome {
  readonly key: string
  readonly result: 'ok' | FaultKind | 'bug'
  /** Between becoming due and being taken. */
  readonly waitedMs: number
  readonly durationMs: number
  /** It went well, and asked to be looked at again. */
  readonly rechecks: boolean
}

/** Of this moment; `added` and `retried` since the start. */
export interface RunnerStats {
  readonly workers: number
  readonly active: number
  readonly depth: number
  readonly added: number
  readonly retried: number
  /** For how long the passes under way have been, each. */
  readonly runningMs: readonly number[]
}

export interface Runner extends AsyncDisposable {
  add(key: string, options?: AddOptions): void
  /** Passes begin with the first call; keys added before wait. */
  start(): void
  /** Begins no further pass; resolves once those under way have ended. */
  drain(): Promise<void>
  stats(): RunnerStats
  /** Nothing due and nothing running. A key that waits for its time does not count. */
  idle(): boolean
}

/** Runs passes over keys. No pass can end the process: what it throws decides only when the key comes again. */
export function createRunner({ clock, log, workers, run, onPass }: RunnerOptions): Runner {
  const stop = new AbortController()
  /** Since when. */
  const running = new Map<Promise<void>, number>()
  let started = false
  let passes = 0
  const queue = new KeyQueue(clock, pump)

  function pump(): void {
    while (started && !stop.signal.aborted && running.size < workers) {
      const taken = queue.take()
      if (taken === undefined) return
      const pass = one(taken).finally(() => {
        running.delete(pass)
        queue.done(taken.key)
        pump()
      })
      running.set(pass, clock.now())
    }
  }

  async function one({ key, reason, low, waitedMs }: Taken): Promise<void> {
    const id = ++passes
    const startedMs = clock.now()
    const passLog = log.with({ key, pass: id })
    const errors: unknown[] = []
    let recheckAfterMs: number | undefined
    try {
      const result = await run({ key, id, reason, low, log: passLog, signal: stop.signal })
      if (result?.held === true) return
      recheckAfterMs = result?.recheckAfterMs
      errors.push(...(result?.errors ?? []))
    } catch (error) {
      errors.push(error)
    }
    if (stop.signal.aborted) return
    for (const error of errors) report(error, passLog)
    const notBeforeMs = Math.max(1, ...errors.map((error) => (isFault(error) ? (error.retryAfterMs ?? 0) : 0)))
    const backoff = soonest(errors)
    if (backoff !== undefined) queue.retry(key, { ...backoff, retryAfterMs: notBeforeMs })
    if (errors.length === 0) queue.forget(key)
    if (recheckAfterMs !== undefined)
      queue.add(key, { afterMs: Math.max(notBeforeMs, recheckAfterMs), reason: 'recheck' })
    const durationMs = clock.now() - startedMs
    passLog.debug('pass', { reason, durationMs, errors: errors.length })
    const rechecks = errors.length === 0 && recheckAfterMs !== undefined
    onPass?.({ key, result: worst(errors), waitedMs, durationMs, rechecks })
  }

  return {
    add: (key, options) => queue.add(key, options),
    start() {
      started = true
      pump()
    },
    async drain() {
      started = false
      await Promise.all(running.keys())
    },
    stats() {
      const nowMs = clock.now()
      const { depth, added, retried } = queue
      const runningMs = [...running.values()].map((sinceMs) => nowMs - sinceMs)
      return { workers, active: running.size, depth, added, retried, runningMs }
    },
    idle: () => queue.isIdle(),
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException('the controller was stopped', 'AbortError'))
      queue.clear()
      await Promise.all(running.keys())
    },
  }
}

function soonest(errors: readonly unknown[]): Backoff | undefined {
  return errors
    .flatMap((error) => backoffs[isFault(error) ? error.kind : 'bug'] ?? [])
    .toSorted((a, b) => a.firstMs - b.firstMs)[0]
}

const severity = ['ok', 'conflict', 'missing', 'unavailable', 'exhausted', 'denied', 'invalid', 'bug'] as const

function worst(errors: readonly unknown[]): PassOutcome['result'] {
  const kinds = errors.map((error) => (isFault(error) ? error.kind : 'bug'))
  return severity.findLast((kind) => kind === 'ok' || kinds.includes(kind)) ?? 'ok'
}

function report(error: unknown, log: Log): void {
  if (!isFault(error)) return log.error('bug', factsOf(error))
  const fields = { kind: error.kind, code: error.code, error: error.message, cause: causeOf(error) }
  if (error.kind === 'conflict') log.debug('pass failed', fields)
  else log.warn('pass failed', fields)
}

function causeOf({ cause }: Fault): string | undefined {
  return cause === undefined ? undefined : messageOf(cause)
}
