import { isObject } from '#base/json.ts'
import { endOfValue } from './json-text.ts'

export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What reads tokens off an answer as it passes. */
export interface UsageReader {
  /** Takes a chunk; returns what of it (or of what was held back before) to send on now. */
  push(chunk: Buffer): Buffer
  /** What was held back. */
  end(): Buffer
  /** The last usage seen. */
  usage(): Usage | undefined
}

const none: Buffer = Buffer.alloc(0)
const newline = 0x0a
const usageKey = Buffer.from('"usage"')
/** More than this without an event's end is no event stream that we know; it passes unread. */
const maxEventBytes = 4 << 20
/** An answer's usage stands near its end. */
const tailBytes = 128 << 10

/**
 * Server-sent events, whole events at a time. With `withhold`, events that carry usage and no choice are taken out: we
 * asked for them, the client did not. Events that carry content always pass.
 */
export function eventUsage(withhold: boolean): UsageReader {
  /** Pieces of an event whose end has not come. */
  let held: Buffer[] = []
  let heldBytes = 0
  let last: Usage | undefined
  let blind = false
  const release = (): Buffer => {
    const [only] = held
    const text = held.length === 1 && only !== undefined ? only : Buffer.concat(held)
    held = []
    heldBytes = 0
    return text
  }
  const passes = (event: Buffer): boolean => {
    const body = event.includes(usageKey) ? dataOf(event) : undefined
    const usage = usageIn(body?.['usage']) ?? usageIn(nested(body, 'response')?.['usage'])
    last = usage ?? last
    return !withhold || usage === undefined || !Array.isArray(body?.['choices']) || body['choices'].length > 0
  }
  return {
    push(chunk) {
      if (blind) return chunk
      // Nearly every chunk is one whole event without usage, and leaves untouched.
      if (heldBytes === 0 && endsEvent(chunk) && !chunk.includes(usageKey)) return chunk
      held.push(chunk)
      heldBytes += chunk.length
      // No event ends without a newline: a long one is joined once, not with every piece of it.
      if (heldBytes <= maxEventBytes && !chunk.includes(newline)) return none
      const text = release()
      const sent: Buffer[] = []
      let start = 0
      for (let end = eventEnd(text, start); end > 0; end = eventEnd(text, start)) {
        const event = text.subarray(start, end)
        if (passes(event)) sent.push(event)
        start = end
      }
      const rest = text.subarray(start)
      if (rest.length > maxEventBytes) {
        blind = true
        sent.push(rest)
      } else if (rest.length > 0) {
        held.push(rest)
        heldBytes = rest.length
      }
      return sent.length === 1 && sent[0] !== undefined ? sent[0] : Buffer.concat(sent)
    },
    end() {
      const rest = release()
      return rest.length > 0 && passes(rest) ? rest : none
    },
    usage: () => last,
  }
}

function endsEvent(chunk: Buffer): boolean {
  const { length } = chunk
  return (
    chunk[length - 1] === 0x0a &&
    (chunk[length - 2] === 0x0a || (chunk[length - 2] === 0x0d && chunk[length - 3] === 0x0a))
  )
}

/** The index after the blank line that ends the event at `start`; -1 while it has no end. */
function eventEnd(text: Buffer, start: number): number {
  for (let at = text.indexOf(newline, start); at >= 0; at = text.indexOf(newline, at + 1)) {
    if (text[at + 1] === 0x0a) return at + 2
    if (text[at + 1] === 0x0d && text[at + 2] === 0x0a) return at + 3
  }
  return -1
}

function dataOf(event: Buffer): Record<string, unknown> | undefined {
  const data = event
    .toString()
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length))
  return parseObject(data.join('\n'))
}

/** A JSON answer: keeps only its last part, and looks there for the last `usage` member. */
export function answerUsage(): UsageReader {
  let chunks: Buffer[] = []
  let kept = 0
  return {
    push(chunk) {
      chunks.push(chunk)
      kept += chunk.length
      if (kept > 2 * tailBytes) {
        chunks = [Buffer.concat(chunks).subarray(-tailBytes)]
        kept = tailBytes
      }
      return chunk
    },
    end: () => none,
    usage() {
      const text = Buffer.concat(chunks)
      for (let at = text.lastIndexOf(usageKey); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(usageKey, at - 1)) {
        const brace = text.indexOf('{', at)
        const between = text.toString('latin1', at + usageKey.length, brace < 0 ? at : brace)
        if (!/^\s*:\s*$/.test(between)) continue
        const found = usageIn(parseObject(objectAt(text, brace)))
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

function objectAt(text: Buffer, start: number): string {
  try {
    return text.toString('utf8', start, endOfValue(text, start))
  } catch {
    return '' // cut off
  }
}

/** Passes everything, reads nothing: for bodies that we cannot read. */
export const noUsage: UsageReader = { push: (chunk) => chunk, end: () => none, usage: () => undefined }

/** Chat and text completions count `prompt_tokens`, the Responses API `input_tokens`. */
function usageIn(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined
  const inputTokens = value['prompt_tokens'] ?? value['input_tokens']
  const outputTokens = value['completion_tokens'] ?? value['output_tokens'] ?? 0
  return isCount(inputTokens) && isCount(outputTokens) ? { inputTokens, outputTokens } : undefined
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function nested(object: Record<string, unknown> | undefined, name: string): Record<string, unknown> | undefined {
  const value = object?.[name]
  return isObject(value) ? value : undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
