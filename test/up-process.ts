/** `fairlead up` as users have it: a process of its own, in a directory of its own, on free ports. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../bin/fairlead.cjs', import.meta.url))

export interface Ready {
  readonly kubeconfig: string
  readonly apiUrl: string
  readonly routerUrl: string
  readonly metricsUrl: string
}

export type Event = { readonly event: string } & Readonly<Record<string, unknown>>

export interface UpProcess {
  readonly child: ChildProcess
  /** Resolves with the first event of that name, now or later; rejects when the process ends without one. */
  event(name: string): Promise<Event>
  ready(): Promise<Ready>
  /** What has come on standard error so far. */
  errors(): string
  /** Resolves with the exit status, or the signal that it died of. */
  readonly ended: Promise<number | NodeJS.Signals>
  stop(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

type Scope = Pick<TestContext, 'after'>

export function temporaryDirectory(t: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Later flags win, so `args` may override what is given here. */
export function startUp(t: Scope, dataDir: string, args: readonly string[] = []): UpProcess {
  const all = [program, 'up', '--json', '--data-dir', dataDir, '--api-port', '0', '--router-port', '0', ...args]
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] })
  const events: Event[] = []
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    events.push(JSON.parse(line) as Event)
    child.emit('told')
  })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const event = async (name: string): Promise<Event> => {
    for (;;) {
      const found = events.find((each) => each.event === name)
      if (found !== undefined) return found
      const over = child.exitCode !== null || child.signalCode !== null
      if (over) throw new Error(`up ended without ${name}: ${errors}${JSON.stringify(events)}`)
      await Promise.race([once(child, 'told'), ended])
    }
  }
  return {
    child,
    event,
    ready: async () => (await event('ready')) as unknown as Ready,
    errors: () => errors,
    ended,
    stop(signal) {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs a command to its end. */
export async function fairlead(
  args: readonly string[],
  { env = {}, input = '' }: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...env } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

/** Processes that a process has started, and theirs; none of one that is gone. */
export function descendants(pid: number): number[] {
  let text = ''
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  } catch {
    // it ended
  }
  return text
    .split(' ')
    .filter(Boolean)
    .flatMap((child) => [Number(child), ...descendants(Number(child))])
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that ended and whose parent has not asked how still has its number.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
