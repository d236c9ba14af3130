/** kubectl as a test uses it: run to its end, or followed while it prints. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { AnyResource } from '#machinery/meta.ts'

export interface KubectlTarget {
  /** The program. */
  readonly path: string
  readonly kubeconfig: string
  /** A folder of its own, so that it finds none of the user's settings and caches nothing there. */
  readonly home: string
}

/** Arguments as one line, divided at blanks; those that hold blanks need a list. */
export type Arguments = string | readonly string[]

export interface RunOptions {
  /** What it reads from standard input: objects, or text. */
  readonly input?: AnyResource | readonly AnyResource[] | string
  readonly env?: Readonly<Record<string, string>>
}

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** All commands are of one namespace, that nobody else uses. */
export interface Kubectl {
  readonly namespace: string
  run(line: Arguments, options?: RunOptions): Promise<Ran>
  /** What it printed; it must end with 0. */
  ok(line: Arguments, options?: RunOptions): Promise<string>
  /** What it said on standard error; it must end with 1. */
  refused(line: Arguments, options?: RunOptions): Promise<string>
  follow(line: Arguments): Followed
}

export interface Followed extends AsyncDisposable {
  /** Reads on to a line that fits, and gives it; rejects when there is none before the end. */
  line(pattern: RegExp): Promise<string>
  /** Exit code, once it ends by itself. */
  ended(): Promise<number | null>
}

/** As long as one command may take; far more than any takes. */
const patienceMs = 30_000

export function kubectlIn(namespace: string, { path, kubeconfig, home }: KubectlTarget): Kubectl {
  const environment = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig }
  const argumentsOf = (line: Arguments): string[] => [
    `--namespace=${namespace}`,
    ...(typeof line === 'string' ? line.split(' ') : line),
  ]
  const run: Kubectl['run'] = (line, { input, env } = {}) =>
    new Promise((resolve) => {
      const options = { env: { ...environment, ...env }, timeout: patienceMs, maxBuffer: 2 ** 26 }
      const child = execFile(path, argumentsOf(line), options, (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, out, err })
      })
      child.stdin?.on('error', () => {}) // it ended without reading all
      child.stdin?.end(input === undefined ? '' : textOf(input))
    })
  const demanding =
    (code: number, stream: 'out' | 'err'): Kubectl['ok'] =>
    async (line, options) => {
      const ran = await run(line, options)
      assert.equal(ran.code, code, `kubectl ${argumentsOf(line).join(' ')}\n${ran.out}${ran.err}`)
      return ran[stream]
    }
  return {
    namespace,
    run,
    ok: demanding(0, 'out'),
    refused: demanding(1, 'err'),
    follow: (line) =>
      followed(spawn(path, argumentsOf(line), { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })),
  }
}

function textOf(input: AnyResource | readonly AnyResource[] | string): string {
  if (typeof input === 'string') return input
  return JSON.stringify(Array.isArray(input) ? { apiVersion: 'v1', kind: 'List', items: input } : input)
}

function followed(child: ChildProcess): Followed {
  assert.ok(child.stdout)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const closed = once(child, 'close').then(([code]) => code as number | null)
  const timer = setTimeout(() => child.kill(), patienceMs)
  return {
    async line(pattern) {
      const seen: string[] = []
      for (;;) {
        const { done, value } = await lines.next()
        if (done === true) throw new Error(`no line fits ${pattern}; there were ${JSON.stringify(seen)}`)
        if (pattern.test(value)) return value
        seen.push(value)
      }
    },
    ended: () => closed,
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      child.kill()
      await closed
    },
  }
}

/** The cells of a printed table, header first. Cells that print nothing are not there. */
export function rowsOf(printed: string): string[][] {
  return printed
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().split(/ {2,}/))
}

/** Lines, without the last empty one. */
export function linesOf(printed: string): string[] {
  return printed.split('\n').filter((line) => line !== '')
}
