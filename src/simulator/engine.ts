import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import { vllm } from '#engines/vllm.ts'
import { embed } from './answer.ts'
import { Batch } from './batch.ts'
import { badRequest, engineError, type EngineError, isEngineError } from './engine-error.ts'
import type { EngineSettings } from './engine-flags.ts'
import { chatPrompt, type GenerationRequest, readGeneration } from './generation-request.ts'
import { listen, metricsContentType, readJson, sendJson, sendText } from './http-exchange.ts'
import { ServedModels } from './served-models.ts'
import { detokenize, tokenize } from './tokens.ts'

export interface EngineOptions {
  readonly settings: EngineSettings
  readonly host: string
  /** 0 takes any free port; default the settings'. */
  readonly port?: number
  readonly clock: Clock
}

export interface Engine extends AsyncDisposable {
  readonly port: number
  /** Stops listening and resolves once the requests under way are answered. */
  close(): Promise<void>
  /** Drops everything, as a killed process would. */
  kill(): void
  /** The status that a GET of `path` would have, without the request: what a probe on this machine asks. */
  probe(path: string): number
}

const simulatorVersion = 'simulated'
const embeddingDimensions = 64

/** Starts an engine that answers as vLLM's OpenAI-compatible server. Rejects when it cannot bind its address. */
export async function startEngine({ settings, host, port, clock }: EngineOptions): Promise<Engine> {
  const models = new ServedModels(settings, clock.now())
  const batch = new Batch(settings, models.base, clock)
  let requests = 0

  const generate = async (request: GenerationRequest, response: ServerResponse): Promise<void> => {
    const model = models.resolve(request.model)
    if (typeof model !== 'string') return refuse(response, model)
    const tooLong = contextError(request, settings.maxModelLength)
    if (tooLong !== undefined) return refuse(response, tooLong)
    if (batch.unlucky()) return refuse(response, engineError(500, 'InternalServerError', 'simulated failure'))
    const left = new AbortController()
    response.on('close', () => left.abort(new DOMException('the client left', 'AbortError')))
    const kind = request.chat ? 'chatcmpl' : 'cmpl'
    const digest = createHash('sha256').update(`${host} ${settings.port} ${++requests}`).digest('hex')
    const frame: Frame = {
      id: `${kind}-${digest.slice(0, 32)}`,
      created: Math.floor(clock.now() / 1000),
      model,
    }
    try {
      const steps = batch.run(request, model, left.signal)
      if (request.stream) await stream(frame, request, steps, response, left.signal)
      else await whole(frame, request, steps, response, settings)
    } catch (error) {
      if (!left.signal.aborted) throw error
    }
  }

  const lora = (answer: string | EngineError, response: ServerResponse) =>
    typeof answer === 'string' ? sendText(response, 200, answer) : refuse(response, answer)

  const post: Readonly<Record<string, (body: unknown, response: ServerResponse) => unknown>> = {
    '/v1/chat/completions': (body, response) => generation(true, body, response),
    '/v1/completions': (body, response) => generation(false, body, response),
    '/v1/embeddings': (body, response) => reply(response, embeddings(body, models)),
    '/tokenize': (body, response) => reply(response, tokenized(body, models, settings.maxModelLength)),
    '/detokenize': (body, response) => reply(response, detokenized(body, models)),
    ...(settings.runtimeLora
      ? {
          [vllm.loadLoraPath]: (body: unknown, response: ServerResponse) =>
            lora(models.load(member(body, 'lora_name'), member(body, 'lora_path')), response),
          [vllm.unloadLoraPath]: (body: unknown, response: ServerResponse) =>
            lora(models.unload(member(body, 'lora_name')), response),
        }
      : {}),
  }
  const generation = (chat: boolean, body: unknown, response: ServerResponse) => {
    const request = readGeneration(chat, body)
    return isEngineError(request) ? refuse(response, request) : generate(request, response)
  }
  const healthStatus = settings.simulate['fail-health'] > 0 ? 503 : 200
  const get: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
    [vllm.healthPath]: (response) => sendText(response, healthStatus, ''),
    '/ping': (response) => sendText(response, 200, ''),
    '/version': (response) => sendJson(response, 200, { version: simulatorVersion }),
    '/v1/models': (response) => sendJson(response, 200, models.list()),
    [vllm.metricsPath]: async (response) => sendText(response, 200, await batch.metrics.render(), metricsContentType),
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').replace(/\?.*/s, '')
    const known = Object.hasOwn(post, path) || Object.hasOwn(get, path)
    if (path.startsWith('/v1') && !authorized(request, settings.apiKeys)) {
      return sendJson(response, 401, { error: 'Unauthorized' })
    }
    if (!known) return sendJson(response, 404, { detail: 'Not Found' })
    if (request.method === 'GET' || request.method === 'HEAD' || path === '/ping') {
      const answer = Object.hasOwn(get, path) ? get[path] : undefined
      if (answer !== undefined) return void (await answer(response))
    } else if (request.method === 'POST' && Object.hasOwn(post, path)) {
      const body = await readJson(request)
      if (body === undefined) return refuse(response, engineError(400, 'Bad Request', 'The body is no valid JSON.'))
      return void (await post[path]?.(body, response))
    }
    sendJson(response, 405, { detail: 'Method Not Allowed' })
  }

  const listening = await listen(host, port ?? settings.port, (request, response) => {
    handle(request, response).catch(() => response.destroy()) // only a client that left gets here
  })
  return {
    port: listening.port,
    close: () => listening.close(),
    kill: () => listening.kill(),
    probe: (path) => (path === vllm.healthPath ? healthStatus : Object.hasOwn(get, path) ? 200 : 404),
    async [Symbol.asyncDispose]() {
      listening.kill()
    },
  }
}

