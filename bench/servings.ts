/**
 * Many ModelServings of four pods at once against a whole local cluster in this process: how long until all run, what a pod
 * costs in requests, whether anything is written at rest, and the memory that it takes. Pods are simulated.
 *
 * `node bench/servings.ts [--servings 1000] [--runs 3]`; a run is a process of its own.
 */
import { parseArgs } from 'node:util'
import { ModelServing } from '#api/model-serving.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { tokenAuthenticator } from '#cli/identity.ts'
import { startLocalCluster } from '#cli/local-cluster.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import { isConditionTrue } from '#machinery/conditions.ts'
import { inScratch, isWrite, memoryOf, mib, pause, peakRssOf, printTable, runAlone, until } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    servings: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '3' },
    once: { type: 'boolean', default: false },
  },
})
const count = Number(options.servings)
const podsEach = 4
const restMs = 10_000
const longestMs = 600_000

interface Figures {
  readonly running: number
  readonly settled: number
  readonly cpuMs: number
  readonly servingWrites: number
  readonly writes: number
  readonly events: number
  readonly reads: number
  readonly restWrites: number
  readonly peakMib: number
  readonly restMib: number
}

const runOnce = (): Figures => runAlone(import.meta.url, '--servings', String(count))

if (options.once) process.stdout.write(JSON.stringify(await inScratch(measureIn)))
else {
  const runs = Array.from({ length: Number(options.runs) }, runOnce)
  const of = (name: keyof Figures): number[] => runs.map((run) => run[name])
  printTable(`${count} ModelServings of ${podsEach} pods at once, simulated`, [
    { what: 'all Available', unit: 's', values: of('running') },
    { what: 'nothing left to do', unit: 's', values: of('settled') },
    { what: 'CPU per pod, of all parts', unit: 'ms', values: of('cpuMs') },
    { what: 'writes of the serving controller per pod, events apart', unit: 'requests', values: of('servingWrites') },
    { what: 'writes of all parts per pod, events apart', unit: 'requests', values: of('writes') },
    { what: 'events per pod, of all parts', unit: 'requests', values: of('events') },
    { what: 'reads beyond the caches per pod', unit: 'requests', values: of('reads') },
    {
      what: 'writes during 10 s of rest, heartbeats of the node apart',
      unit: 'requests',
      values: of('restWrites'),
      budget: '0',
    },
    { what: 'peak RSS', unit: 'MiB', values: of('peakMib') },
    { what: 'RSS at rest', unit: 'MiB', values: of('restMib') },
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
  })
  const servings = cluster.informers.of(ModelServing)
  await servings.synced()
  requests.length = 0
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  const seconds = (): number => (performance.now() - startMs) / 1000

  await Promise.all(Array.from({ length: count }, (_, index) => cluster.client.create(ModelServing, serving(index))))
  await until(
    () => servings.list().filter(({ status }) => isConditionTrue(status?.conditions, 'Available')).length >= count,
    longestMs,
  )
  const running = seconds()
  await until(() => cluster.controllers.every((controller) => controller.idle()), longestMs)
  const settled = seconds()
  const cpu = process.cpuUsage(cpuBefore)
  const load = requests.splice(0)
  await pause(restMs)

  const writes = load.filter(isWrite).filter(({ userAgent }) => userAgent !== 'fairlead')
  const perPod = (chosen: readonly unknown[]): number => chosen.length / (count * podsEach)
  return {
    running,
    settled,
    cpuMs: (cpu.user + cpu.system) / 1000 / (count * podsEach),
    servingWrites: perPod(
      writes.filter(({ userAgent, resource }) => userAgent === 'fairlead-serving' && resource !== 'events'),
    ),
    writes: perPod(writes.filter(({ resource }) => resource !== 'events')),
    events: perPod(writes.filter(({ resource }) => resource === 'events')),
    reads: perPod(load.filter(({ verb }) => verb === 'get' || verb === 'list')),
    restWrites: requests.filter((request) => isWrite(request) && request.resource !== 'leases').length,
    peakMib: peakRssOf(process.pid) / mib,
    restMib: memoryOf(process.pid).rss / mib,
  }
}

/** Two roles: a prefill of an entry and a worker, and two decodes. */
function serving(index: number): ModelServing {
  const pod = {
    spec: { containers: [{ name: 'engine', image: 'vllm/vllm-openai:latest', command: ['vllm', 'serve', 'tiny'] }] },
  }
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelServing',
    metadata: { name: `bench-${index}`, namespace: 'default' },
    spec: {
      template: {
        roles: [
          { name: 'prefill', entryTemplate: pod, workerReplicas: 1, workerTemplate: pod },
          { name: 'decode', replicas: 2, entryTemplate: pod },
        ],
      },
    },
  } as unknown as ModelServing // the server fills in the defaults
}
