import { isObject } from '#base/json.ts'
import { badRequest, type EngineError } from './engine-error.ts'
import { detokenize, tokenize } from './tokens.ts'

/** A completion or chat completion, decoded and checked. */
export interface GenerationRequest {
  readonly chat: boolean
  readonly model: string | undefined
  readonly prompt: string
  readonly promptTokens: readonly number[]
  readonly maxTokens: number | undefined
  readonly stop: readonly string[]
  readonly ignoreEnd: boolean
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly kvTransfer: Readonly<Record<string, unknown>> | undefined
}

/** `/v1/completions` stops after this many tokens when the request names no limit; chat goes on to the context's end. */
const completionMaxTokens = 16

/** Decodes the body of `/v1/chat/completions` or `/v1/completions`. Unknown members are ignored, as vLLM does. */
export function readGeneration(chat: boolean, body: unknown): GenerationRequest | EngineError {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const prompt = chat ? chatPrompt(body['messages']) : textPrompt(body['prompt'])
  if (typeof prompt !== 'string') return prompt
  const model = body['model'] ?? undefined
  if (model !== undefined && typeof model !== 'string') return badRequest('model must be a string', 'model')
  const stop = body['stop'] ?? []
  const stops = typeof stop === 'string' ? [stop] : stop
  if (!Array.isArray(stops) || stops.some((item) => typeof item !== 'string' || item === '')) {
    return badRequest('stop must be a non-empty string or a list of such', 'stop')
  }
  for (const name of ['max_tokens', 'max_completion_tokens'] as const) {
    const value = body[name] ?? 1
    if (typeof value !== 'number' || !Number.isInteger(value)) return badRequest(`${name} must be an integer`, name)
    if (value < 1) return badRequest(`${name} must be at least 1, got ${value}.`, name)
  }
  if ((body['n'] ?? 1) !== 1) return badRequest('The simulator answers n = 1 only.', 'n')
  const streamOptions = body['stream_options'] ?? undefined
  const stream = body['stream'] ?? false
  if (typeof stream !== 'boolean') return badRequest('stream must be a boolean', 'stream')
  if (streamOptions !== undefined && !isObject(streamOptions)) {
    return badRequest('stream_options must be an object', 'stream_options')
  }
  if (streamOptions !== undefined && !stream) {
    return badRequest('Stream options can only be defined when `stream=True`.', 'stream_options')
  }
  const kvTransfer = body['kv_transfer_params'] ?? undefined
  const limit = body['max_completion_tokens'] ?? body['max_tokens'] ?? undefined
  return {
    chat,
    model,
    prompt,
    promptTokens: tokenize(prompt),
    maxTokens: (limit as number | undefined) ?? (chat ? undefined : completionMaxTokens), // checked above
    stop: stops as string[],
    ignoreEnd: body['ignore_eos'] === true,
    stream,
    includeUsage: streamOptions?.['include_usage'] === true,
    kvTransfer: isObject(kvTransfer) ? kvTransfer : undefined,
  }
}

/** Messages as one text, the way a chat template would lay them out. */
export function chatPrompt(messages: unknown): string | EngineError {
  if (!Array.isArray(messages)) return badRequest('messages: Field required, a list of messages', 'messages')
  let prompt = ''
  for (const message of messages as unknown[]) {
    if (!isObject(message) || typeof message['role'] !== 'string') {
      return badRequest('every message needs a role', 'messages')
    }
    const { role, content } = message
    prompt += `<|${role}|>\n${typeof content === 'string' ? content : JSON.stringify(content ?? '')}\n`
  }
  return messages.length === 0 ? badRequest('messages must not be empty', 'messages') : `${prompt}<|assistant|>\n`
}

function textPrompt(prompt: unknown): string | EngineError {
  if (typeof prompt === 'string') return prompt
  if (Array.isArray(prompt) && prompt.length > 0) {
    if (prompt.every((token) => typeof token === 'number')) return detokenize(prompt)
    if (prompt.length === 1) return textPrompt(prompt[0])
    return badRequest('The simulator answers one prompt for each request.', 'prompt')
  }
  return badRequest('prompt: Field required, a string or a list of tokens', 'prompt')
}
