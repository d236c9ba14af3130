/**
 * The router beside the API server: a process of its own, so that streaming never waits for the store and a crash
 * takes nothing else down. It is started again when it ends by itself, and ends when we do, however we end: its
 * standard input brings one line, the kubeconfig to use, and ends with us.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Clock, sleep } from '#base/clock.ts'
import { Fault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { Log } from '#base/log.ts'

export interface RouterProcessOptions {
  /** The process starts at once and waits for it. */
  readonly kubeconfig: Promise<string>
  /** 0 for any free port; a restart keeps the ports of the first start. */
  readonly port: number
  /** Whether it serves that family's routes too. */
  readonly matrixinfer?: boolean
  readonly clock: Clock
  readonly log: Log
}

export interface RouterProcess extends AsyncDisposable {
  readonly url: string
  readonly metricsUrl: string
  readonly pid: () => number | undefined
}

interface Ports {
  readonly port: number
  readonly metricsPort: number
}

/** A router that does not listen within this time is stuck. */
const startMs = 20_000
const restartMs = 1_000

export async function startRouterProcess(options: RouterProcessOptions): Promise<RouterProcess> {
  const { log, clock } = options
  const stop = new AbortController()
  let child: ChildProcess
  let ports: Ports
  ;({ child, ports } = await launch(options, { port: options.port, metricsPort: 0 }, stop.signal))

  const kept = keep()
  async function keep(): Promise<void> {
    for (;;) {
      const code = await ended(child)
      if (stop.signal.aborted) return
      log.error('router ended, starting it again', { code })
      try {
        await sleep(clock, restartMs, stop.signal)
        ;({ child, ports } = await launch(options, ports, stop.signal))
      } catch (error) {
        if (stop.signal.aborted) return
        log.error('router does not start', { error: messageOf(error) })
      }
    }
  }

  return {
    url: `http://127.0.0.1:${ports.port}`,
    metricsUrl: `http://127.0.0.1:${ports.metricsPort}/metrics`,
    pid: () => child.pid,
    async [Symbol.asyncDispose]() {
      stop.abort()
      child.kill('SIGTERM')
      const late = clock.after(5_000, () => child.kill('SIGKILL'))
      await Promise.all([ended(child), kept])
      late.cancel()
    },
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

async function launch(options: RouterProcessOptions, wanted: Ports, signal: AbortSignal) {
  const { kubeconfig, matrixinfer = false, clock, log } = options
  const program = fileURLToPath(new URL('../../bin/fairlead.cjs', import.meta.url))
  const ports = ['--port', String(wanted.port), '--metrics-port', String(wanted.metricsPort)]
  const args = [
    program,
    'router',
    '--json',
    '--below-up',
    '--drain-seconds',
    '3',
    ...ports,
    ...(matrixinfer ? ['--matrixinfer'] : []),
  ]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {}) // it ended; the exit tells
  const problems: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.warn('router', { line })
    problems.push(line)
    if (problems.length > 20) problems.shift()
  })
  const { promise: ready, resolve, reject } = Promise.withResolvers<Ports>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parsed(line)
    if (event?.['event'] === 'ready')
      resolve({ port: Number(event['port']), metricsPort: Number(event['metricsPort']) })
    else log.debug('router', { line })
  })
  child.once('exit', () => {
    const said = problems.filter((line) => line.startsWith('error: ')).map((line) => line.slice('error: '.length))
    reject(new Fault('invalid', 'RouterEnded', said[0] ?? problems.at(-1) ?? 'the router ended at once'))
  })
  kubeconfig.then((path) => child.stdin.write(`${path}\n`), reject)
  const stop = () => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  const late = clock.after(startMs, () => reject(new Fault('exhausted', 'RouterStuck', 'the router does not start')))
  try {
    return { child, ports: await ready }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    late.cancel()
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
