/**
 * What the router adds to a call: the same load on the engine directly and through `fairlead router`, in turns. Load,
 * engine (`echo-engine.ts`) and router are a process each; the router is the real one, which learns of the engine's pod
 * from an API server.
 *
 * `node bench/router.ts [--rounds 5] [--streams 1000,5000]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Pod } from '#api/core/kinds.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { startListeningCluster } from '#cli/listening-cluster.ts'
import { startRouterProcess } from '#cli/router-process.ts'
import type { Client } from '#kube/client.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { cpuSecondsOf, memoryOf, mib, pause, printTable, quantile, type Row } from './measure.ts'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, streams: { type: 'string', default: '1000,5000' } },
})
const rounds = Number(options.rounds)
const rates = [50, 500]
const roundMs = 3_000
const closedLoop = 32
const tokens = 10
const tokenGapMs = 500
/** New streams a second while they are opened. */
const openingRate = 2_000
const question = {
  model: 'bench',
  messages: [{ role: 'user', content: 'word '.repeat(200) }],
  temperature: 0,
  max_tokens: tokens,
}
const plainBody = JSON.stringify(question)
const streamBody = JSON.stringify({ ...question, stream: true })

await using stack = new AsyncDisposableStack()
const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
stack.defer(() => rmSync(folder, { recursive: true, force: true }))
const engine = await startEngine()
const cluster = stack.use(
  await startListeningCluster({ dataDir: folder, apiPort: 0, durability: 'full', log: silentLog }),
)
await register(cluster.client, engine)
const router = stack.use(
  await startRouterProcess({
    kubeconfig: Promise.resolve(cluster.kubeconfig),
    port: 0,
    clock: systemClock,
    log: silentLog,
  }),
)
const routerPort = Number(new URL(router.url).port)
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
stack.defer(() => agent.destroy())
await routed()

const rows: Row[] = []
for (const port of [engine, routerPort]) await atRate(port, 200, 1_000)
for (const rate of rates) rows.push(...(await addedLatency(rate)))
rows.push(...(await throughput()))
printTable('Router beside direct calls, answers in one piece', rows)
for (const count of options.streams.split(',').map(Number)) {
  printTable(`${count} streams at once, ${tokens} events each, ${tokenGapMs} ms apart`, await streams(count))
}

async function addedLatency(rate: number): Promise<Row[]> {
  const direct: number[][] = []
  const through: number[][] = []
  for (let round = 0; round < rounds; round++) {
    direct.push(await atRate(engine, rate, roundMs))
    through.push(await atRate(routerPort, rate, roundMs))
  }
  const of = (q: number, rounds: number[][]): number[] => rounds.map((latencies) => quantile(latencies, q))
  const added = (q: number): number[] => of(q, through).map((value, i) => value - (of(q, direct)[i] ?? 0))
  const [p50Budget, p99Budget] = rate === 500 ? ['≤ 1', '≤ 5'] : []
  return [
    { what: `${rate}/s: direct, p50`, unit: 'ms', values: of(0.5, direct) },
    { what: `${rate}/s: direct, p99`, unit: 'ms', values: of(0.99, direct) },
    { what: `${rate}/s: added, p50`, unit: 'ms', values: added(0.5), ...(p50Budget && { budget: p50Budget }) },
    { what: `${rate}/s: added, p99`, unit: 'ms', values: added(0.99), ...(p99Budget && { budget: p99Budget }) },
  ]
}

/** Open loop: calls start when they are due, whatever became of those before. Resolves to latencies in ms, sorted. */
async function atRate(port: number, rate: number, durationMs: number): Promise<number[]> {
  const startMs = performance.now()
  const calls: Promise<number>[] = []
  for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs = performance.now() - startMs) {
    while (calls.length < (elapsedMs / 1000) * rate) calls.push(call(port))
    await pause(1)
  }
  return (await Promise.all(calls)).toSorted((a, b) => a - b)
}

async function throughput(): Promise<Row[]> {
  const measured: Record<'direct' | 'through' | 'cpu', number[]> = { direct: [], through: [], cpu: [] }
  for (let round = 0; round < rounds; round++) {
    measured.direct.push(await closed(engine))
    const cpuBefore = cpuSecondsOf(router.pid() ?? 0)
    const perSecond = await closed(routerPort)
    measured.through.push(perSecond)
    const cpu = cpuSecondsOf(router.pid() ?? 0) - cpuBefore
    measured.cpu.push((cpu * 1e6) / ((perSecond * roundMs) / 1000))
  }
  const what = `${closedLoop} callers without pause`
  return [
    { what: `${what}: direct`, unit: 'requests/s', values: measured.direct },
    { what: `${what}: router`, unit: 'requests/s', values: measured.through },
    { what: 'CPU of the router per request', unit: 'µs', values: measured.cpu },
  ]
}

async function closed(port: number): Promise<number> {
  const startMs = performance.now()
  let answered = 0
  const caller = async (): Promise<void> => {
    while (performance.now() - startMs < roundMs) {
      await call(port)
      answered++
    }
  }
  await Promise.all(Array.from({ length: closedLoop }, caller))
  return (answered * 1000) / (performance.now() - startMs)
}

