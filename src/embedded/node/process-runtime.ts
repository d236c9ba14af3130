import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { Fault } from '#base/fault.ts'
import type { ContainerRun, ContainerRuntime, Run } from './container-runtime.ts'
import { expandVariables } from './expand.ts'
import type { ProcessEntry } from './runtimes-config.ts'

/**
 * Starts "$@" in place of the shell, with a watcher beside it in the same process group that kills the group when the
 * other end of descriptor 3 closes: when we die, however we die, nothing stays behind.
 */
const guarded = '(read -r _ <&3; kill -KILL 0) <&3 & exec "$@" 3<&-'

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

/** Runs the container's command, or the entry's, as a process group of this machine. Paths are this machine's. */
export function processRuntime(
  entry: ProcessEntry,
  resolveHost: (name: string) => string | undefined,
): ContainerRuntime {
  return {
    reportsPorts: false,
    simulated: false,
    start(container, tell) {
      const { argv, env, cwd } = commandOf(container, entry, resolveHost)
      const problem = obstacle(argv, cwd)
      if (problem !== undefined) throw new Fault('invalid', 'CannotStart', `${problem} for "${entry.image}"`)
      const child = spawn('/bin/sh', ['-c', guarded, 'container', ...argv], {
        detached: true, // a process group of its own
        env,
        cwd,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      })
      let exitCode = 128
      let signal: number | undefined
      child.on('error', (error) => tell({ event: 'refused', message: `${argv[0]}: ${error.message}` }))
      for (const output of [child.stdout, child.stderr]) {
        if (output !== null) readLines(output, (line) => tell({ event: 'log', line }))
      }
      child.stdio[3]?.on('error', () => {}) // the pipe breaks when the group is killed; the exit tells
      child.on('exit', (code, by) => {
        signal = by === null ? undefined : signalNumbers[by]
        exitCode = code ?? 128 + (signal ?? 0)
        killGroup(child) // what it left behind, and the watcher
      })
      child.on('close', () => {
        if (child.pid === undefined) return // it never was, see 'error'
        tell({ event: 'exited', exitCode, ...(signal === undefined ? {} : { signal }) })
      })
      const run: Run = {
        stop(how) {
          if (how === 'KILL') killGroup(child)
          else if (child.exitCode === null) child.kill('SIGTERM')
        },
        async exec(command, abort) {
          const [file = 'true', ...args] = command.map((word) => mapPaths(word, container.mounts))
          const probe = spawn(file, args, { env, cwd, stdio: 'ignore', signal: abort, killSignal: 'SIGKILL' })
          const [code] = (await once(probe, 'exit')) as [number | null]
          return code ?? 137
        },
      }
      return run
    },
  }
}

/** Why there is nothing to start, which the system would tell in words of something else. */
function obstacle(argv: readonly string[], cwd: string | undefined): string | undefined {
  const mend = (field: string): string => `or give "${field}" to the entry of the --runtimes file`
  if (argv.length === 0)
    return `no command: a process has none from its image; give the container a command, ${mend('command')}`
  if (cwd === undefined || existsSync(cwd)) return undefined
  return `the working directory ${cwd} is not on this machine; correct workingDir, ${mend('cwd')}`
}

function commandOf(
  container: ContainerRun,
  entry: ProcessEntry,
  resolveHost: (name: string) => string | undefined,
): { argv: string[]; env: Record<string, string>; cwd: string | undefined } {
  const { mounts, host } = container
  const local = (text: string) => mapHosts(mapPaths(text, mounts), resolveHost)
  const env: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin', ...entry.env, POD_IP: host }
  for (const [name, value] of Object.entries(container.env)) env[name] = local(value)
  const expand = (text: string) => expandVariables(text, (name) => env[name])
  const words = entry.command?.map(expand) ?? [...container.command, ...container.args].map(local)
  return { argv: words, env, cwd: entry.cwd ?? (container.workingDir && mapPaths(container.workingDir, mounts)) }
}

/** Puts directories of this machine where a text names mount paths. */
export function mapPaths(text: string, mounts: ReadonlyMap<string, string>): string {
  const longestFirst = [...mounts].sort(([a], [b]) => b.length - a.length)
  let mapped = ''
  for (let at = 0; at < text.length; ) {
    const mount = longestFirst.find(
      ([path]) =>
        text.startsWith(path, at) &&
        !/[\w.-]/.test(text[at - 1] ?? ' ') &&
        !/[\w.-]/.test(text[at + path.length] ?? ' '),
    )
    mapped += mount === undefined ? text[at] : mount[1]
    at += mount === undefined ? 1 : mount[0].length
  }
  return mapped
}

/** Puts addresses where a text names pods (`<pod>.<namespace>`): no resolver of this machine knows them. */
function mapHosts(text: string, resolveHost: (name: string) => string | undefined): string {
  return text.replace(/[a-z0-9][a-z0-9-]*\.[a-z0-9][a-z0-9-]*/g, (name) => resolveHost(name) ?? name)
}

function readLines(output: Readable, line: (text: string) => void): void {
  createInterface({ input: output, crlfDelay: Infinity }).on('line', line)
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: nobody is left, which is what we want
  }
}
