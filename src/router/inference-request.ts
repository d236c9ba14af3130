import { isObject } from '#base/json.ts'
import { joinMembers, type Member, membersOf, removeMembers, setMember, valueOf } from './json-text.ts'
import { type ApiError, badRequest } from './openai-error.ts'
import { promptTokens } from './prompt-tokens.ts'

/** A request body, understood as far as routing needs. */
export interface InferenceRequest {
  /** As the client wrote it. */
  readonly model: string
  readonly stream: boolean
  /** Of the prompt, by estimate. */
  readonly promptTokens: number
  readonly bodyBytes: number
  readonly members: readonly Member[]
}

export interface EngineBody {
  readonly body: Buffer
  /** We asked for usage and the client did not: its chunk is ours to take out again. */
  readonly usageInjected: boolean
}

/** Understands a body, or says what is wrong with it. Pure. */
export function parseInference(path: string, body: Buffer): InferenceRequest | ApiError {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString())
  } catch {
    return badRequest('invalid_json', 'The request body is not valid JSON.')
  }
  if (!isObject(parsed)) return badRequest('invalid_json', 'The request body must be a JSON object.')
  const { model, stream } = parsed
  if (model === undefined) return badRequest('missing_model', 'The request body names no model.', 'model')
  if (typeof model !== 'string' || model.trim() === '') {
    return badRequest('invalid_model', '`model` must be a string that is not empty.', 'model')
  }
  return (
    promptError(path, parsed) ?? {
      model,
      stream: stream === true,
      promptTokens: promptTokens(parsed),
      bodyBytes: body.length,
      members: membersOf(body),
    }
  )
}

/** Only what no engine could use; everything finer is the engine's to judge. */
function promptError(path: string, body: Record<string, unknown>): ApiError | undefined {
  const { messages, prompt, input } = body
  switch (path) {
    case '/v1/chat/completions':
      return Array.isArray(messages) && messages.length > 0 && messages.every((message) => isObject(message))
        ? undefined
        : badRequest('invalid_prompt', '`messages` must be a list of at least one message object.', 'messages')
    case '/v1/completions':
      return isText(prompt) || (prompt === undefined && body['prompt_embeds'] !== undefined)
        ? undefined
        : badRequest('invalid_prompt', '`prompt` must be a string, or a list of strings or tokens.', 'prompt')
    case '/v1/embeddings':
      return isText(input) || (input === undefined && Array.isArray(messages))
        ? undefined
        : badRequest('invalid_prompt', '`input` must be a string, or a list of strings or tokens.', 'input')
    default:
      return undefined
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.length > 0)
}

/** Endpoints whose streams end with usage when `stream_options` asks for it. */
const usagePaths: ReadonlySet<string> = new Set(['/v1/chat/completions', '/v1/completions'])

/** The body for an engine: `model` replaced if a name is given, and usage asked for where the answer is a stream. */
export function engineBody(path: string, request: InferenceRequest, model: string | undefined): EngineBody {
  const named = model === undefined ? request.members : setMember(request.members, 'model', JSON.stringify(model))
  const asking = request.stream && usagePaths.has(path) ? withUsage(named) : undefined
  return { body: joinMembers(asking ?? named), usageInjected: asking !== undefined }
}

/** The prefill pod computes the prompt's cache and one token, which nobody reads. */
export function prefillBody(engine: EngineBody, handsOver: boolean): Buffer {
  // `min_tokens` above `max_tokens` would be refused.
  let members = removeMembers(membersOf(engine.body), 'stream', 'stream_options', 'min_tokens')
  members = setMember(members, 'max_tokens', '1')
  if (valueOf(members, 'max_completion_tokens') !== undefined)
    members = setMember(members, 'max_completion_tokens', '1')
  return joinMembers(handsOver ? setMember(members, kvTransferParams, remoteDecode) : members)
}

/** The decode pod is told what the prefill pod answered, verbatim; `null` where it said nothing. */
export function decodeBody(engine: EngineBody, transferParams: Buffer | undefined): Buffer {
  return joinMembers(setMember(membersOf(engine.body), kvTransferParams, transferParams ?? 'null'))
}

/** What a prefill pod's answer says about where its cache lies; undefined where it is not there or the answer no JSON. */
export function transferParamsOf(answer: Buffer): Buffer | undefined {
  try {
    if (!isObject(JSON.parse(answer.toString()))) return undefined
    return valueOf(membersOf(answer), kvTransferParams)
  } catch {
    return undefined
  }
}

const kvTransferParams = 'kv_transfer_params'
const remoteDecode = '{"do_remote_decode":true,"do_remote_prefill":false}'

/** Merges into `stream_options`; undefined when usage is asked for already, or the member is not ours to repair. */
function withUsage(members: readonly Member[]): readonly Member[] | undefined {
  const options = valueOf(members, 'stream_options')
  if (options === undefined || options.equals(nothing)) {
    return setMember(members, 'stream_options', '{"include_usage":true}')
  }
  if (options[0] !== 0x7b) return undefined
  const inner = membersOf(options)
  if (valueOf(inner, 'include_usage')?.equals(truth)) return undefined
  return setMember(members, 'stream_options', joinMembers(setMember(inner, 'include_usage', 'true')))
}

const nothing = Buffer.from('null')
const truth = Buffer.from('true')
