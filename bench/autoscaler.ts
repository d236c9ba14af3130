/**
 * Many policies, whose pods are scraped over HTTP each 15 seconds, beside an embedded API server in this process: what share
 * of a core the autoscaler takes, how much memory, and how long it takes from a look to a decision. The pods are objects
 * alone; what answers for them is a process of its own, with an address for each and the metrics of a simulated engine.
 *
 * `node bench/autoscaler.ts [--policies 500] [--pods 4] [--seconds 60]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { Pod } from '#api/core/kinds.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Decision } from '#autoscaler/decide.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { AutoscalingOptions } from '#cli/autoscaling.ts'
import { startControllers } from '#cli/controllers.ts'
import { tokenAuthenticator } from '#cli/identity.ts'
import { startLocalCluster } from '#cli/local-cluster.ts'
import type { Client } from '#kube/client.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { createEngineMetrics } from '#simulator/engine-metrics.ts'
import { cpuSecondsOf, memoryOf, mib, pause, printTable, quantile } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    policies: { type: 'string', default: '500' },
    pods: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '60' },
    engines: { type: 'boolean', default: false },
  },
})
const policies = Number(options.policies)
const podsEach = Number(options.pods)
const seconds = Number(options.seconds)
const namespace = 'default'

const addressOf = (index: number): string => `127.9.${Math.floor(index / 200)}.${(index % 200) + 1}`

if (options.engines) await serveEngines()
else await measure()

/** One server that listens at the address of each pod. */
async function serveEngines(): Promise<void> {
  const metrics = createEngineMetrics('m', { running: () => 8, waiting: () => 5, cacheUsageRatio: () => 0.4 })
  for (let i = 0; i < 200; i++) {
    metrics.finished({
      arrivedMs: 0,
      firstTokenMs: 40 + i,
      finishedMs: 900 + i,
      promptTokens: 80,
      generatedTokens: 90,
      finishReason: 'stop',
    })
  }
  const text = await metrics.render()
  const listen = (index: number, port: number) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text)
    })
    return new Promise<number>((resolve) =>
      server.listen(port, addressOf(index), () => resolve((server.address() as AddressInfo).port)),
    )
  }
  const port = await listen(0, 0) // free here, and so at the addresses that nobody else uses
  await Promise.all(Array.from({ length: policies * podsEach - 1 }, (_, i) => listen(i + 1, port)))
  process.once('disconnect', () => process.exit())
  process.send?.({ port, bytes: text.length })
}

interface Engines {
  readonly port: number
  /** Length of one answer. */
  readonly bytes: number
}

async function startEngines(): Promise<Engines & { readonly child: ChildProcess }> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), '--engines', '--policies', options.policies, '--pods', options.pods],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  )
  const engines = await new Promise<Engines>((resolve) => child.once('message', (told) => resolve(told as Engines)))
  return { child, ...engines }
}

async function measure(): Promise<void> {
  const { child, bytes, port } = await startEngines()
  await using cluster = await startLocalCluster({
    authenticate: tokenAuthenticator('bench'),
    authorization: 'Bearer bench',
    clock: systemClock,
    log: silentLog,
    nodes: [],
    controllers: [],
  })
  await fill(cluster.client, port)
  const heapBefore = liveHeap()
  const passes: number[] = []
  const decisions: Decision[] = []
  let failed = 0
  const { client, informers } = cluster
  const runtime = {
    client,
    informers,
    clock: systemClock,
    log: silentLog,
    onPass: ({ durationMs }: { durationMs: number }) => passes.push(durationMs),
  }
  const autoscaling: AutoscalingOptions = {
    onDecision: (_, decision) => decisions.push(decision),
    onScrape: ({ ok }) => (failed += ok ? 0 : 1),
  }
  const controllers = startControllers(() => runtime, ['autoscaler'], { autoscaling })
  await pause(30_000) // the first looks, all together, are told apart below
  const first = passes.splice(0).sort((a, b) => a - b)
  decisions.length = 0
  const busy = await shareDuring(seconds)
  const looked = passes.filter((ms) => ms > 0).sort((a, b) => a - b)
  printTable(`${policies} policies × ${podsEach} pods, each 15 s, ${(bytes / 1024).toFixed(1)} KiB of metrics a pod`, [
    { what: 'of a core, the API server included', unit: '%', values: [busy * 100] },
    { what: 'memory of the process, the API server included', unit: 'MiB', values: [memoryOf(process.pid).own / mib] },
    { what: 'live heap over that of the server alone', unit: 'MiB', values: [(liveHeap() - heapBefore) / mib] },
    { what: 'decisions', unit: 'per s', values: [decisions.length / seconds] },
    { what: 'pods that could not be asked', unit: '', values: [failed] },
    { what: 'from look to decision, p50', unit: 'ms', values: [quantile(looked, 0.5)] },
    { what: 'from look to decision, p99', unit: 'ms', values: [quantile(looked, 0.99)] },
    { what: 'the same, all at once after a start, p99', unit: 'ms', values: [quantile(first, 0.99)] },
  ])
  for (const controller of controllers) await controller[Symbol.asyncDispose]()
  child.kill()
}

/** What a collection leaves, in bytes. */
function liveHeap(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // there once the flag is set
  collect()
  return process.memoryUsage().heapUsed
}

/** Part of a core that this process takes. */
async function shareDuring(span: number): Promise<number> {
  const before = cpuSecondsOf(process.pid)
  const startMs = performance.now()
  await pause(span * 1000)
  return (cpuSecondsOf(process.pid) - before) / ((performance.now() - startMs) / 1000)
}

async function fill(client: Client, port: number): Promise<void> {
  const make = (kind: Kind, name: string, spec: unknown, labels: Record<string, string> = {}): AnyResource =>
    ({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name, namespace, labels }, spec }) as AnyResource
  const container = { name: 'engine', image: 'vllm/vllm-openai:latest' }
  const template = { roles: [{ name: 'engine', entryTemplate: { spec: { containers: [container] } } }] }
  await inTurns(policies, 32, async (policy) => {
    const name = `m${policy}`
    await client.create(ModelServing, make(ModelServing, name, { replicas: podsEach, template }))
    for (let pod = 0; pod < podsEach; pod++) {
      const labels = {
        'modelserving.volcano.sh/name': name,
        'modelserving.volcano.sh/entry': 'true',
        'modelserving.volcano.sh/role': 'engine',
      }
      const place = { namespace, name: `${name}-${pod}` }
      await client.create(Pod, make(Pod, place.name, { containers: [container] }, labels))
      const status = {
        phase: 'Running',
        podIP: addressOf(policy * podsEach + pod),
        conditions: [{ type: 'Ready', status: 'True' }],
      }
      await client.patch(Pod, place, { type: 'merge', patch: { status } }, { subresource: 'status' })
    }
    const metrics = [
      { metricName: 'vllm:num_requests_waiting', targetValue: 5 },
      { metricName: 'vllm:time_to_first_token_seconds', targetValue: 1 },
    ]
    await client.create(AutoscalingPolicy, make(AutoscalingPolicy, name, { metrics }))
    const target = { targetRef: { name }, metricEndpoint: { port } }
    const scalingConfiguration = { target, minReplicas: 1, maxReplicas: 8 }
    await client.create(
      AutoscalingPolicyBinding,
      make(AutoscalingPolicyBinding, name, { policyRef: { name }, scalingConfiguration }),
    )
  })
}

async function inTurns(count: number, atOnce: number, run: (index: number) => Promise<void>): Promise<void> {
  const indexes = Array.from({ length: count }, (_, i) => i).values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const index of indexes) await run(index)
    }),
  )
}
