/**
 * Many ModelBoosters at once for `fairlead manager`, a process of its own, on the embedded API server and on a real one, each a
 * process too: how fast children are written, what each booster costs in requests, what the manager needs, and whether it
 * writes anything at rest. There are no nodes: pods stay pending, so that what is measured is the control plane.
 *
 * `node bench/manager.ts [--boosters 1000] [--runs 3] [--rest-seconds 120]`; the real server needs `npm run cluster:build`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { pathOf } from '../scripts/go-tool.ts'
import { findKubectl } from '../scripts/kubectl.ts'
import { backend, modelBooster } from '../test/builders.ts'
import { startControlPlane } from '../test/cluster/control-plane.ts'
import { prepareCluster } from '../test/cluster/prepare.ts'
import { type ManagerProcess, startManager } from '../test/manager-process.ts'
import { cpuSecondsOf, memoryOf, mib, pause, peakRssOf, printTable } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    boosters: { type: 'string', default: '1000' },
    runs: { type: 'string', default: '3' },
    'rest-seconds': { type: 'string', default: '120' },
  },
})
const count = Number(options.boosters)
const restSeconds = Number(options['rest-seconds'])
const childKinds = [ModelServing, ModelServer, ModelRoute]
/** Boosters that are on their way at one time. */
const senders = 16
const longestMs = 300_000

interface Figures {
  readonly childrenPerSecond: number
  readonly settledSeconds: number
  readonly reads: number
  readonly writes: number
  readonly restWrites: number
  readonly cpuMs: number
  readonly peakMib: number
  readonly restMib: number
  readonly restCpuShare: number
}

const servers = { 'the embedded API server': startEmbedded, 'a real kube-apiserver': startReal }
for (const [name, start] of Object.entries(servers)) {
  const runs: Figures[] = []
  for (let run = 0; run < Number(options.runs); run++) runs.push(await measure(start))
  const of = (figure: keyof Figures): number[] => runs.map((run) => run[figure])
  printTable(`${count} ModelBoosters at once, \`fairlead manager\` on ${name}`, [
    { what: 'children written', unit: '/s', values: of('childrenPerSecond'), budget: '≥ 300, embedded' },
    { what: 'nothing left to do', unit: 's', values: of('settledSeconds') },
    { what: 'writes of the manager per booster, events and its pod included', unit: 'requests', values: of('writes') },
    { what: 'reads per booster', unit: 'requests', values: of('reads') },
    { what: `writes during ${restSeconds} s of rest`, unit: 'requests', values: of('restWrites'), budget: '0' },
    { what: 'CPU of the manager per booster', unit: 'ms', values: of('cpuMs') },
    { what: 'CPU of the manager at rest', unit: '% of a core', values: of('restCpuShare'), budget: '< 5' },
    { what: 'RSS of the manager, peak', unit: 'MiB', values: of('peakMib') },
    { what: 'RSS of the manager after the rest', unit: 'MiB', values: of('restMib') },
  ])
}

async function measure(start: (stack: AsyncDisposableStack) => Promise<string>): Promise<Figures> {
  await using stack = new AsyncDisposableStack()
  const kubeconfig = await start(stack)
  const access = loadClusterAccess({ env: {}, path: kubeconfig })
  const { fetch } = stack.use(connect(access))
  const client = createClient({ fetch, baseUrl: access.server, userAgent: 'bench' })
  const informers = stack.use(createInformers({ client, clock: systemClock, log: silentLog }))
  const children = childKinds.map((kind) => informers.of<AnyResource>(kind))
  await Promise.all(children.map((informer) => informer.synced()))

  const scope = { after: (end: () => Promise<void>) => stack.defer(end) } as Parameters<typeof startManager>[0]
  const manager = startManager(scope, kubeconfig, ['--no-leader-elect', '--kube-api-qps=0'])
  const pid = manager.child.pid ?? 0
  await manager.get('health-probe', '/healthz')
  const before = await requestsOf(manager)
  const cpuBefore = cpuSecondsOf(pid)
  const startMs = performance.now()
  const seconds = (): number => (performance.now() - startMs) / 1_000
  const names = Array.from({ length: count }, (_, at) => `bench-${at}`)
  const send = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop())
      await client.create(ModelBooster, modelBooster(name, { backends: [backend('vllm')] }) as never)
  }
  const sent = Promise.all(Array.from({ length: senders }, send))
  await until(() => children.reduce((sum, kind) => sum + kind.list().length, 0) >= count * childKinds.length)
  const childrenSeconds = seconds()
  await sent
  let last = await requestsOf(manager)
  let settledSeconds = seconds()
  for (let still = 0; still < 10; await pause(200)) {
    const now = await requestsOf(manager)
    still = now.writes === last.writes ? still + 1 : 0
    if (still === 0) settledSeconds = seconds()
    last = now
  }
  const cpu = cpuSecondsOf(pid) - cpuBefore
  const cpuAtRest = cpuSecondsOf(pid)
  await pause(restSeconds * 1_000)
  const atEnd = await requestsOf(manager)
  return {
    childrenPerSecond: (count * childKinds.length) / childrenSeconds,
    settledSeconds,
    reads: (last.reads - before.reads) / count,
    writes: (last.writes - before.writes) / count,
    restWrites: atEnd.writes - last.writes,
    cpuMs: (cpu * 1_000) / count,
    restCpuShare: ((cpuSecondsOf(pid) - cpuAtRest) / restSeconds) * 100,
    peakMib: peakRssOf(pid) / mib,
    restMib: memoryOf(pid).rss / mib,
  }
}

/** As the manager counts them itself. A watch counts as one read. */
async function requestsOf(manager: ManagerProcess): Promise<{ reads: number; writes: number }> {
  const { text } = await manager.get('metrics', '/metrics')
  const counts = { reads: 0, writes: 0 }
  for (const [, method, value] of text.matchAll(/^rest_client_requests_total\{.*method="(\w+)".*\} (\d+)$/gm))
    counts[method === 'GET' ? 'reads' : 'writes'] += Number(value)
  return counts
}

async function startEmbedded(stack: AsyncDisposableStack): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
  stack.defer(() => rmSync(dataDir, { recursive: true }))
  const child = spawn(process.execPath, [join(import.meta.dirname, 'embedded-server.ts'), dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  stack.defer(async () => {
    child.stdin.end()
    await once(child, 'close')
  })
  const [kubeconfig] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return kubeconfig
}

async function startReal(stack: AsyncDisposableStack): Promise<string> {
  const plane = stack.use(await startControlPlane(process.env))
  prepareCluster({ ...plane, kubectl: pathOf(await findKubectl(process.env)) })
  return plane.kubeconfig
}

async function until(check: () => boolean): Promise<void> {
  const deadline = performance.now() + longestMs
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not done after ${longestMs} ms`)
    await pause(5)
  }
}
