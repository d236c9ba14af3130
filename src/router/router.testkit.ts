import { type Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { Backend, Endpoint, KvConnector, RoutingSnapshot, ServerEntry } from '#routing/snapshot.ts'
import { defaultConfig, type RouterConfig } from './config.ts'
import { createRouter, type Router } from './create-router.ts'

/* Engines, snapshots and a client for the tests of this folder. */

/** A call that an engine received. */
export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly body: Record<string, unknown>
}

export interface FakeEngine extends Endpoint {
  readonly received: Received[]
  /** Resolves when a connection of a call under way is closed by the router. */
  readonly abandoned: Promise<void>
}

export type Answer = (response: ServerResponse, received: Received, request: IncomingMessage) => void

/** A real server on a free port, which answers as told. */
export async function engine(t: TestContext, name: string, answer: Answer): Promise<FakeEngine> {
  const received: Received[] = []
  const { promise: abandoned, resolve } = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const call = {
        path: request.url ?? '',
        headers: request.headers,
        text,
        body: JSON.parse(text) as Received['body'],
      }
      received.push(call)
      answer(response, call, request)
    })
    response.on('close', () => {
      if (!response.writableFinished) resolve()
    })
  })
  const port = await new Promise<number>((done) =>
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)),
  )
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { pod: `default/${name}`, uid: name, origin: `http://127.0.0.1:${port}`, received, abandoned }
}

/** An endpoint at which nobody listens. */
export async function nobody(name: string): Promise<Endpoint> {
  const server = createServer()
  const port = await new Promise<number>((done) =>
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)),
  )
  await new Promise((done) => server.close(done))
  return { pod: `default/${name}`, uid: name, origin: `http://127.0.0.1:${port}` }
}

export function json(status: number, value: unknown): Answer {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

export const completion = {
  id: 'c',
  choices: [{ text: 'hello' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
}

export const event = (value: unknown): string =>
  `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`

export function events(...values: readonly unknown[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const value of values) response.write(event(value))
    response.end()
  }
}

/** The model `chat`, served as `engine-name` by these pods; `sql` is an adapter. */
export function plain(endpoints: readonly Endpoint[], change: Partial<ServerEntry> = {}): RoutingSnapshot {
  return snapshotOf({ kind: 'plain', endpoints }, change)
}

/** One group: every decode pod with every prefill pod. */
export function disaggregated(
  connector: KvConnector,
  prefill: readonly Endpoint[],
  decode: readonly Endpoint[],
  change: Partial<ServerEntry> = {},
): RoutingSnapshot {
  const pairings = decode.map((endpoint) => ({ group: 'g', decode: endpoint, prefill }))
  return snapshotOf({ kind: 'disaggregated', connector, pairings }, change)
}

function snapshotOf(backend: Backend, change: Partial<ServerEntry>): RoutingSnapshot {
  const server: ServerEntry = {
    key: 'default/srv',
    model: 'engine-name',
    timeoutMs: undefined,
    retry: undefined,
    backend,
    ...change,
  }
  const route = {
    key: 'default/route',
    rules: [{ bodyModel: undefined, headers: [], uri: undefined, targets: [{ key: server.key, server, weight: 1 }] }],
  }
  return {
    byModel: new Map([['chat', [route]]]),
    byAdapter: new Map([['sql', [route]]]),
    servers: new Map([[server.key, server]]),
  }
}

export interface Routed {
  readonly router: Router
  readonly url: string
  readonly metricsUrl: string
  /** Lines of the access log, parsed. */
  readonly lines: Record<string, unknown>[]
}

/** A router over a fixed snapshot, closed with the test. The first of equals is chosen. */
export async function routed(
  t: TestContext,
  snapshot: RoutingSnapshot,
  config: Partial<RouterConfig> = {},
): Promise<Routed> {
  const lines: Record<string, unknown>[] = []
  const router = await createRouter({
    config: {
      ...defaultConfig,
      port: 0,
      metricsPort: 0,
      processMetrics: false,
      accessLog: 'json',
      drainMs: 0,
      ...config,
    },
    snapshot: () => snapshot,
    synced: () => true,
    clock: systemClock,
    random: () => 0,
    log: silentLog,
    write: (text) => lines.push(...text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)),
  })
  t.after(() => router.close())
  return { router, url: `http://127.0.0.1:${router.port}`, metricsUrl: `http://127.0.0.1:${router.metricsPort}`, lines }
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** False when the connection broke before the end. */
  readonly whole: boolean
}

export interface Ask {
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  readonly agent?: Agent
}

export const prompt = { model: 'chat', messages: [{ role: 'user', content: 'hi' }] }

/** A client that shows what came over the wire, cut answers included. Strings and buffers are sent as they are. */
export function ask(
  url: string,
  { path = '/v1/chat/completions', method = 'POST', headers = {}, body = prompt, agent }: Ask = {},
) {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>()
  const first = Promise.withResolvers<string>()
  const request = httpRequest(`${url}${path}`, { method, headers, agent: agent ?? false }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      first.resolve(chunk.toString())
    })
    response.on('error', () => {})
    response.on('close', () => {
      const text = Buffer.concat(chunks).toString()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, whole: response.complete })
    })
  })
  request.on('error', reject)
  promise.catch(() => {})
  if (method === 'GET') request.end()
  else request.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  return { answer: promise, firstChunk: first.promise, leave: () => request.destroy() }
}

/** `code` of an OpenAI error body, whose shape it checks on the way. */
export function errorCode(text: string): string {
  const { error } = JSON.parse(text) as { error: Record<string, unknown> }
  for (const name of ['message', 'type', 'code'])
    if (typeof error[name] !== 'string') throw new Error(`no ${name} in ${text}`)
  return String(error['code'])
}

/** The value of the one series that has these labels, and perhaps others. */
export async function sample(
  metricsUrl: string,
  name: string,
  labels: Record<string, string>,
): Promise<number | undefined> {
  const { text } = await ask(metricsUrl, { path: '/metrics', method: 'GET' }).answer
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const line = text.split('\n').find((l) => l.startsWith(`${name}{`) && wanted.every((pair) => l.includes(pair)))
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')))
}
