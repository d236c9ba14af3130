import { type Clock, sleep } from '#base/clock.ts'
import { type Answer, answerTo } from './answer.ts'
import { createEngineMetrics, type EngineMetrics } from './engine-metrics.ts'
import type { EngineSettings } from './engine-flags.ts'
import type { GenerationRequest } from './generation-request.ts'
import { blockTokens, PrefixCache } from './prefix-cache.ts'
import { Slots } from './slots.ts'
import { hashText, seededRandom } from './tokens.ts'

/** The running of requests: who waits, who runs, how long a token takes. */
export class Batch {
  readonly #settings: EngineSettings
  readonly #clock: Clock
  readonly #slots: Slots
  readonly #cache: PrefixCache
  readonly #random: () => number
  readonly #model: string
  #metrics: EngineMetrics | undefined
  #heldBlocks = 0

  constructor(settings: EngineSettings, model: string, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#model = model
    this.#slots = new Slots(settings.maxSequences)
    this.#cache = new PrefixCache(settings.prefixCaching ? settings.simulate['kv-blocks'] : 0)
    this.#random = seededRandom(hashText(settings.servedNames.join(' ')))
  }

  /** Made at first use: an engine that nobody asks keeps none. */
  get metrics(): EngineMetrics {
    this.#metrics ??= createEngineMetrics(this.#model, {
      running: () => this.#slots.running,
      waiting: () => this.#slots.waiting,
      cacheUsageRatio: () => Math.min(1, this.#heldBlocks / Math.max(1, this.#settings.simulate['kv-blocks'])),
    })
    return this.#metrics
  }

  /** Whether a request is to fail, by the configured ratio. */
  unlucky(): boolean {
    const ratio = this.#settings.simulate['fail-requests-ratio']
    return ratio > 0 && this.#random() < ratio
  }

  /**
   * Runs one request at the pace of the profile: waits for a place, prefills what the cache does not hold, then hands
   * on the pieces as they come due, several at a time when the process is late. Aborting frees the place at once.
   */
  async *run(request: GenerationRequest, model: string, signal: AbortSignal): AsyncGenerator<GenerationStep> {
    const { simulate, maxModelLength, kvRole } = this.#settings
    const promptTokens = request.promptTokens.length
    const room = maxModelLength - promptTokens
    const answer: Answer = answerTo(model, request.prompt, {
      maxTokens: Math.min(request.maxTokens ?? room, room),
      ignoreEnd: request.ignoreEnd,
      answerTokens: simulate['answer-tokens'],
      stop: request.stop,
    })
    const arrivedMs = this.#clock.now()
    const blocks = Math.ceil((promptTokens + answer.pieces.length) / blockTokens)
    let leave: (() => void) | undefined
    let isFinished = false
    try {
      leave = await this.#slots.take(signal)
      this.#heldBlocks += blocks
      const cachedTokens = this.#settings.prefixCaching ? this.#cache.use(model, request.promptTokens) : 0
      this.metrics.prefixCache(promptTokens, cachedTokens)
      const remote =
        request.kvTransfer?.['do_remote_prefill'] === true && kvRole !== undefined && kvRole !== 'kv_producer'
      const prefillTokens = remote ? 0 : promptTokens - cachedTokens
      const prefillMs = remote ? 0 : simulate['ttft-ms'] + prefillTokens * simulate['prefill-ms-per-token']
      await this.#wait(prefillMs, signal)
      const firstTokenMs = this.#clock.now()
      yield { cachedTokens, pieces: [] }
      const stepMs = this.#jittered(simulate['inter-token-ms'])
      for (let sent = 0; sent < answer.pieces.length; ) {
        const earlyMs = firstTokenMs + sent * stepMs - this.#clock.now()
        if (earlyMs > 0) await sleep(this.#clock, earlyMs, signal)
        const due =
          stepMs === 0 ? answer.pieces.length : 1 + Math.floor((this.#clock.now() - firstTokenMs) / stepMs + 1e-6)
        const pieces = answer.pieces.slice(sent, Math.max(sent + 1, due))
        sent += pieces.length
        yield { cachedTokens, pieces }
      }
      const generatedTokens = answer.pieces.length
      this.metrics.finished({
        arrivedMs,
        firstTokenMs,
        finishedMs: this.#clock.now(),
        promptTokens,
        generatedTokens,
        finishReason: answer.finishReason,
      })
      isFinished = true
      yield { cachedTokens, pieces: [], finishReason: answer.finishReason }
    } finally {
      // Whoever took the pieces may have stopped taking them, which throws nothing here.
      if (signal.aborted && !isFinished) this.metrics.aborted()
      if (leave !== undefined) this.#heldBlocks -= blocks
      leave?.()
    }
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await sleep(this.#clock, this.#jittered(ms), signal)
  }

  #jittered(ms: number): number {
    return ms * (1 + (this.#random() * 2 - 1) * Math.min(1, this.#settings.simulate['jitter-ratio']))
  }
}

/** Pieces that came due together; the first step of a request has none, the last one says why it ended. */
export interface GenerationStep {
  readonly cachedTokens: number
  readonly pieces: readonly string[]
  readonly finishReason?: Answer['finishReason']
}
