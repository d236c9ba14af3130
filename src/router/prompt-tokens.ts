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

/** A text, token ids, or a list of either. */
function tokensOf(value: unknown): number {
  if (typeof value === 'string') return tokensIn(value.length)
  if (typeof value === 'number') return 1
  return Array.isArray(value) ? value.reduce((sum: number, item) => sum + tokensOf(item), 0) : 0
}

/** `<|im_start|>`, a line's end after the role, `<|im_end|>` and another. */
const markCharacters = 24

function inMessages(messages: readonly unknown[]): number {
  return tokensIn(
    messages.reduce((sum: number, message) => {
      const { role, content } = isObject(message) ? message : {}
      return sum + markCharacters + charactersIn(role) + charactersIn(content)
    }, 0),
  )
}

/** Of a text, or of the texts among the parts of a message. */
function charactersIn(content: unknown): number {
  if (typeof content === 'string') return content.length
  if (!Array.isArray(content)) return 0
  return content.reduce(
    (sum: number, part) => sum + (isObject(part) ? charactersIn(part['text']) : charactersIn(part)),
    0,
  )
}

function tokensIn(characters: number): number {
  return Math.ceil(characters / charactersPerToken)
}
