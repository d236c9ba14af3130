/** What every bench here needs: repeated figures as a table, and what the kernel knows of a process. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One line of a result: a name, the figures of all runs, and what the design allows. */
export interface Row {
  readonly what: string
  readonly unit: string
  readonly values: readonly number[]
  readonly budget?: string
}

export function printTable(title: string, rows: readonly Row[]): void {
  const lines = rows.map(
    ({ what, unit, values, budget = '' }) => `| ${what} | ${summary(values)} | ${unit} | ${budget} |`,
  )
  const head = [
    `### ${title}`,
    '',
    `_${machine()}_`,
    '',
    '| what | median (min–max) | unit | budget |',
    '|---|---:|---|---|',
  ]
  process.stdout.write(`${[...head, ...lines].join('\n')}\n\n`)
}

function summary(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const [least = 0, most = 0] = [sorted[0], sorted.at(-1)]
  const median = quantile(sorted, 0.5)
  return values.length === 1 ? shown(median) : `${shown(median)} (${shown(least)}–${shown(most)})`
}

/** The value below which a part `q` (0–1) of the sorted values lies. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0
}

function shown(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(digits)
}

function machine(): string {
  const day = new Date().toISOString().slice(0, 10)
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  return `${day}, Node ${process.versions.node}, ${availableParallelism()} cores (${cpus()[0]?.model ?? '?'}), ${memoryGib} GiB`
}

export const mib = 2 ** 20

/** Bytes in memory: the process's own, and those of files, which it may share (the Node binary above all). */
export interface Memory {
  readonly rss: number
  readonly own: number
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  return { rss: bytes('Rss'), own: bytes('Anonymous') }
}

/** Of processes that run the same binary, which is counted once. */
export function memoryTogether(memories: readonly Memory[]): number {
  const shared = Math.max(...memories.map(({ rss, own }) => rss - own))
  return memories.reduce((sum, { own }) => sum + own, shared)
}

/** The most memory that the process has had since it started, in bytes. */
export function peakRssOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024
}

/** Seconds of CPU that the process has used, in user and system mode. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticksPerSecond = 100
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Looks again and again until it holds; throws after the given time. */
export async function until(check: () => boolean, longestMs: number): Promise<void> {
  const deadline = performance.now() + longestMs
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not done after ${longestMs} ms`)
    await pause(5)
  }
}

/** Whether a request may change something. */
export function isWrite({ verb }: { readonly verb: string }): boolean {
  return !['get', 'list', 'watch'].includes(verb)
}

/** Runs this file in a process of its own, with `--once`, and reads the figures that it prints. */
export function runAlone<Figures>(file: string, ...args: readonly string[]): Figures {
  const { stdout, status } = spawnSync(
    process.execPath,
    [...process.execArgv, fileURLToPath(file), '--once', ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    },
  )
  if (status !== 0) throw new Error(`a run ended with ${status}`)
  return JSON.parse(stdout) as Figures
}

/** With a directory that is gone afterwards. */
export async function inScratch<Result>(work: (directory: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
  try {
    return await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
