/** `fairlead manager` as a process, and a cluster for it: embedded, listening, with none of our controllers in it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startListeningCluster } from '#cli/listening-cluster.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import { problemsOnly } from './ground.ts'
import { type Tools, toolsOf } from './tools.ts'
import { temporaryDirectory } from './up-process.ts'

const program = fileURLToPath(new URL('../bin/fairlead.cjs', import.meta.url))

export interface ManagedCluster extends Tools {
  readonly kubeconfig: string
  readonly apiUrl: string
}

export async function startManagedCluster(t: Pick<TestContext, 'after'>): Promise<ManagedCluster> {
  const requests: AnsweredRequest[] = []
  const stack = new AsyncDisposableStack()
  const dataDir = join(temporaryDirectory(t), 'data')
  t.after(() => stack.disposeAsync())
  const cluster = stack.use(
    await startListeningCluster({
      dataDir,
      apiPort: 0,
      durability: 'normal',
      log: problemsOnly,
      controllers: [],
      onRequest: (request) => requests.push(request),
    }),
  )
  const { kubeconfig, apiUrl } = cluster
  const { fetch } = stack.use(connect(loadClusterAccess({ path: kubeconfig, env: {} })))
  const ground = {
    lineOf: () => fetch,
    url: apiUrl,
    requests,
    idle: () => true,
    caughtUp: () => Promise.resolve(true),
    patienceMs: 60_000,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  return { ...toolsOf(ground, () => true, ground.caughtUp), kubeconfig, apiUrl }
}

export type LogLine = { readonly level: number; readonly msg: string } & Readonly<Record<string, unknown>>

export interface ManagerProcess {
  readonly child: ChildProcess
  /** All that it has said so far. */
  said(): string
  /** The first line with that message, now or later; rejects when the process ends without one. */
  logged(message: string, which?: (line: LogLine) => boolean): Promise<LogLine>
  /** Of a listener of its own. */
  get(from: 'health-probe' | 'metrics', path: string): Promise<{ readonly status: number; readonly text: string }>
  /** As its requests tell it. */
  identity(): Promise<string>
  /** Resolves with the exit status, or the signal that it died of. */
  readonly ended: Promise<number | NodeJS.Signals>
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

/** Later flags win, so `args` may override what is given here. */
export function startManager(
  t: Pick<TestContext, 'after'>,
  kubeconfig: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): ManagerProcess {
  const addresses = ['--metrics-bind-address', '127.0.0.1:0', '--health-probe-bind-address', '127.0.0.1:0']
  const all = [program, 'manager', ...(kubeconfig === '' ? [] : ['--kubeconfig', kubeconfig]), ...addresses, ...args]
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const lines: LogLine[] = []
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  createInterface({ input: child.stderr }).on('line', (line) => {
    said += `${line}\n`
    if (line.startsWith('{')) lines.push(JSON.parse(line) as LogLine)
    child.emit('told')
  })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const logged: ManagerProcess['logged'] = async (message, which = () => true) => {
    for (;;) {
      const found = lines.find((line) => line.msg === message && which(line))
      if (found !== undefined) return found
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended without "${message}": ${said}`)
      await Promise.race([once(child, 'told'), ended])
    }
  }
  return {
    child,
    said: () => said,
    logged,
    async get(from, path) {
      const { port } = await logged('listening', ({ flag }) => flag === `${from}-bind-address`)
      const response = await fetch(`http://127.0.0.1:${String(port)}${path}`)
      return { status: response.status, text: await response.text() }
    },
    identity: async () => String((await logged('starting'))['identity']),
    ended,
    stop(signal) {
      child.kill(signal)
      return ended
    },
  }
}