/** Resolves to the milliseconds until the whole answer was there. */
function call(port: number): Promise<number> {
  const startMs = performance.now()
  return post(port, plainBody, () => {}).then(() => performance.now() - startMs)
}

function post(port: number, body: string, onData: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const path = '/v1/chat/completions'
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (response) => {
      response.on('data', onData)
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`the answer was ${response.statusCode}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

async function streams(count: number): Promise<Row[]> {
  const direct = await openStreams(engine, count)
  await pause(1_000)
  const pid = router.pid() ?? 0
  const cpuBefore = cpuSecondsOf(pid)
  const rssBefore = memoryOf(pid).rss
  let peakRss = 0
  const look = setInterval(() => (peakRss = Math.max(peakRss, memoryOf(pid).rss)), 200)
  const startMs = performance.now()
  const through = await openStreams(routerPort, count)
  const seconds = (performance.now() - startMs) / 1000
  clearInterval(look)
  const cpu = cpuSecondsOf(pid) - cpuBefore
  const added = (q: number): number[] => [quantile(through.firstMs, q) - quantile(direct.firstMs, q)]
  return [
    { what: 'complete', unit: 'streams', values: [through.complete], budget: `${count}` },
    { what: 'most at once', unit: 'streams', values: [through.most], budget: `${count}` },
    { what: 'events', unit: '/s', values: [(count * tokens) / seconds] },
    { what: 'first event, direct, p50', unit: 'ms', values: [quantile(direct.firstMs, 0.5)] },
    { what: 'first event, added, p50', unit: 'ms', values: added(0.5) },
    { what: 'first event, added, p99', unit: 'ms', values: added(0.99) },
    { what: 'CPU of the router', unit: '% of a core', values: [(cpu / seconds) * 100] },
    { what: 'CPU of the router per event', unit: 'µs', values: [(cpu * 1e6) / (count * tokens)] },
    { what: 'RSS of the router before', unit: 'MiB', values: [rssBefore / mib] },
    { what: 'RSS of the router, most', unit: 'MiB', values: [peakRss / mib] },
  ]
}

interface Streamed {
  readonly complete: number
  readonly most: number
  /** From the request to the first event of each, sorted. */
  readonly firstMs: readonly number[]
}

async function openStreams(port: number, count: number): Promise<Streamed> {
  const firstMs: number[] = []
  let complete = 0
  let open = 0
  let most = 0
  const one = async (): Promise<void> => {
    const startMs = performance.now()
    let text = ''
    await post(port, streamBody, (chunk) => {
      if (text === '') {
        firstMs.push(performance.now() - startMs)
        most = Math.max(most, ++open)
      }
      text += chunk.toString()
    })
    open--
    if (text.split('data: ').length - 1 === tokens + 1 && text.endsWith('data: [DONE]\n\n')) complete++
  }
  const beganMs = performance.now()
  const all: Promise<void>[] = []
  while (all.length < count) {
    const due = Math.min(count, ((performance.now() - beganMs) / 1000) * openingRate)
    while (all.length < due) all.push(one())
    await pause(1)
  }
  await Promise.all(all)
  return { complete, most, firstMs: firstMs.toSorted((a, b) => a - b) }
}

async function startEngine(): Promise<number> {
  const program = fileURLToPath(new URL('./echo-engine.ts', import.meta.url))
  const child = spawn(process.execPath, [program, String(tokens), String(tokenGapMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  stack.defer(() => {
    child.stdin.end()
  })
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return Number(chunk.toString())
}

/** A route, a server and a ready pod at the engine's address, on a node that nobody runs. */
async function register(client: Client, port: number): Promise<void> {
  const metadata = { name: 'bench', namespace: 'default' }
  const labels = { app: 'bench' }
  const pod = { containers: [{ name: 'engine', image: 'bench' }], nodeName: 'elsewhere' }
  const version = 'networking.serving.volcano.sh/v1alpha1'
  await client.create(Pod, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels }, spec: pod })
  const status = { phase: 'Running', podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] }
  await client.patch(Pod, metadata, { type: 'merge', patch: { status } }, { subresource: 'status' })
  const server: AnyResource = {
    apiVersion: version,
    kind: 'ModelServer',
    metadata,
    spec: { inferenceEngine: 'vLLM', workloadSelector: { matchLabels: labels }, workloadPort: { port } },
  }
  await client.create<AnyResource>(ModelServer, server)
  const route: AnyResource = {
    apiVersion: version,
    kind: 'ModelRoute',
    metadata,
    spec: { modelName: 'bench', rules: [{ name: 'all', targetModels: [{ modelServerName: 'bench' }] }] },
  }
  await client.create<AnyResource>(ModelRoute, route)
}

async function routed(): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await call(routerPort)
      return
    } catch (error) {
      if (attempt === 100) throw error
      await pause(100)
    }
  }
}
