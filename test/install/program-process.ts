/** A program of an installation as a process of this machine: with the arguments of its Deployment, on free ports. */
import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { listeningOf } from '../listening.ts'

/** The ports of the manifests may be taken here, and tests listen on loopback alone. */
const freePorts = {
  manager: ['--metrics-bind-address=127.0.0.1:0', '--health-probe-bind-address=127.0.0.1:0'],
  router: ['--bind-address=127.0.0.1', '--port=0', '--metrics-port=0'],
}
export type Program = keyof typeof freePorts
export const programs = Object.keys(freePorts) as readonly Program[] // of a constant: the keys are known

export interface ProgramProcess extends AsyncDisposable {
  /** Resolves when its probe says so; rejects with what it said when it ends before. */
  ready(): Promise<void>
  /** Asks it to end. `complaints` are the lines on standard error that are no log, and logs from a warning on. */
  stop(): Promise<{ readonly code: number | null; readonly complaints: readonly string[] }>
}

export interface ProgramOptions extends Pick<SpawnOptions, 'uid' | 'gid' | 'cwd' | 'env'> {
  readonly program: Program
  /** Of its Deployment. */
  readonly args: readonly string[]
  /** Where it is as if installed. */
  readonly namespace: string
}

const patienceMs = 60_000

/** `entrypoint` is that of the image, or what stands for it. */
export function startProgram(entrypoint: readonly string[], options: ProgramOptions): ProgramProcess {
  const { program, args, namespace, ...spawning } = options
  const [file = '', ...rest] = entrypoint
  const told = args.map((arg) => arg.replace('$(POD_NAMESPACE)', namespace))
  const child = spawn(file, [...rest, ...told, ...freePorts[program]], {
    ...spawning,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const closed = once(child, 'close').then(([code]) => code as number | null)
  return {
    async ready() {
      for (const deadline = Date.now() + patienceMs; ; ) {
        if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${program} is not ready: ${errors}`)
        if ((await Promise.all(listeningOf(child.pid ?? 0).map(({ port }) => saysReady(port)))).includes(true)) return
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async stop() {
      child.kill('SIGTERM')
      return { code: await closed, complaints: errors.split('\n').filter(isComplaint) }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}

async function saysReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
  await response?.body?.cancel()
  return response?.ok === true
}

const isComplaint = (line: string): boolean => line !== '' && !/^\{"level":(20|30),/.test(line)
