import { isObject } from '#base/json.ts'

/** A rule of thumb for all tokenisers: exact numbers come with the answer. */
const charactersPerToken = 4

/**
 * About how many tokens the prompt of a request body has, by what an engine makes of it: the text itself, token ids one by
 * one, messages each with their role between the marks of ChatML.
 */
export function promptTokens(body: Readonly<Record<string, unknown>>): number {
  const { prompt, messages, input, system, instructions } = body
  if (prompt !== undefined) return tokensOf(prompt)
  const before = [{ role: 'system', content: system ?? instructions }].filter(({ content }) => content !== undefined)
  if (Array.isArray(messages)) return inMessages([...before, ...(messages as unknown[])])
  if (!Array.isArray(input) || !input.every(isObject)) return tokensOf(input) + inMessages(before)
  return inMessages([...before, ...input])
}

/** A text, token ids, or a list of either. No deeper: a client may nest lists without end. */
function tokensOf(value: unknown): number {
  const parts: readonly unknown[] = Array.isArray(value) ? value.flat() : [value]
  return parts.reduce((sum: number, part) => sum + (typeof part === 'number' ? 1 : tokensIn(charactersIn(part))), 0)
}

/** `<|im_start|>`, a line's end after the role, `<|im_end|>` and another. */
const markCharacters = 24

function inMessages(messages: readonly unknown[]): number {
  return tokensIn(
    messages.reduce((sum: number, message) => {
      const { role, content } = isObject(message) ? message : {}
      return sum + markCharacters + charactersIn(role) + charactersInParts(content)
    }, 0),
  )
}

/** Of a text, or of the texts among the parts of a message. */
function charactersInParts(content: unknown): number {
  if (!Array.isArray(content)) return charactersIn(content)
  return content.reduce((sum: number, part) => sum + charactersIn(isObject(part) ? part['text'] : part), 0)
}

function charactersIn(value: unknown): number {
  return typeof value === 'string' ? value.length : 0
}

function tokensIn(characters: number): number {
  return Math.ceil(characters / charactersPerToken)
}
