/**
 * Many ModelBoosters at once against a whole local cluster in this process, with full durability: how fast their
 * children are written and become Active, what each costs in requests, and whether anything is written once all is well.
 *
 * `node bench/boosters.ts [--boosters 1000] [--without-nodes] [--runs 3]`; a run is a process of its own.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { systemClock } from '#base/clock.ts'
import { kthena } from '#api/dialects.ts'
import { silentLog } from '#base/log.ts'
import { tokenAuthenticator } from '#cli/identity.ts'
import { startLocalCluster } from '#cli/local-cluster.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { inScratch, isWrite, mib, pause, peakRssOf, printTable, runAlone, until } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    boosters: { type: 'string', default: '1000' },
    'without-nodes': { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    once: { type: 'boolean', default: false },
  },
})
const count = Number(options.boosters)
/** Pods stay pending: what the control plane does, without the start of a pod each, and none becomes Active. */
const withoutNodes = options['without-nodes']
/** ModelServing, ModelServer and ModelRoute. */
const childrenEach = 3
const restMs = 10_000
const longestMs = 120_000

interface Figures {
  readonly created: number
  readonly childrenWritten: number
  readonly childrenPerSecond: number
  readonly active: number
  readonly boostersPerSecond: number
  readonly settled: number
  readonly cpuMs: number
  readonly childWrites: number
  readonly statusWrites: number
  readonly writes: number
  readonly events: number
  readonly reads: number
  readonly restWrites: number
  readonly peakMib: number
  readonly stallMs: number
}

const runOnce = (): Figures =>
  runAlone(import.meta.url, '--boosters', String(count), ...(withoutNodes ? ['--without-nodes'] : []))

if (options.once) process.stdout.write(JSON.stringify(await inScratch(measureIn)))
else {
  const runs = Array.from({ length: Number(options.runs) }, runOnce)
  const of = (name: keyof Figures): number[] => runs.map((run) => run[name])
  printTable(`${count} ModelBoosters at once, ${withoutNodes ? 'pods stay pending' : 'a simulated pod each'}`, [
    { what: 'all accepted by the API', unit: 's', values: of('created') },
    { what: `all ${childrenEach} children of each written`, unit: 's', values: of('childrenWritten') },
    { what: 'children written', unit: '/s', values: of('childrenPerSecond'), budget: '≥ 300' },
    ...(withoutNodes
      ? []
      : [
          { what: 'all Active', unit: 's', values: of('active') },
          { what: 'boosters Active', unit: '/s', values: of('boostersPerSecond'), budget: 'goal 300' },
        ]),
    { what: 'nothing left to do', unit: 's', values: of('settled') },
    { what: 'CPU per booster, of all parts', unit: 'ms', values: of('cpuMs') },
    { what: 'children written per booster', unit: 'requests', values: of('childWrites'), budget: '3' },
    { what: 'status writes of a booster', unit: 'requests', values: of('statusWrites'), budget: '≤ 2' },
    { what: 'writes per booster, of all parts, its pods included', unit: 'requests', values: of('writes') },
    { what: 'events per booster, of all parts', unit: 'requests', values: of('events') },
    { what: 'reads beyond the caches per booster', unit: 'requests', values: of('reads'), budget: '0' },
    {
      what: 'writes during 10 s of rest, heartbeats of the node apart',
      unit: 'requests',
      values: of('restWrites'),
      budget: '0',
    },
    { what: 'peak RSS', unit: 'MiB', values: of('peakMib') },
    { what: 'longest stall of the event loop', unit: 'ms', values: of('stallMs') },
  ])
}

async function measureIn(dataDir: string): Promise<Figures> {
  const requests: AnsweredRequest[] = []
  await using cluster = await startLocalCluster({
    dataDir,
    authenticate: tokenAuthenticator('bench'),
    authorization: 'Bearer bench',
    clock: systemClock,
    log: silentLog,
    onRequest: (request) => requests.push(request),
    ...(withoutNodes && { nodes: [] }),
  })
  const childKinds = [ModelServing, ModelServer, ModelRoute].map((kind) => cluster.informers.of<AnyResource>(kind))
  const boosters = cluster.informers.of<AnyResource>(ModelBooster)
  await Promise.all([...childKinds, boosters].map((informer) => informer.synced()))
  requests.length = 0
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  const seconds = (): number => (performance.now() - startMs) / 1000

  const creations = Array.from({ length: count }, (_, index) => cluster.client.create(ModelBooster, booster(index)))
  const created = Promise.all(creations).then(seconds)
  const childrenWritten = until(
    () => childKinds.reduce((sum, kind) => sum + kind.list().length, 0) >= count * childrenEach,
    longestMs,
  ).then(seconds)
  const done = (): boolean => withoutNodes || boosters.list().filter(isActive).length >= count
  const active = await until(done, longestMs).then(seconds)
  await childrenWritten
  await until(() => cluster.controllers.every((controller) => controller.idle()), longestMs)
  const settled = seconds()
  const cpu = process.cpuUsage(cpuBefore)
  const stallMs = delay.max / 1e6
  const load = requests.splice(0)
  await pause(restMs)

  const writes = load.filter(isWrite).filter(({ userAgent }) => userAgent !== 'fairlead')
  const each = (chosen: readonly unknown[]): number => chosen.length / count
  const childrenSeconds = await childrenWritten
  const byBooster = writes.filter(({ userAgent }) => userAgent === kthena.controllerName)
  return {
    created: await created,
    childrenWritten: childrenSeconds,
    childrenPerSecond: (count * childrenEach) / childrenSeconds,
    active,
    boostersPerSecond: count / active,
    settled,
    cpuMs: (cpu.user + cpu.system) / 1000 / count,
    childWrites: each(byBooster.filter(({ resource }) => resource !== ModelBooster.plural && resource !== 'events')),
    statusWrites: each(byBooster.filter(({ resource }) => resource === ModelBooster.plural)),
    writes: each(writes.filter(({ resource }) => resource !== 'events')),
    events: each(writes.filter(({ resource }) => resource === 'events')),
    reads: each(load.filter(({ verb }) => verb === 'get' || verb === 'list')),
    restWrites: requests.filter((request) => isWrite(request) && request.resource !== 'leases').length,
    peakMib: peakRssOf(process.pid) / mib,
    stallMs,
  }
}

function isActive({ status }: AnyResource): boolean {
  const conditions = (status?.['conditions'] ?? []) as readonly Condition[]
  return conditions.some(({ type, status: state }) => type === 'Active' && state === 'True')
}

function booster(index: number): AnyResource {
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    metadata: { name: `bench-${index}`, namespace: 'default' },
    spec: {
      backends: [
        {
          name: 'vllm',
          type: 'vLLM',
          modelURI: 'hf://Qwen/Qwen2.5-0.5B-Instruct',
          minReplicas: 1,
          maxReplicas: 1,
          workers: [{ type: 'server', image: 'vllm/vllm-openai:latest', config: { 'max-model-len': 4096 } }],
        },
      ],
    },
  }
}
