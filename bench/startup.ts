/**
 * `fairlead up` from the start of the process to the first streamed token, what it holds while idle, and its end.
 * Cold has no compiled code to reuse, as on the first start after an installation; warm has.
 *
 * `node bench/startup.ts [--runs 5]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { memoryOf, memoryTogether, mib, pause, printTable } from './measure.ts'

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const runs = Number(options.runs)
const program = fileURLToPath(new URL('../bin/fairlead.cjs', import.meta.url))
const example = fileURLToPath(new URL('../examples/quickstart.yaml', import.meta.url))
const lookMs = 5
/** V8 gives back what the start needed only after a while of rest. */
const idleMs = 60_000
const settleMs = 1_000
const longestMs = 60_000

/** Milliseconds since the process was started; memory in MiB. */
interface Start {
  readonly api: number
  readonly ready: number
  readonly active: number
  readonly firstToken: number
  readonly shutdown: number
  readonly rssUp: number
  readonly rssRouter: number
  readonly together: number
}

const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
try {
  const cold: Start[] = []
  const warm: Start[] = []
  const again: Start[] = []
  const cache = join(folder, 'cache')
  await start(join(folder, 'data-first'), cache)
  for (let run = 0; run < runs; run++) {
    cold.push(await start(join(folder, `data-cold-${run}`), join(folder, `cache-${run}`)))
    warm.push(await start(join(folder, `data-warm-${run}`), cache))
    again.push(await start(join(folder, `data-warm-${run}`), cache))
  }
  const idle = await Promise.all([1, 2, 3].map((run) => start(join(folder, `data-idle-${run}`), cache, idleMs)))
  const of = (starts: readonly Start[], name: keyof Start): number[] => starts.map((each) => each[name])
  printTable('Start of `fairlead up`, the quickstart applied', [
    { what: 'API ready, cold', unit: 'ms', values: of(cold, 'api') },
    { what: 'API ready, warm', unit: 'ms', values: of(warm, 'api'), budget: '≤ 1000' },
    { what: 'API and router ready, warm', unit: 'ms', values: of(warm, 'ready') },
    { what: 'Active, warm', unit: 'ms', values: of(warm, 'active') },
    { what: 'first streamed token, cold', unit: 'ms', values: of(cold, 'firstToken') },
    { what: 'first streamed token, warm', unit: 'ms', values: of(warm, 'firstToken'), budget: '≤ 3000' },
    { what: 'first streamed token, on the data of the last start', unit: 'ms', values: of(again, 'firstToken') },
    { what: 'SIGTERM to the end of all processes', unit: 'ms', values: of(warm, 'shutdown') },
    { what: 'idle RSS of `up`', unit: 'MiB', values: of(idle, 'rssUp') },
    { what: 'idle RSS of its router', unit: 'MiB', values: of(idle, 'rssRouter') },
    { what: 'idle, both, what they share counted once', unit: 'MiB', values: of(idle, 'together'), budget: '≤ 200' },
  ])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function start(dataDir: string, cacheDir: string, restMs = settleMs): Promise<Start> {
  const kubeconfig = join(dataDir, 'kubeconfig')
  rmSync(kubeconfig, { force: true })
  const startMs = performance.now()
  const since = (): number => performance.now() - startMs
  const child = spawn(
    process.execPath,
    [program, 'up', '--json', '--apply', example, '--data-dir', dataDir, '--api-port', '0', '--router-port', '0'],
    { env: { ...process.env, XDG_CACHE_HOME: cacheDir }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const late = setTimeout(() => child.kill('SIGKILL'), longestMs)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    const api = written(kubeconfig).then(since)
    let ready = 0
    let active = 0
    let firstToken = 0
    for await (const event of eventsOf(child)) {
      if (event.event === 'ready') ready = since()
      if (event.event === 'state' && event.object?.startsWith('ModelBooster/') && event.ready === true) active = since()
      if (event.event === 'answer') {
        // The question is asked as soon as the booster is Active; the answer is told when it is whole.
        firstToken = active + (event.firstTokenMs ?? 0)
        break
      }
    }
    if (firstToken === 0) throw new Error('up ended without an answer')
    clearTimeout(late)
    await pause(restMs)
    const pid = child.pid ?? 0
    const [router = 0] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
    const [ofUp, ofRouter] = [memoryOf(pid), memoryOf(router)]
    const stopMs = performance.now()
    child.kill('SIGTERM')
    await ended
    while (existsSync(`/proc/${router}`)) await pause(lookMs)
    return {
      api: await api,
      ready,
      active,
      firstToken,
      shutdown: performance.now() - stopMs,
      rssUp: ofUp.rss / mib,
      rssRouter: ofRouter.rss / mib,
      together: memoryTogether([ofUp, ofRouter]) / mib,
    }
  } finally {
    clearTimeout(late)
    child.kill('SIGKILL')
  }
}

interface UpEvent {
  readonly event: string
  readonly object?: string
  readonly ready?: boolean
  readonly firstTokenMs?: number
}

async function* eventsOf({ stdout }: ChildProcess): AsyncGenerator<UpEvent> {
  if (stdout === null) return
  for await (const line of createInterface({ input: stdout })) yield JSON.parse(line) as UpEvent
}

/** The kubeconfig is written once the API server listens. */
async function written(file: string): Promise<void> {
  const deadline = performance.now() + longestMs
  while (!existsSync(file) && performance.now() < deadline) await pause(lookMs)
}
