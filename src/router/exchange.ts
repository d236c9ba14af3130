import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Clock, Timer } from '#base/clock.ts'
import type { Endpoint } from '#routing/snapshot.ts'
import type { ErrorType, ExchangeRecord } from './exchange-record.ts'
import { requestHeaders, responseHeaders, textOf } from './headers.ts'
import type { InFlight } from './in-flight.ts'
import type { RouterMetrics } from './metrics.ts'
import { type ApiError, sendError } from './openai-error.ts'
import { type AnswerSink, type CallOutcome, UpstreamCall } from './upstream-call.ts'
import { answerUsage, eventUsage, noUsage, type UsageReader } from './usage.ts'

export interface ExchangeParts {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly inFlight: InFlight
  readonly metrics: RouterMetrics
  /** How long a client may leave an answer unread; 0 for ever. */
  readonly unreadTimeoutMs: number
}

export interface PodRequest {
  readonly body: Buffer
  readonly timeoutMs: number | undefined
}

type OnHeaders = (status: number, headers: IncomingHttpHeaders) => AnswerSink | undefined

/** One client's request from its arrival to the last byte of its answer, over all attempts. */
export class Exchange {
  readonly record: ExchangeRecord
  readonly #parts: ExchangeParts
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #call: UpstreamCall | undefined
  #reader: UsageReader | undefined
  #leave: (() => void) | undefined
  #unread: Timer | undefined
  #gone = false

  constructor(parts: ExchangeParts, request: IncomingMessage, response: ServerResponse, record: ExchangeRecord) {
    this.#parts = parts
    this.#request = request
    this.#response = response
    this.record = record
    // Before those who tell of the record.
    response.prependOnceListener('close', () => {
      record.usage = this.#reader?.usage()
      this.#unread?.cancel()
      if (response.writableFinished) return
      this.#gone = true
      this.#call?.abort()
      this.#leave?.()
    })
  }

  /** The client left, or was cut off by us: whatever is done from here on is for nobody. */
  get gone(): boolean {
    return this.#gone
  }

  fail(error: ApiError, type: ErrorType): void {
    if (this.#response.headersSent || this.#gone) return
    Object.assign(this.record, {
      status: error.status,
      errorType: type,
      errorMessage: error.code,
      errorOrigin: 'router',
    })
    sendError(this.#response, error)
  }

  /** Sends the request to a pod; the client's leaving ends the call at once. */
  async call(endpoint: Endpoint, { body, timeoutMs }: PodRequest, onHeaders: OnHeaders): Promise<CallOutcome> {
    const { dispatcher, clock, inFlight, metrics } = this.#parts
    const { record } = this
    record.upstreamStartMs ??= clock.now()
    record.pod = endpoint.pod
    inFlight.add(endpoint)
    const called = metrics.calling(record)
    const { rawHeaders, url = '/' } = this.#request
    const headers = requestHeaders(rawHeaders, record.requestId)
    const call = new UpstreamCall(
      dispatcher,
      clock,
      { origin: endpoint.origin, path: url, headers, body, timeoutMs },
      onHeaders,
    )
    this.#call = call
    if (this.#gone) call.abort()
    const outcome = await call.outcome
    this.#call = undefined
    called()
    inFlight.remove(endpoint)
    if (outcome.kind === 'failed' && outcome.why === 'connect') metrics.connectFailed(record)
    return outcome
  }

  /** Begins the client's answer with a pod's; where that breaks off, so does the client's connection. */
  answer(status: number, headers: IncomingHttpHeaders, usageInjected: boolean): AnswerSink {
    const { record } = this
    const response = this.#response
    const reader = usageReader(headers, usageInjected)
    this.#reader = reader
    const events = isEventStream(headers)
    Object.assign(record, { status, upstreamStatus: status, streamed: events && status < 300 })
    if (status >= 400) Object.assign(record, { errorType: 'upstream_response', errorOrigin: 'upstream' })
    response.writeHead(status, responseHeaders(headers, !(events && usageInjected)))
    if (events) response.flushHeaders()
    return {
      data: (chunk) => {
        record.lastByteMs = this.#parts.clock.now()
        record.firstByteMs ??= record.lastByteMs
        record.chunks++
        const ready = reader.push(chunk)
        if (ready.length === 0 || response.write(ready)) return true
        this.#awaitReader()
        response.once('drain', () => {
          this.#unread?.cancel()
          this.#call?.resume()
        })
        return false
      },
      end: () => {
        response.end(reader.end())
        this.#awaitReader()
      },
      cut: () => {
        Object.assign(record, {
          errorType: 'response_forwarding',
          errorMessage: 'upstream_cut',
          errorOrigin: 'upstream',
        })
        response.destroy()
      },
    }
  }

  /** A client that has stopped reading must not keep a pod busy, or a shutdown waiting, for ever. */
  #awaitReader(): void {
    const { clock, unreadTimeoutMs } = this.#parts
    if (unreadTimeoutMs === 0) return
    this.#unread?.cancel()
    this.#unread = clock.after(unreadTimeoutMs, () => {
      Object.assign(this.record, { errorType: 'response_forwarding', errorMessage: 'client_stalled' })
      this.#call?.abort() // before anything more of the answer comes
      this.#response.destroy()
    })
  }

  /** Resolves after `delayMs`, or as soon as the client leaves. */
  async wait(delayMs: number): Promise<void> {
    if (delayMs <= 0 || this.#gone) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#parts.clock.after(delayMs, resolve)
    this.#leave = resolve
    await promise
    timer.cancel()
    this.#leave = undefined
  }
}

function usageReader(headers: IncomingHttpHeaders, usageInjected: boolean): UsageReader {
  if (!['', 'identity'].includes(textOf(headers, 'content-encoding'))) return noUsage
  if (isEventStream(headers)) return eventUsage(usageInjected)
  return textOf(headers, 'content-type').includes('json') ? answerUsage() : noUsage
}

function isEventStream(headers: IncomingHttpHeaders): boolean {
  return textOf(headers, 'content-type').startsWith('text/event-stream')
}
