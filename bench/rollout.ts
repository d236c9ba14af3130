/**
 * Rollouts while users ask: 200 streamed requests a second through the router, while the image changes, then the number of
 * groups, then the image to one that nobody can run and on to a good one, and at last while the controllers are killed in the
 * middle. Counts requests that failed and how few endpoints the router had. In turns with the gate (a pod is ready when the
 * router sends it requests, and goes when none is under way) and, as the baseline, with pods that are merely ready.
 *
 * API server with pods, controllers, router and load are a process each.
 *
 * `node bench/rollout.ts [--runs 3] [--rate 200]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, get, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ModelServing } from '#api/model-serving.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { connect } from '#cli/connect.ts'
import { startControllers } from '#cli/controllers.ts'
import { recordingIo } from '#cli/io.testkit.ts'
import { startListeningCluster } from '#cli/listening-cluster.ts'
import { startRouterProcess } from '#cli/router-process.ts'
import type { Client } from '#kube/client.ts'
import { createInformers } from '#kube/create-informers.ts'
import { isConditionTrue } from '#machinery/conditions.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { askRouters } from '#serving/routers.ts'
import { pause, printTable } from './measure.ts'

const { values: options, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, rate: { type: 'string', default: '200' } },
  allowPositionals: true,
})
const rate = Number(options.rate)
const [mode, kubeconfigOrDir = '', routerUrl] = positionals

/** The API server and the pods, until standard input ends. */
async function serveCluster(dataDir: string): Promise<void> {
  await using cluster = await startListeningCluster({
    dataDir,
    apiPort: 0,
    durability: 'full',
    controllers: [],
    log: silentLog,
  })
  process.stdout.write(`${cluster.kubeconfig}\n`)
  process.stdin.resume()
  await once(process.stdin, 'end')
}

async function runControllers(kubeconfig: string, url: string | undefined): Promise<void> {
  const cluster = connect({ kubeconfig }, recordingIo())
  const informers = createInformers({ client: cluster.client, clock: systemClock, log: silentLog })
  const runtime = { client: cluster.client, informers, clock: systemClock, log: silentLog }
  startControllers(() => runtime, undefined, url === undefined ? {} : { routers: askRouters(() => [url], systemClock) })
  process.stdout.write('started\n')
  process.stdin.resume()
  await once(process.stdin, 'end')
  process.exit(0)
}

interface Figures {
  requests: number
  failed: number
  fewest: number
  withoutBackendMs: number
  seconds: number
}

async function main(): Promise<void> {
  const all: Record<'gate' | 'baseline', Figures[]> = { gate: [], baseline: [] }
  for (let run = 0; run < Number(options.runs); run++) {
    all.gate.push(await measure(true))
    all.baseline.push(await measure(false))
  }
  const rows = (['gate', 'baseline'] as const).flatMap((which) => {
    const name = which === 'gate' ? 'ready when routed, emptied first' : 'baseline, ready when the pod is'
    const of = (figure: keyof Figures): number[] => all[which].map((each) => each[figure])
    return [
      { what: `${name}: requests`, unit: '', values: of('requests') },
      { what: `${name}: failed`, unit: 'requests', values: of('failed'), ...(which === 'gate' && { budget: '0' }) },
      {
        what: `${name}: fewest endpoints of the router`,
        unit: '',
        values: of('fewest'),
        ...(which === 'gate' && { budget: '≥ 1' }),
      },
      {
        what: `${name}: without any endpoint`,
        unit: 'ms',
        values: of('withoutBackendMs'),
        ...(which === 'gate' && { budget: '0' }),
      },
      { what: `${name}: the whole scenario`, unit: 's', values: of('seconds') },
    ]
  })
  printTable(`Three groups rolled out four times under ${rate} streamed requests a second`, rows)
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('it has no output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return line
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.stdin?.end()
  await exited
}

async function measure(gated: boolean): Promise<Figures> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-rollout-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const server = start('cluster', folder)
  stack.defer(() => end(server))
  const kubeconfig = await firstLine(server)
  const router = stack.use(
    await startRouterProcess({ kubeconfig: Promise.resolve(kubeconfig), port: 0, clock: systemClock, log: silentLog }),
  )
  const controllerArgs = ['controllers', kubeconfig, ...(gated ? [router.metricsUrl] : [])]
  let controllers = start(...controllerArgs)
  stack.defer(() => end(controllers))
  const cluster = stack.use(connect({ kubeconfig }, recordingIo()))
  const { client } = cluster

  for (const object of routing) await write(client, object)
  await change(client, 'v1', 3)
  await available(client)
  await pause(1_000)
  const startMs = performance.now()
  const load = startLoad(Number(new URL(router.url).port))
  const watch = startWatch(router.metricsUrl)

  await change(client, 'v2', 3)
  await available(client)
  await change(client, 'v2', 5)
  await available(client)
  await change(client, 'v2', 3)
  await available(client)
  await change(client, 'v3', 3)
  await pause(1_000)
  await change(client, undefined, 3)
  await pause(4_000)
  await change(client, 'v4', 3)
  await available(client)
  await change(client, 'v5', 3)
  await pause(1_500)
  controllers.kill('SIGKILL')
  await pause(500)
  controllers = start(...controllerArgs)
  await available(client)

  const { requests, failed } = await load.stop()
  const { fewest, withoutBackendMs } = await watch.stop()
  return { requests, failed, fewest, withoutBackendMs, seconds: (performance.now() - startMs) / 1000 }
}

