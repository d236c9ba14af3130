import { hashText, seededRandom } from './tokens.ts'

export interface AnswerLimits {
  /** Most tokens to generate, from 1. */
  readonly maxTokens: number
  /** Generate exactly `maxTokens`, whatever the answer would be. */
  readonly ignoreEnd: boolean
  /** Length of an answer that nothing cuts; 0 leaves it to the prompt. */
  readonly answerTokens: number
  readonly stop: readonly string[]
}

export interface Answer {
  /** One piece of text for each generated token. */
  readonly pieces: readonly string[]
  readonly finishReason: 'stop' | 'length'
}

const opening = ['This', ' is', ' a', ' simulated', ' answer', ': no', ' model', ' was', ' run', '.']
const words =
  'the a of and to in that it for with as on by an from at request token pod model route queue cache batch prompt answer stream replica latency engine weight'.split(
    ' ',
  )

/** The answer to a prompt: a function of model and prompt alone, and plain about being none. */
export function answerTo(model: string, prompt: string, limits: AnswerLimits): Answer {
  const seed = hashText(prompt, hashText(model))
  const random = seededRandom(seed)
  const natural = limits.answerTokens > 0 ? limits.answerTokens : opening.length + 6 + (seed % 48)
  const length = limits.ignoreEnd ? limits.maxTokens : Math.min(natural, limits.maxTokens)
  const pieces: string[] = []
  for (let i = 0; i < length; i++) {
    const word = words[Math.floor(random() * words.length)] ?? ''
    pieces.push(opening[i] ?? ` ${word}${i === natural - 1 ? '.' : ''}`)
  }
  const cut = cutAtStop(pieces, limits.stop)
  if (cut !== undefined) return { pieces: cut, finishReason: 'stop' }
  return { pieces, finishReason: length < natural || limits.ignoreEnd ? 'length' : 'stop' }
}

/** The pieces before the first stop string, or undefined when none occurs. */
function cutAtStop(pieces: readonly string[], stop: readonly string[]): string[] | undefined {
  if (stop.length === 0) return undefined
  const text = pieces.join('')
  const at = Math.min(...stop.map((end) => text.indexOf(end)).filter((found) => found >= 0))
  if (!Number.isFinite(at)) return undefined
  const kept: string[] = []
  let left = at
  for (const piece of pieces) {
    if (left <= 0) break
    kept.push(piece.slice(0, left))
    left -= piece.length
  }
  return kept
}

/** A unit vector that depends on model and text alone. */
export function embed(model: string, text: string, dimensions: number): number[] {
  const random = seededRandom(hashText(text, hashText(model)))
  const raw = Array.from({ length: dimensions }, () => random() - 0.5)
  const norm = Math.hypot(...raw)
  return raw.map((value) => value / norm)
}
