import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '#base/log.ts'
import { vllm } from '#engines/vllm.ts'
import { match, type Match } from '#routing/match.ts'
import { isReady, type RoutingSnapshot } from '#routing/snapshot.ts'
import type { ByteBudget } from './byte-budget.ts'
import { Exchange, type ExchangeParts } from './exchange.ts'
import type { ExchangeRecord } from './exchange-record.ts'
import { forward } from './forward.ts'
import type { Holding, HoldRequest } from './holding.ts'
import { engineBody, type InferenceRequest, parseInference } from './inference-request.ts'
import { hasModel } from './inspect.ts'
import { type ApiError, modelNotFound, unavailable } from './openai-error.ts'
import type { RateLimits } from './rate-limits.ts'
import { readBody } from './request-body.ts'

export interface InferenceParts extends ExchangeParts {
  readonly snapshot: () => RoutingSnapshot
  readonly holding: Holding
  readonly rateLimits: RateLimits
  readonly maxBodyBytes: number
  /** Memory for the bodies of all requests. */
  readonly bodies: ByteBudget
  readonly random: () => number
  readonly log: Log
}

/** Managing an engine is not for clients, though it has paths under `/v1` too. */
const notForClients: ReadonlySet<string> = new Set([vllm.loadLoraPath, vllm.unloadLoraPath])

/** Plain segments only, so that no spelling of a path means another one to the engine. */
export function isInferencePath(path: string): boolean {
  return /^\/v1(?:\/[A-Za-z0-9_-]+)+$/.test(path) && !notForClients.has(path)
}

/** parse → match → candidates → pick → send. Resolves when the answer is complete or nobody waits for it any more. */
export async function infer(
  parts: InferenceParts,
  request: IncomingMessage,
  response: ServerResponse,
  record: ExchangeRecord,
): Promise<void> {
  const exchange = new Exchange(parts, request, response, record)
  const inference = await readInference(parts, exchange, request, response)
  if (inference === undefined) return
  const { model, bodyBytes } = inference
  record.model = model
  if (hasModel(parts.snapshot(), model)) record.modelLabel = model
  parts.metrics.accepted(record)

  const header = (name: string) => request.headersDistinct[name]?.[0] ?? ''
  const matchIn = (now: RoutingSnapshot) => match(now, { model, path: record.path, header }, parts.random())
  let found = matchIn(parts.snapshot())
  if ('route' in found) {
    record.route = found.route
    if (!admitted(parts, exchange, response, found, inference.promptTokens)) return
  }
  if (found.found === 'unready') {
    const isFound = (now: RoutingSnapshot) => matchIn(now).found === 'server'
    const comes = await isReadyLater(parts, { exchange, bodyBytes, target: found.target, isReady: isFound })
    if (comes) found = matchIn(parts.snapshot())
  }
  if (exchange.gone) return
  if (found.found !== 'server') return exchange.fail(matchError(found, model), errorTypeOf(found))

  const { route, server, adapter } = found
  const { key } = server
  const engineModel = adapter ? undefined : server.model
  Object.assign(record, { route, server: key, upstreamModel: engineModel ?? model })
  await forward({
    ...parts,
    exchange,
    engine: engineBody(record.path, inference, engineModel),
    server: () => parts.snapshot().servers.get(key),
    nowMs: () => parts.clock.now(),
    podComes: () => isReadyLater(parts, { exchange, bodyBytes, target: key, isReady: (now) => hasPod(now, key) }),
  })
}

/** Undefined when the client is gone or answered. */
async function readInference(
  { bodies, maxBodyBytes }: InferenceParts,
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<InferenceRequest | undefined> {
  const share = bodies.share()
  response.once('close', () => share.free())
  const body = await readBody(request, { maxBytes: maxBodyBytes, share })
  if (body === 'gone' || exchange.gone) return undefined
  const inference = Buffer.isBuffer(body) ? parseInference(exchange.record.path, body) : bodyError(body, maxBodyBytes)
  if (!('code' in inference)) return inference
  request.resume() // a connection closed under a client that still sends loses the answer
  exchange.fail(inference, 'prompt_parsing')
  return undefined
}

/** Whether the route's limit lets the request on; it is answered if not. */
function admitted(
  { rateLimits, metrics }: InferenceParts,
  exchange: Exchange,
  response: ServerResponse,
  { route, limit }: Extract<Match, { readonly route: string }>,
  promptTokens: number,
): boolean {
  const { record } = exchange
  const admission = limit === undefined ? undefined : rateLimits.admit(route, limit, promptTokens)
  if (admission?.admitted === false) {
    metrics.limited(record, admission.limit)
    exchange.fail(admission.error, 'rate_limit')
    return false
  }
  // After the exchange has told the record what was used.
  if (admission !== undefined) response.once('close', () => admission.settle(record))
  return true
}

/** Waits for a pod where the server says so. */
async function isReadyLater(
  { holding, snapshot }: InferenceParts,
  request: Pick<HoldRequest, 'exchange' | 'bodyBytes' | 'isReady'> & { readonly target: string },
): Promise<boolean> {
  const { target } = request
  const server = snapshot().servers.get(target)
  if (server === undefined || isReady(server)) return false
  const outcome = await holding.untilReady({ ...request, server, snapshot })
  if (outcome === 'full' || outcome === 'late') holding.refused(target)
  return outcome === 'ready'
}

function hasPod({ servers }: RoutingSnapshot, key: string): boolean {
  const server = servers.get(key)
  return server !== undefined && isReady(server)
}

type NoMatch = Exclude<Match, { readonly found: 'server' }>

function matchError(found: NoMatch, model: string): ApiError {
  if (found.found === 'no-route') return modelNotFound(model)
  if (found.found === 'no-rule') {
    return { status: 404, code: 'no_matching_rule', message: 'No rule of this model’s routes is for this request.' }
  }
  return found.dangling
    ? unavailable('backend_not_found', 'The route of this model names a server that does not exist.')
    : unavailable('no_ready_pods', 'No pod that serves this model is ready.')
}

function errorTypeOf(found: NoMatch): ExchangeRecord['errorType'] {
  return found.found === 'unready' ? 'pod_discovery' : 'route_not_found'
}

function bodyError(why: 'too-large' | 'no-room', maxBytes: number): ApiError {
  return why === 'too-large'
    ? { status: 413, code: 'body_too_large', message: `The request body is longer than ${maxBytes} bytes.` }
    : unavailable('router_busy', 'This router holds as many request bodies as it has memory for.')
}