const meta = { name: 'chat', namespace: 'default' }
const routing: readonly AnyResource[] = [
  {
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelServer',
    metadata: meta,
    spec: {
      model: 'chat',
      inferenceEngine: 'vLLM',
      workloadPort: { port: 8000 },
      workloadSelector: { matchLabels: { app: 'chat' } },
    },
  },
  {
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelRoute',
    metadata: meta,
    spec: { modelName: 'chat', rules: [{ targetModels: [{ modelServerName: 'chat' }] }] },
  },
]

const kinds = [ModelServing, ModelServer, ModelRoute] as readonly Kind[]

async function write(client: Client, object: AnyResource): Promise<void> {
  const kind = kinds.find((each) => each.kind === object.kind)
  if (kind !== undefined) await client.apply(kind, object, { fieldManager: 'bench', force: true })
}

/** `undefined` is an image that nothing can run. An engine takes a second to load, and ends a second after it is told to. */
function change(client: Client, version: string | undefined, replicas: number): Promise<void> {
  const container = {
    name: 'engine',
    image: version === undefined ? 'acme/unknown:1' : `vllm/vllm-openai:${version}`,
    command: 'vllm serve chat --simulate-start-seconds 1 --simulate-answer-tokens 500'.split(' '),
    readinessProbe: { httpGet: { path: '/health', port: 8000 }, periodSeconds: 1 },
  }
  return write(client, {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelServing',
    metadata: meta,
    spec: {
      replicas,
      template: {
        roles: [
          {
            name: 'engine',
            entryTemplate: {
              metadata: { labels: { app: 'chat' } },
              spec: { terminationGracePeriodSeconds: 1, containers: [container] },
            },
          },
        ],
      },
    },
  })
}

const longestMs = 120_000

async function available(client: Client): Promise<void> {
  const deadline = performance.now() + longestMs
  for (;;) {
    const { metadata, spec, status } = await client.get(ModelServing, meta)
    const current = status?.observedGeneration === metadata.generation
    if (current && isConditionTrue(status?.conditions, 'Available') && status?.replicas === spec.replicas) return
    if (performance.now() > deadline) throw new Error(`not available: ${JSON.stringify(status?.conditions)}`)
    await pause(50)
  }
}

/** Open loop. Nineteen of twenty answers take a fifth of a second, the others four. */
function startLoad(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const running = new Set<Promise<void>>()
  const causes = new Map<string, number>()
  let [requests, failed, stopped] = [0, 0, false]
  const startMs = performance.now()

  async function one(): Promise<void> {
    const tokens = requests % 20 === 0 ? 400 : 20
    const cause = await ask(port, agent, tokens).catch((error: unknown) => String(error))
    if (cause === undefined) return
    failed++
    causes.set(cause, (causes.get(cause) ?? 0) + 1)
  }

  async function run(): Promise<void> {
    while (!stopped) {
      while (requests < ((performance.now() - startMs) / 1000) * rate) {
        requests++
        const asking = one().finally(() => running.delete(asking))
        running.add(asking)
      }
      await pause(2)
    }
  }
  const loop = run()
  return {
    async stop(): Promise<{ requests: number; failed: number }> {
      stopped = true
      await loop
      await Promise.all(running)
      agent.destroy()
      if (failed > 0) process.stderr.write(`${[...causes].map(([cause, count]) => `${count} × ${cause}`).join('\n')}\n`)
      return { requests, failed }
    },
  }
}

/** Undefined when the whole stream came, else why not. */
function ask(port: number, agent: Agent, tokens: number): Promise<string | undefined> {
  const body = JSON.stringify({
    model: 'chat',
    messages: [{ role: 'user', content: 'hello' }],
    max_tokens: tokens,
    stream: true,
  })
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const request = httpRequest({ port, agent, method: 'POST', path: '/v1/chat/completions', headers }, (response) => {
      let tail = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (tail = (tail + chunk).slice(-400)))
      response.on('error', reject)
      response.on('end', () => {
        const whole = response.statusCode === 200 && tail.includes('[DONE]')
        resolve(whole ? undefined : `${response.statusCode} ${tail.slice(0, 200)}`)
      })
      response.on('close', () => {
        if (!response.complete) resolve('the stream was cut')
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Looks twenty times a second to how many endpoints the router sends requests. */
function startWatch(metricsUrl: string) {
  const everyMs = 50
  let [fewest, withoutBackendMs, stopped] = [Number.POSITIVE_INFINITY, 0, false]
  async function run(): Promise<void> {
    while (!stopped) {
      const { servers } = (await getJson(new URL('/debug/endpoints', metricsUrl))) as {
        servers: { endpoints: unknown[] }[]
      }
      const count = servers[0]?.endpoints.length ?? 0
      fewest = Math.min(fewest, count)
      if (count === 0) withoutBackendMs += everyMs
      await pause(everyMs)
    }
  }
  const loop = run()
  return {
    async stop(): Promise<{ fewest: number; withoutBackendMs: number }> {
      stopped = true
      await loop
      return { fewest, withoutBackendMs }
    },
  }
}

function getJson(url: URL): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(JSON.parse(text)))
    }).on('error', reject)
  })
}

if (mode === 'cluster') await serveCluster(kubeconfigOrDir)
else if (mode === 'controllers') await runControllers(kubeconfigOrDir, routerUrl)
else await main()
