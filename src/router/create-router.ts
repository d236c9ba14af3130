import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent } from 'undici'
import type { Clock } from '#base/clock.ts'
import { factsOf, type Log } from '#base/log.ts'
import type { RoutingSnapshot } from '#routing/snapshot.ts'
import { accessLine, lineBuffer } from './access-log.ts'
import { ByteBudget } from './byte-budget.ts'
import type { RouterConfig } from './config.ts'
import { type ExchangeRecord, pathLabel } from './exchange-record.ts'
import { requestIdOf } from './headers.ts'
import { Holding } from './holding.ts'
import { InFlight } from './in-flight.ts'
import { infer, type InferenceParts, isInferencePath } from './inference.ts'
import { hasModel, listEndpoints, listLoad, listModels, modelObject } from './inspect.ts'
import { answerBrokenRequest, listen, pathOf, sendJson } from './listener.ts'
import { createMetrics } from './metrics.ts'
import { type ApiError, modelNotFound, sendError, unavailable } from './openai-error.ts'
import { RateLimits } from './rate-limits.ts'

export interface RouterParts {
  readonly config: RouterConfig
  /** The routing state to use now; read once for each request. */
  readonly snapshot: () => RoutingSnapshot
  /** Whether the snapshot has been filled. */
  readonly synced: () => boolean
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Takes lines of the access log, without the last newline. */
  readonly write: (lines: string) => void
}

export interface Router {
  readonly port: number
  readonly metricsPort: number
  /** Synced, and not shutting down. */
  ready(): boolean
  /**
   * Refuses new work at once, lets running answers end for at most `drainMs`, then cuts what is left.
   * Every call returns the same promise.
   */
  close(): Promise<void>
}

/** Longer than the idle time of common load balancers, so that it is they who close. */
const keepAliveTimeoutMs = 75_000