interface Frame {
  readonly id: string
  readonly created: number
  readonly model: string
}

async function stream(
  frame: Frame,
  request: GenerationRequest,
  steps: ReturnType<Batch['run']>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const object = request.chat ? 'chat.completion.chunk' : 'text_completion'
  const head = { id: frame.id, object, created: frame.created, model: frame.model }
  const chunk = (content: object, finishReason: string | null) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, ...content, logprobs: null, finish_reason: finishReason }] })}\n\n`
  const piece = (text: string) => (request.chat ? { delta: { content: text } } : { text })
  let tokens = 0
  let started = false
  for await (const { pieces, finishReason, cachedTokens } of steps) {
    let text = ''
    if (!started) {
      started = true
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
      if (request.chat) text += chunk({ delta: { role: 'assistant', content: '' } }, null)
    }
    for (const part of pieces) text += chunk(piece(part), null)
    tokens += pieces.length
    if (finishReason !== undefined) {
      text += chunk(piece(''), finishReason)
      if (request.includeUsage) {
        text += `data: ${JSON.stringify({ ...head, choices: [], usage: usage(request, tokens, cachedTokens) })}\n\n`
      }
      text += 'data: [DONE]\n\n'
    }
    if (text !== '' && !response.write(text)) await once(response, 'drain', { signal })
  }
  response.end()
}

async function whole(
  frame: Frame,
  request: GenerationRequest,
  steps: ReturnType<Batch['run']>,
  response: ServerResponse,
  settings: EngineSettings,
): Promise<void> {
  let text = ''
  let tokens = 0
  let cached = 0
  let reason: string | null = null
  for await (const { pieces, finishReason, cachedTokens } of steps) {
    text += pieces.join('')
    tokens += pieces.length
    cached = cachedTokens
    reason = finishReason ?? null
  }
  const common = { index: 0, logprobs: null, finish_reason: reason, stop_reason: null }
  const choice = request.chat
    ? { ...common, message: { role: 'assistant', content: text, tool_calls: [] } }
    : { ...common, text }
  sendJson(response, 200, {
    id: frame.id,
    object: request.chat ? 'chat.completion' : 'text_completion',
    created: frame.created,
    model: frame.model,
    choices: [choice],
    usage: usage(request, tokens, cached),
    kv_transfer_params: handOver(frame, request, settings) ?? null,
  })
}

/** What a prefill engine gives the router for the decode engine, in the shape of vLLM's NIXL connector. */
function handOver(frame: Frame, request: GenerationRequest, settings: EngineSettings): object | undefined {
  const { kvRole } = settings
  if (request.kvTransfer?.['do_remote_decode'] !== true || kvRole === undefined || kvRole === 'kv_consumer') return
  const blocks = Math.ceil(request.promptTokens.length / 16)
  return {
    do_remote_prefill: true,
    do_remote_decode: false,
    remote_engine_id: frame.id,
    remote_block_ids: Array.from({ length: blocks }, (_, block) => block),
    remote_host: '127.0.0.1',
    remote_port: 5600,
    tp_size: 1,
  }
}

function usage(request: GenerationRequest, completionTokens: number, cachedTokens: number): object {
  const promptTokens = request.promptTokens.length
  return {
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens: completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  }
}

function contextError(request: GenerationRequest, maxModelLength: number): EngineError | undefined {
  const prompt = request.promptTokens.length
  if (prompt === 0) return badRequest('The prompt is empty.', 'prompt')
  if (prompt >= maxModelLength) {
    return badRequest(
      `This model's maximum context length is ${maxModelLength} tokens. However, your request has ${prompt} input tokens. Please reduce the length of the input messages.`,
      'input_tokens',
    )
  }
  const wanted = request.maxTokens ?? 0
  if (prompt + wanted <= maxModelLength) return undefined
  return badRequest(
    `'max_tokens' or 'max_completion_tokens' is too large: ${wanted}. This model's maximum context length is ${maxModelLength} tokens and your request has ${prompt} input tokens (${wanted} > ${maxModelLength} - ${prompt}).`,
    'max_tokens',
  )
}

