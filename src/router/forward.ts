import type { Log } from '#base/log.ts'
import type { Backend, Endpoint, Pairing, RetryPolicy, ServerEntry } from '#routing/snapshot.ts'
import type { Exchange } from './exchange.ts'
import type { ErrorType } from './exchange-record.ts'
import { type InFlight, leastLoaded, leastLoadedPair } from './in-flight.ts'
import { decodeBody, type EngineBody, prefillBody, transferParamsOf } from './inference-request.ts'
import type { RouterMetrics } from './metrics.ts'
import { type ApiError, unavailable } from './openai-error.ts'
import type { AnswerSink, CallOutcome } from './upstream-call.ts'

/** A request that is ready to go to any pod of a server. */
export interface Forwarding {
  readonly exchange: Exchange
  /** The server as it is at this moment; undefined once it is gone. */
  readonly server: () => ServerEntry | undefined
  readonly engine: EngineBody
  readonly inFlight: InFlight
  readonly metrics: RouterMetrics
  readonly random: () => number
  readonly log: Log
  readonly nowMs: () => number
  /** Waits until a pod is there again, where requests of the server may wait for one; false when none came or will come. */
  readonly podComes: () => Promise<boolean>
}

/** Without a policy: at once, on other pods only. */
const defaultRetry: RetryPolicy = { attempts: 2, intervalMs: 0 }
/** A prefill answer is a token and a few ids. */
const maxPrefillAnswerBytes = 16 << 20

/** An attempt that gave the client nothing. */
interface Failure {
  readonly error: ApiError
  readonly type: ErrorType
}

/**
 * Sends to one pod, or one pair of them, after another until the client has an answer. Another is tried only while
 * nothing was sent to the client, and only after: no connection, a connection lost before the headers, no headers in
 * time, 502, 503. Every other answer is the client's, whatever its status: the engine has looked at the request.
 * Where the last pod went meanwhile, as when a model is scaled to zero, the next one may be waited for.
 */
export async function forward(forwarding: Forwarding): Promise<void> {
  const { exchange, metrics } = forwarding
  const failed = new Set<string>()
  for (let attempt = 0; ; attempt++) {
    const server = forwarding.server()
    const policy = server?.retry ?? defaultRetry
    const round: Round = {
      forwarding,
      server,
      failed,
      anew: server?.retry !== undefined,
      left: policy.attempts - attempt,
    }
    const failure = await tryOnce(round)
    if (failure === undefined || exchange.gone) return
    if (canGoOn(round)) {
      metrics.retried(exchange.record)
      await exchange.wait(policy.intervalMs)
    } else if (await forwarding.podComes()) {
      failed.clear()
      attempt = -1
    } else return exchange.fail(failure.error, failure.type)
    if (exchange.gone) return
  }
}

interface Round {
  readonly forwarding: Forwarding
  readonly server: ServerEntry | undefined
  /** Uids of pods that failed this request. */
  readonly failed: Set<string>
  /** Begin again with pods that failed once all have: only where the user asked for a number of retries. */
  readonly anew: boolean
  /** Retries that are left. */
  readonly left: number
}

function canGoOn({ forwarding, server, failed, anew, left }: Round): boolean {
  if (left <= 0 || server === undefined) return false
  return anew ? hasPods(server.backend) : untried(server.backend, forwarding.inFlight, failed)
}

function hasPods(backend: Backend): boolean {
  return (backend.kind === 'plain' ? backend.endpoints : backend.pairings).length > 0
}

function untried(backend: Backend, inFlight: InFlight, failed: ReadonlySet<string>): boolean {
  return backend.kind === 'plain'
    ? leastLoaded(backend.endpoints, inFlight, 0, failed) !== undefined
    : leastLoadedPair(backend.pairings, inFlight, 0, failed) !== undefined
}

async function tryOnce(round: Round): Promise<Failure | undefined> {
  const { forwarding, server, failed, anew } = round
  if (server !== undefined && anew && !untried(server.backend, forwarding.inFlight, failed)) failed.clear()
  if (server?.backend.kind === 'plain') return tryPlain(round, server.backend.endpoints)
  if (server === undefined) return noPods
  if (server.backend.connector === 'sglang') {
    const message = 'Disaggregated prefill by SGLang’s own connector is not supported; set `kvConnector.type`.'
    forwarding.exchange.fail({ status: 501, code: 'kv_connector_not_supported', message }, 'scheduling')
    return undefined // trying again would not help
  }
  return tryPair(round, server.backend.pairings, server.backend.connector)
}