/** The router above any source of snapshots. Rejects with a `Fault` (`PortTaken`) when it cannot listen. */
export async function createRouter(parts: RouterParts): Promise<Router> {
  const { config, snapshot, synced, clock, log } = parts
  const dispatcher = new Agent({
    connect: { timeout: config.connectTimeoutMs },
    headersTimeout: 0,
    bodyTimeout: config.streamIdleTimeoutMs,
  })
  const inFlight = new InFlight()
  const holding = new Holding(clock)
  const rateLimits = new RateLimits(clock)
  const metrics = createMetrics(snapshot, holding, config.processMetrics)
  const inference: InferenceParts = {
    ...parts,
    dispatcher,
    inFlight,
    holding,
    rateLimits,
    metrics,
    maxBodyBytes: config.maxBodyBytes,
    bodies: new ByteBudget(config.maxBodiesBytes),
    unreadTimeoutMs: config.streamIdleTimeoutMs,
  }
  const accessLog = lineBuffer(parts.write)
  let active = 0
  let closing: Promise<void> | undefined
  const ready = () => synced() && closing === undefined

  const clients = createServer(
    {
      headersTimeout: config.headersTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, config.headersTimeoutMs),
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: 32 << 10,
    },
    (request, response) => {
      const path = pathOf(request)
      if (path === '/healthz') return sendJson(response, 200, { message: 'ok' })
      if (path === '/readyz') return sendReadiness(response, ready())
      if (path === '/metrics' && config.exposeMetricsOnRouterPort) return void sendMetrics(response, metrics.registry)
      handleApi(request, response, path)
    },
  )
  clients.on('clientError', answerBrokenRequest)

  function handleApi(request: IncomingMessage, response: ServerResponse, path: string): void {
    const record: ExchangeRecord = {
      startMs: clock.now(),
      method: request.method ?? '',
      path,
      pathLabel: pathLabel(path),
      protocol: `HTTP/${request.httpVersion}`,
      requestId: requestIdOf(request.headers),
      modelLabel: 'unknown',
      attempts: 0,
      streamed: false,
      status: 0,
      errorType: 'successful_request',
      chunks: 0,
    }
    active++
    metrics.started()
    response.setHeader('x-request-id', record.requestId)
    response.once('close', () => finish(response, record))
    const error =
      closing === undefined
        ? refusal(request, path, synced())
        : unavailable('shutting_down', 'This router is shutting down.')
    if (error !== undefined) {
      if (closing !== undefined) response.setHeader('connection', 'close')
      if (error.status === 405) response.setHeader('allow', isModelsPath(path) ? 'GET, HEAD' : 'POST')
      request.resume()
      return sendError(response, error)
    }
    if (isModelsPath(path)) return sendModels(response, path, snapshot())
    infer(inference, request, response, record).catch((error: unknown) => {
      log.error('request failed', { requestId: record.requestId, ...factsOf(error) })
      record.errorMessage = 'internal_error'
      if (response.headersSent) response.destroy()
      else sendError(response, { status: 500, code: 'internal_error', message: 'The router failed on this request.' })
    })
  }

  function finish(response: ServerResponse, record: ExchangeRecord): void {
    const whole = response.writableFinished
    if (record.status === 0) record.status = response.headersSent ? response.statusCode : 499
    if (record.errorType === 'successful_request' && (!whole || record.status >= 400)) {
      record.errorType = whole ? 'request_failed' : 'response_forwarding'
      if (!whole) record.errorMessage = 'client_gone'
    }
    const endMs = clock.now()
    metrics.finished(record, endMs)
    if (config.accessLog !== 'off') accessLog.add(accessLine(config.accessLog, record, endMs))
    active--
    if (closing !== undefined) setImmediate(closeWhenDone)
  }

  const operators = createServer((request, response) => {
    const path = pathOf(request)
    if (path === '/metrics') return void sendMetrics(response, metrics.registry)
    if (path === '/debug/endpoints') return sendJson(response, 200, listEndpoints(snapshot(), inFlight))
    if (path === '/debug/load') return sendJson(response, 200, listLoad(snapshot(), inFlight, holding))
    if (path === '/healthz') return sendJson(response, 200, { message: 'ok' })
    if (path === '/readyz') return sendReadiness(response, ready())
    sendError(response, notFound)
  })

  /** The operators' listener stays to the end, and tells that the router is not ready. */
  async function drain(): Promise<void> {
    holding.close()
    const closed = new Promise((resolve) => clients.close(resolve))
    const timer = clock.after(config.drainMs, () => clients.closeAllConnections())
    closeWhenDone()
    await closed
    timer.cancel()
    await new Promise((resolve) => {
      operators.close(resolve)
      operators.closeAllConnections()
    })
    await dispatcher.destroy()
    accessLog.flush()
  }

  /** A connection without a request (a client that connects ahead) must not hold a shutdown up. */
  function closeWhenDone(): void {
    if (active === 0) clients.closeAllConnections()
  }

  const port = await listen(clients, config.host, config.port)
  const metricsPort = await listen(operators, config.metricsHost, config.metricsPort).catch(async (error: unknown) => {
    clients.close()
    throw error
  })
  return { port, metricsPort, ready, close: () => (closing ??= drain()) }
}

const notFound: ApiError = { status: 404, code: 'unknown_url', message: 'There is nothing at this path.' }

/** Why a request cannot be looked at; undefined when it can. */
function refusal(request: IncomingMessage, path: string, synced: boolean): ApiError | undefined {
  const models = isModelsPath(path)
  if (!models && !isInferencePath(path)) return notFound
  const method = models ? 'GET' : 'POST'
  if (request.method !== method && !(models && request.method === 'HEAD')) {
    return { status: 405, code: 'method_not_allowed', message: `This path takes ${method} requests only.` }
  }
  if (!synced) return unavailable('not_ready', 'This router has not read its routes yet.')
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return undefined
  return { status: 415, code: 'unsupported_encoding', message: 'Request bodies must not be compressed.' }
}

function isModelsPath(path: string): boolean {
  return path === '/v1/models' || path.startsWith('/v1/models/')
}

function sendModels(response: ServerResponse, path: string, snapshot: RoutingSnapshot): void {
  if (path === '/v1/models') return sendJson(response, 200, listModels(snapshot))
  const name = decoded(path.slice('/v1/models/'.length))
  if (hasModel(snapshot, name)) sendJson(response, 200, modelObject(name))
  else sendError(response, modelNotFound(name))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function sendReadiness(response: ServerResponse, ready: boolean): void {
  if (ready) sendJson(response, 200, { message: 'router is ready' })
  else sendJson(response, 503, { message: 'router is not ready' })
}

async function sendMetrics(
  response: ServerResponse,
  registry: { readonly contentType: string; metrics(): Promise<string> },
) {
  const text = await registry.metrics()
  response.writeHead(200, { 'content-type': registry.contentType }).end(text)
}