function embeddings(body: unknown, models: ServedModels): object {
  const model = modelOf(body, models)
  if (typeof model !== 'string') return model
  const input = member(body, 'input')
  const inputs: unknown[] = Array.isArray(input) && !input.every((item) => typeof item === 'number') ? input : [input]
  const texts = inputs.map((item) =>
    typeof item === 'string' ? item : Array.isArray(item) ? detokenize(item as number[]) : undefined,
  )
  if (texts.length === 0 || texts.includes(undefined)) {
    return badRequest('input: Field required, a text, a list of texts or of tokens', 'input')
  }
  const all = texts as string[] // none is undefined, see above
  const tokens = all.reduce((sum, text) => sum + tokenize(text).length, 0)
  return {
    object: 'list',
    model,
    data: all.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: embed(model, text, embeddingDimensions),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

function tokenized(body: unknown, models: ServedModels, maxModelLength: number): object {
  const model = modelOf(body, models)
  if (typeof model !== 'string') return model
  const prompt = member(body, 'prompt') ?? chatPrompt(member(body, 'messages'))
  if (typeof prompt !== 'string') return badRequest('prompt: Field required, or messages', 'prompt')
  const tokens = tokenize(prompt)
  return { count: tokens.length, max_model_len: maxModelLength, tokens, token_strs: null }
}

function detokenized(body: unknown, models: ServedModels): object {
  const model = modelOf(body, models)
  if (typeof model !== 'string') return model
  const tokens = member(body, 'tokens')
  if (!Array.isArray(tokens) || tokens.some((token) => typeof token !== 'number')) {
    return badRequest('tokens: Field required, a list of integers', 'tokens')
  }
  return { prompt: detokenize(tokens as number[]) }
}

function modelOf(body: unknown, models: ServedModels): string | EngineError {
  const model = member(body, 'model') ?? undefined
  if (model !== undefined && typeof model !== 'string') return badRequest('model must be a string', 'model')
  return models.resolve(model)
}

function member(body: unknown, name: string): unknown {
  return isObject(body) ? body[name] : undefined
}

function reply(response: ServerResponse, answer: object): void {
  if (isEngineError(answer)) refuse(response, answer)
  else sendJson(response, 200, answer)
}

function refuse(response: ServerResponse, error: EngineError): void {
  sendJson(response, error.status, error.body)
}

function authorized(request: IncomingMessage, keys: readonly string[]): boolean {
  return keys.length === 0 || keys.some((key) => request.headers.authorization === `Bearer ${key}`)
}
