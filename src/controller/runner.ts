import type { Clock } from '#base/clock.ts'
import { type Fault, type FaultKind, isFault, messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { type AddOptions, type Backoff, KeyQueue } from './queue.ts'

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
  /** All that went wrong; the soonest of their times counts. Thrown errors are added by the runner. */
  readonly errors?: readonly unknown[]
  /** Nothing was tried: neither a success nor a failure. */
  readonly held?: boolean
}

export interface Pass {
  readonly key: string
  readonly id: number
  /** What woke the key. */
  readonly reason: string
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
  readonly durationMs: number
}

export interface Runner extends AsyncDisposable {
  add(key: string, options?: AddOptions): void
  /** Passes begin with the first call; keys added before wait. */
  start(): void
  /** Nothing due and nothing running. A key that waits for its time does not count. */
  idle(): boolean
}

/** Runs passes over keys. No pass can end the process: what it throws decides only when the key comes again. */
export function createRunner({ clock, log, workers, run, onPass }: RunnerOptions): Runner {
  const stop = new AbortController()
  const running = new Set<Promise<void>>()
  let started = false
  let passes = 0
  const queue = new KeyQueue(clock, pump)

  function pump(): void {
    while (started && !stop.signal.aborted && running.size < workers) {
      const taken = queue.take()
      if (taken === undefined) return
      const pass = one(taken.key, taken.reason).finally(() => {
        running.delete(pass)
        queue.done(taken.key)
        pump()
      })
      running.add(pass)
    }
  }

  async function one(key: string, reason: string): Promise<void> {
    const id = ++passes
    const startedMs = clock.now()
    const passLog = log.with({ key, pass: id })
    const errors: unknown[] = []
    let recheckAfterMs: number | undefined
    try {
      const result = await run({ key, id, reason, log: passLog, signal: stop.signal })
      if (result?.held === true) return
      recheckAfterMs = result?.recheckAfterMs
      errors.push(...(result?.errors ?? []))
    } catch (error) {
      errors.push(error)
    }
    if (stop.signal.aborted) return
    requeue(key, errors, passLog)
    if (errors.length === 0) queue.forget(key)
    if (recheckAfterMs !== undefined) queue.add(key, { afterMs: Math.max(1, recheckAfterMs), reason: 'recheck' })
    const durationMs = clock.now() - startedMs
    passLog.debug('pass', { reason, durationMs, errors: errors.length })
    onPass?.({ key, result: worst(errors), durationMs })
  }

  function requeue(key: string, errors: readonly unknown[], passLog: Log): void {
    const soonest = errors
      .flatMap((error) => {
        report(error, passLog)
        const backoff = backoffs[isFault(error) ? error.kind : 'bug']
        return backoff === undefined
          ? []
          : [{ ...backoff, retryAfterMs: isFault(error) ? error.retryAfterMs : undefined }]
      })
      .toSorted((a, b) => Math.max(a.firstMs, a.retryAfterMs ?? 0) - Math.max(b.firstMs, b.retryAfterMs ?? 0))[0]
    if (soonest !== undefined) queue.retry(key, soonest)
  }

  return {
    add: (key, options) => queue.add(key, options),
    start() {
      started = true
      pump()
    },
    idle: () => queue.isIdle(),
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException('the controller was stopped', 'AbortError'))
      queue.clear()
      await Promise.all(running)
    },
  }
}

const severity = ['ok', 'conflict', 'missing', 'unavailable', 'exhausted', 'denied', 'invalid', 'bug'] as const

function worst(errors: readonly unknown[]): PassOutcome['result'] {
  const kinds = errors.map((error) => (isFault(error) ? error.kind : 'bug'))
  return severity.findLast((kind) => kind === 'ok' || kinds.includes(kind)) ?? 'ok'
}

function report(error: unknown, log: Log): void {
  if (!isFault(error))
    return log.error('bug', { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined })
  const fields = { kind: error.kind, code: error.code, error: error.message, cause: causeOf(error) }
  if (error.kind === 'conflict') log.debug('pass failed', fields)
  else log.warn('pass failed', fields)
}

function causeOf({ cause }: Fault): string | undefined {
  return cause === undefined ? undefined : messageOf(cause)
}