const noPods: Failure = {
  error: unavailable('no_ready_pods', 'No pod that serves this model is ready.'),
  type: 'pod_discovery',
}

async function tryPlain(round: Round, endpoints: readonly Endpoint[]): Promise<Failure | undefined> {
  const { exchange, engine, inFlight, random } = round.forwarding
  const endpoint = leastLoaded(endpoints, inFlight, random(), round.failed)
  if (endpoint === undefined) return noPods
  exchange.record.attempts++
  return failureOf(
    await send(round, endpoint, engine.body, (status, headers) =>
      exchange.answer(status, headers, engine.usageInjected),
    ),
  )
}

/** The prefill pod works first; only its success brings the request to the decode pod of its group. */
async function tryPair(
  round: Round,
  pairings: readonly Pairing[],
  connector: 'http' | 'lmcache' | 'nixl' | 'mooncake',
): Promise<Failure | undefined> {
  const { exchange, engine, inFlight, metrics, random, nowMs, log } = round.forwarding
  const pair = leastLoadedPair(pairings, inFlight, random(), round.failed)
  if (pair === undefined) return noPods
  exchange.record.attempts++
  const handsOver = connector === 'nixl' || connector === 'mooncake'

  const startMs = nowMs()
  const chunks: Buffer[] = []
  let prefilled = false
  const prefill = await send(round, pair.prefill, prefillBody(engine, handsOver), (status, headers) => {
    prefilled = status >= 200 && status < 300
    return prefilled ? collect(chunks) : exchange.answer(status, headers, false)
  })
  const prefillEndMs = nowMs()
  metrics.phase('prefill', exchange.record, (prefillEndMs - startMs) / 1000, prefilled && prefill.kind === 'answered')
  if (prefilled && prefill.kind === 'cut') round.failed.add(pair.prefill.uid)
  if (!prefilled || prefill.kind !== 'answered') return prefilled && prefill.kind === 'cut' ? lost : failureOf(prefill)

  const params = handsOver ? transferParamsOf(Buffer.concat(chunks)) : undefined
  if (handsOver && params === undefined)
    log.warn('prefill answered without kv_transfer_params', { pod: pair.prefill.pod })
  const body = handsOver ? decodeBody(engine, params) : engine.body
  const decode = await send(round, pair.decode, body, (status, headers) =>
    exchange.answer(status, headers, engine.usageInjected),
  )
  const ok = decode.kind === 'answered' && decode.status < 300
  metrics.phase('decode', exchange.record, (nowMs() - prefillEndMs) / 1000, ok)
  return failureOf(decode)
}

type OnHeaders = (status: number, headers: Parameters<Exchange['answer']>[1]) => AnswerSink

/** One call; a 502 or 503 is dropped while there is something else to try. */
async function send(round: Round, endpoint: Endpoint, body: Buffer, onHeaders: OnHeaders): Promise<CallOutcome> {
  const request = { body, timeoutMs: round.server?.timeoutMs }
  const outcome = await round.forwarding.exchange.call(endpoint, request, (status, headers) => {
    if (status === 502 || status === 503) {
      round.failed.add(endpoint.uid)
      if (canGoOn(round)) return undefined
    }
    return onHeaders(status, headers)
  })
  if (outcome.kind === 'failed') round.failed.add(endpoint.uid)
  return outcome
}

function collect(chunks: Buffer[]): AnswerSink {
  let size = 0
  return {
    data(chunk) {
      size += chunk.length
      if (size <= maxPrefillAnswerBytes) chunks.push(chunk)
      return true
    },
    end: () => {},
    cut: () => {},
  }
}

const lost: Failure = {
  error: { status: 502, code: 'upstream_unreachable', message: 'The pod that serves this model did not answer.' },
  type: 'upstream_transport',
}

const busy: Failure = {
  error: unavailable('upstream_unavailable', 'The pods that serve this model are busy.'),
  type: 'upstream_response',
}

const late: Failure = {
  error: { status: 504, code: 'upstream_timeout', message: 'The pod that serves this model did not answer in time.' },
  type: 'upstream_transport',
}

/** Undefined once the client has an answer, or is gone. */
function failureOf(outcome: CallOutcome): Failure | undefined {
  if (outcome.kind === 'refused') return busy
  if (outcome.kind !== 'failed') return undefined
  return outcome.why === 'timeout' ? late : lost
}
