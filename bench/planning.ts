/**
 * The planner of boosters alone, and the command around it: how long 10,000 boosters take to plan in one process, when
 * nothing is there and when all is, how much memory what they become takes, and how long `fairlead plan` of one file takes
 * from the start of its process, from the sources and from the build.
 *
 * `node bench/planning.ts [--boosters 10000] [--runs 10]`
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ModelBooster } from '#api/model-booster.ts'
import { observe } from '#booster/observe.ts'
import { plan } from '#booster/plan.ts'
import { ImaginedCluster } from '#cli/imagined-cluster.ts'
import { mib, printTable } from './measure.ts'

const { values: options } = parseArgs({
  options: { boosters: { type: 'string', default: '10000' }, runs: { type: 'string', default: '10' } },
})
const count = Number(options.boosters)
const runs = Number(options.runs)
const root = fileURLToPath(new URL('..', import.meta.url))
const example = join(root, 'examples/quickstart.yaml')

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const nothing = { get: () => undefined, list: () => [], find: () => [] }

const tellsCpu = `data:text/javascript,process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write('cpu '+(user+system))})`

const planned = planAll()
const started = startAll()
printTable(`${count} boosters planned in one process`, [
  { what: 'all, with nothing there', unit: 'ms of CPU', values: [planned.fromNothingMs] },
  { what: 'each, with nothing there', unit: 'µs of CPU', values: [(planned.fromNothingMs * 1000) / count] },
  { what: 'each, with all there and as it should be', unit: 'µs of CPU', values: [(planned.settledMs * 1000) / count] },
  { what: 'steps of one booster, with nothing there', unit: '', values: [planned.steps / count] },
  { what: 'steps, with all there', unit: '', values: [planned.settledSteps] },
  { what: 'live heap for one booster and its children', unit: 'KiB', values: [planned.bytes / count / 1024] },
  { what: 'live heap in all', unit: 'MiB', values: [planned.bytes / mib] },
])
printTable('`fairlead plan --offline` of one file, from the start of the process', started)

/** Of this process: the planner is one thread, and shares its cores with whoever is there. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Milliseconds of CPU. */
interface Planned {
  readonly fromNothingMs: number
  readonly settledMs: number
  readonly steps: number
  readonly settledSteps: number
  readonly bytes: number
}

function planAll(): Planned {
  collect()
  const before = process.memoryUsage().heapUsed
  const boosters = Array.from({ length: count }, (_, i) => booster(i))
  const cluster = new ImaginedCluster()
  const nowMs = Date.now()
  let [steps, settledSteps] = [0, 0]
  const start = cpuMs()
  const writes = boosters.map((each) => plan(each, observe(each, nothing, undefined), nowMs).stages.flat())
  const fromNothingMs = cpuMs() - start
  for (const step of writes.flat()) {
    steps++
    if (step.do === 'apply') cluster.put(step.object)
  }
  writes.length = 0
  collect()
  const bytes = process.memoryUsage().heapUsed - before
  const settledStart = cpuMs()
  for (const each of boosters)
    settledSteps += plan(each, observe(each, ownChildrenIn(cluster), undefined), nowMs).stages.flat().length
  return { fromNothingMs, settledMs: cpuMs() - settledStart, steps, settledSteps, bytes }
}

/** As the caches of a controller answer: by name at once, without a look at every object. */
function ownChildrenIn(cluster: ImaginedCluster) {
  return { ...nothing, get: cluster.get.bind(cluster) }
}

function booster(i: number): ModelBooster {
  const backend = (name: string) => ({
    name,
    type: 'vLLM',
    modelURI: 'hf://acme/tiny-chat',
    minReplicas: 1,
    maxReplicas: 1,
    routeWeight: 50,
    workers: [
      { type: 'server', image: 'vllm/vllm-openai:latest', replicas: 1, pods: 1, config: { 'max-model-len': 4096 } },
    ],
  })
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    metadata: { name: `chat-${i}`, namespace: 'default', uid: `uid-${i}`, generation: 1 },
    spec: { backends: i % 4 === 0 ? [backend('a'), backend('b')] : [backend('a')] },
  } as unknown as ModelBooster // what the schema would add, the planner takes for granted
}

function startAll() {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
  try {
    const built = join(root, 'dist/cli/main.js')
    const inBuild = existsSync(built)
      ? timesOf(folder, [
          '--input-type=module',
          '-e',
          `process.getBuiltinModule('module').enableCompileCache(${JSON.stringify(folder)}); (await import(${JSON.stringify(built)})).main(process.argv.slice(1))`,
        ])
      : undefined
    const inSources = timesOf(folder, [join(root, 'bin/fairlead.cjs')])
    return [
      { what: 'from the sources, warm', unit: 'ms', values: inSources.wallMs, budget: '≤ 300' },
      { what: 'the same, CPU', unit: 'ms', values: inSources.cpuMs },
      ...(inBuild === undefined
        ? []
        : [
            { what: 'from the build, warm', unit: 'ms', values: inBuild.wallMs, budget: '≤ 300' },
            { what: 'the same, CPU', unit: 'ms', values: inBuild.cpuMs },
          ]),
      { what: 'a Node.js that does nothing', unit: 'ms', values: bareMs() },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Times {
  readonly wallMs: readonly number[]
  /** Of all its threads: a busy neighbour hardly moves it. */
  readonly cpuMs: readonly number[]
}

function timesOf(cache: string, program: readonly string[]): Times {
  const env = { ...process.env, XDG_CACHE_HOME: cache }
  const once = (): { wallMs: number; cpuMs: number } => {
    const startMs = performance.now()
    const args = ['--import', tellsCpu, ...program, 'plan', '--offline', '-f', example]
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
    if (status !== 2) throw new Error(`ended with ${status}: ${stderr}`)
    return { wallMs: performance.now() - startMs, cpuMs: Number(/cpu (\d+)/.exec(stderr)?.[1]) / 1000 }
  }
  once() // fills the cache of compiled code
  const all = Array.from({ length: runs }, once)
  return { wallMs: all.map(({ wallMs }) => wallMs), cpuMs: all.map(({ cpuMs }) => cpuMs) }
}

function bareMs(): number[] {
  return Array.from({ length: runs }, () => {
    const startMs = performance.now()
    spawnSync(process.execPath, ['-e', '0'])
    return performance.now() - startMs
  })
}
