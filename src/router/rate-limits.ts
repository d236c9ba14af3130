/**
 * The limits of ModelRoutes, each router counting by itself. A prompt is charged before the request goes on, by an estimate;
 * what the engine counted makes that right afterwards, and is what an answer is charged by. An answer may so run up a debt,
 * which those who come after wait for.
 *
 * The buckets are a route's, and outlive every change of it but the removal of its limit.
 */
import type { Clock } from '#base/clock.ts'
import type { TokenLimit } from '#routing/snapshot.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import type { ApiError } from './openai-error.ts'
import { TokenBucket } from './token-bucket.ts'

export type LimitType = 'input_tokens' | 'output_tokens'

export type Admission =
  /** `settle` is to be called once, when all is known of the request. */
  | { readonly admitted: true; readonly settle: (record: Spent) => void }
  | { readonly admitted: false; readonly limit: LimitType; readonly error: ApiError }

type Spent = Pick<ExchangeRecord, 'usage' | 'upstreamStatus' | 'streamed' | 'chunks' | 'attempts' | 'status'>

interface Buckets {
  input?: TokenBucket | undefined
  output?: TokenBucket | undefined
  /** Requests that were let on and are yet to be settled: what they will take, nobody knows. */
  open: number
}

export class RateLimits {
  readonly #clock: Pick<Clock, 'now'>
  readonly #routes = new Map<string, Buckets>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** `route` is a `namespace/name`, `promptTokens` an estimate. */
  admit(route: string, limit: TokenLimit, promptTokens: number): Admission {
    const nowMs = this.#clock.now()
    const buckets = this.#bucketsOf(route, limit, nowMs)
    const { input, output } = buckets
    const inputMs = input?.waitMs(promptTokens, nowMs) ?? 0
    if (inputMs === Infinity) return refused('input_tokens', tooLong(promptTokens, limit))
    const outputMs = output?.waitMs(1, nowMs) ?? 0
    if (inputMs > 0) return refused('input_tokens', exceeded('prompt', Math.max(inputMs, outputMs)))
    if (outputMs > 0) return refused('output_tokens', exceeded('generated', outputMs))
    input?.take(promptTokens, nowMs)
    buckets.open++
    return {
      admitted: true,
      settle: (record) => {
        buckets.open--
        const spent = tokensSpent(record, promptTokens)
        const endMs = this.#clock.now()
        input?.take(spent.input - promptTokens, endMs)
        output?.take(spent.output, endMs)
      },
    }
  }

  #bucketsOf(route: string, { input, output, unitMs }: TokenLimit, nowMs: number): Buckets {
    let buckets = this.#routes.get(route)
    if (buckets === undefined) {
      this.#forgetFull(nowMs)
      buckets = { open: 0 }
      this.#routes.set(route, buckets)
    }
    buckets.input = sized(buckets.input, input, unitMs, nowMs)
    buckets.output = sized(buckets.output, output, unitMs, nowMs)
    return buckets
  }

  /** Buckets that are full know nothing; of routes that are gone they would only pile up. */
  #forgetFull(nowMs: number): void {
    const full = (bucket: TokenBucket | undefined) =>
      bucket === undefined || bucket.level(nowMs) === bucket.size.capacity
    for (const [route, { input, output, open }] of this.#routes) {
      if (open === 0 && full(input) && full(output)) this.#routes.delete(route)
    }
  }
}

function sized(
  bucket: TokenBucket | undefined,
  capacity: number | undefined,
  fillMs: number,
  nowMs: number,
): TokenBucket | undefined {
  if (capacity === undefined) return undefined
  if (bucket === undefined) return new TokenBucket({ capacity, fillMs }, nowMs)
  if (bucket.size.capacity !== capacity || bucket.size.fillMs !== fillMs) bucket.resize({ capacity, fillMs }, nowMs)
  return bucket
}

/**
 * As the engine counted. Where a client left before the count came, an engine has worked all the same: the estimate, and a
 * token for each piece of a stream. What no engine worked on costs nothing.
 */
export function tokensSpent(record: Spent, estimate: number): { readonly input: number; readonly output: number } {
  const { usage, upstreamStatus, streamed, chunks, attempts, status } = record
  if (usage !== undefined) return { input: usage.inputTokens, output: usage.outputTokens }
  const answered = upstreamStatus !== undefined && upstreamStatus < 300
  const left = upstreamStatus === undefined && status === 499 && attempts > 0
  return { input: answered || left ? estimate : 0, output: answered && streamed ? chunks : 0 }
}

function refused(limit: LimitType, error: ApiError): Admission {
  return { admitted: false, limit, error }
}

function exceeded(tokens: 'prompt' | 'generated', waitMs: number): ApiError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return {
    status: 429,
    code: 'rate_limit_exceeded',
    message: `The limit on ${tokens} tokens of this model is reached. Try again in ${seconds} s.`,
    retryAfterSeconds: seconds,
  }
}

/** Waiting would not help, so nothing says how long. */
function tooLong(promptTokens: number, { input, unit }: TokenLimit): ApiError {
  const message = `The prompt has about ${promptTokens} tokens, and this model takes no more than ${input} in a ${unit}. Send a shorter one.`
  return { status: 429, code: 'prompt_over_rate_limit', message }
}
