import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Clock, Timer } from '#base/clock.ts'

export interface UpstreamRequest {
  readonly origin: string
  /** With the query. */
  readonly path: string
  readonly headers: string[]
  readonly body: Buffer
  /** From dialling to response headers; undefined waits as long as the client does. */
  readonly timeoutMs: number | undefined
}

/** Takes the answer of an engine. */
export interface AnswerSink {
  /** False asks for a pause until `UpstreamCall.resume`. */
  data(chunk: Buffer): boolean
  end(): void
  /** The answer broke off. */
  cut(): void
}

export type CallOutcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** `onHeaders` did not want the answer. */
  | { readonly kind: 'refused'; readonly status: number }
  /** No answer: nothing was sent to anybody. */
  | { readonly kind: 'failed'; readonly why: 'connect' | 'reset' | 'timeout' }
  /** The answer began and broke off. */
  | { readonly kind: 'cut' }
  /** We left, as the client did. */
  | { readonly kind: 'aborted' }

/**
 * One request to one engine through undici's `dispatch`, whose callbacks run synchronously: the sink is chosen as the
 * headers arrive, so no byte waits in between, and leaving closes the engine's connection at once.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  /** Resolves, never rejects, when the call is over. */
  readonly outcome: Promise<CallOutcome>
  readonly #onHeaders: (status: number, headers: IncomingHttpHeaders) => AnswerSink | undefined
  readonly #settle: (outcome: CallOutcome) => void
  readonly #timer: Timer | undefined
  #controller: Dispatcher.DispatchController | undefined
  #answer: { readonly status: number; readonly sink: AnswerSink } | undefined
  #over = false

  /** `onHeaders` returns the sink for the answer, or undefined to drop it. */
  constructor(
    dispatcher: Dispatcher,
    clock: Clock,
    request: UpstreamRequest,
    onHeaders: (status: number, headers: IncomingHttpHeaders) => AnswerSink | undefined,
  ) {
    const { promise, resolve } = Promise.withResolvers<CallOutcome>()
    this.outcome = promise
    this.#settle = resolve
    this.#onHeaders = onHeaders
    const { timeoutMs, ...options } = request
    if (timeoutMs !== undefined)
      this.#timer = clock.after(timeoutMs, () => this.#leave({ kind: 'failed', why: 'timeout' }))
    dispatcher.dispatch({ ...options, method: 'POST' }, this)
  }

  /** Leaves, whatever the state; the engine sees its connection closed. */
  abort(): void {
    this.#leave({ kind: 'aborted' })
  }

  resume(): void {
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('left before the connection stood'))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#over) return
    this.#timer?.cancel()
    const sink = this.#onHeaders(status, headers)
    if (sink === undefined) this.#leave({ kind: 'refused', status })
    else this.#answer = { status, sink }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over || this.#answer === undefined) return
    if (!this.#answer.sink.data(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    if (this.#answer === undefined || !this.#finish({ kind: 'answered', status: this.#answer.status })) return
    this.#answer.sink.end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error & { readonly code?: string }): void {
    if (this.#answer !== undefined) {
      if (this.#finish({ kind: 'cut' })) this.#answer.sink.cut()
    } else if (error.code === 'UND_ERR_HEADERS_TIMEOUT') {
      this.#finish({ kind: 'failed', why: 'timeout' })
    } else {
      this.#finish({ kind: 'failed', why: this.#controller === undefined ? 'connect' : 'reset' })
    }
  }

  #leave(outcome: CallOutcome): void {
    if (this.#finish(outcome)) this.#controller?.abort(new Error('no longer wanted'))
  }

  #finish(outcome: CallOutcome): boolean {
    if (this.#over) return false
    this.#over = true
    this.#timer?.cancel()
    this.#settle(outcome)
    return true
  }
}
