/**
 * Asks registries beside the passes, so that one that does not answer holds up no other model. Who asks for the same
 * with the same credentials shares the answer; how many are asked at once is the registries' business.
 */
import type { Clock } from '#base/clock.ts'
import { Fault, isFault, messageOf } from '#base/fault.ts'
import type { ImageAnswer, ImageFacts } from './image-answer.ts'

export interface ImageQuestion {
  /** Stands for the image and for the credentials it is asked with. */
  readonly request: string
  readonly image: string
  readonly pullSecrets: readonly string[]
  readonly namespace: string
  /** What is remembered is not good enough. */
  readonly fresh: boolean
}

export type ReadImage = (question: ImageQuestion, signal: AbortSignal) => Promise<ImageFacts>

/** Answers kept until those who asked have come for them. */
const mostAnswers = 2_000
const answerLifetimeMs = 60_000

export class Inspector {
  readonly #read: ReadImage
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #answers = new Map<string, ImageAnswer>()
  /** Request → the keys that wait for it. */
  readonly #asking = new Map<string, Set<string>>()
  #wake: (key: string) => void = () => {}

  constructor(read: ReadImage, clock: Clock) {
    this.#read = read
    this.#clock = clock
  }

  /** The answer, if there is one from after `sinceMs`; else asks, and wakes the key when it has come. */
  look(key: string, question: ImageQuestion, sinceMs: number): ImageAnswer | undefined {
    const { request } = question
    const answer = this.#answers.get(request)
    const youngMs = this.#clock.now() - answerLifetimeMs
    if (answer !== undefined && answer.atMs >= Math.max(sinceMs, youngMs)) return answer
    const waiting = this.#asking.get(request)
    if (waiting !== undefined) waiting.add(key)
    else {
      this.#asking.set(request, new Set([key]))
      void this.#ask(question)
    }
    return undefined
  }

  listen(wake: (key: string) => void): () => void {
    this.#wake = wake
    return () => this.#stop.abort(new DOMException('the controller was stopped', 'AbortError'))
  }

  async #ask(question: ImageQuestion): Promise<void> {
    const result = await this.#read(question, this.#stop.signal).then(
      (image) => ({ ok: true, image }) as const,
      (error: unknown) => ({ ok: false, fault: faultOf(error) }) as const,
    )
    if (this.#stop.signal.aborted) return
    const { request } = question
    this.#answers.delete(request)
    this.#answers.set(request, { atMs: this.#clock.now(), result })
    const oldest = this.#answers.keys().next().value
    if (this.#answers.size > mostAnswers && oldest !== undefined) this.#answers.delete(oldest)
    const waiting = this.#asking.get(request) ?? []
    this.#asking.delete(request)
    for (const key of waiting) this.#wake(key)
  }
}

/** What is no fault is a bug; for the model it is a failure that may pass. */
function faultOf(error: unknown): Fault {
  if (isFault(error)) return error
  return new Fault('unavailable', 'MetadataExtractionFailed', messageOf(error), { cause: error })
}
