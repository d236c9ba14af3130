/** Runs Node's test runner some times over, and prints one count of everything in the form of its own last lines. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countNames, type Report } from './count-reporter.ts'

/**
 * `runs` are the arguments of each; they go on at the same time. A dot for each test, what failed, then the count.
 * Whether all passed.
 */
export async function runTests(runs: readonly (readonly string[])[], env: NodeJS.ProcessEnv): Promise<boolean> {
  const startedMs = performance.now()
  const scratch = mkdtempSync(join(tmpdir(), 'fairlead-test-'))
  // Each file is a process, and all of them load much the same.
  const withCache = { NODE_COMPILE_CACHE: join(scratch, 'compiled'), ...env }
  const results = await Promise.all(runs.map((args, run) => resultOf(args, join(scratch, `${run}.json`), withCache)))
  rmSync(scratch, { recursive: true, maxRetries: 5 })

  for (const { name, end, said } of results.flatMap(({ report }) => report?.failedFiles ?? []))
    console.log(`the process of ${name} ended with ${end}, after it had said:\n${said}`)
  for (const name of countNames)
    console.log(`ℹ ${name} ${results.reduce((sum, { report }) => sum + (report?.counts[name] ?? 0), 0)}`)
  console.log(`ℹ duration_ms ${Math.round(performance.now() - startedMs)}`)
  return results.every(({ ok }) => ok)
}

async function resultOf(args: readonly string[], file: string, env: NodeJS.ProcessEnv) {
  const reporters = [`dot`, `./scripts/count-reporter.ts`].map((reporter) => `--test-reporter=${reporter}`)
  const destinations = ['stdout', file].map((destination) => `--test-reporter-destination=${destination}`)
  const child = spawn(process.execPath, ['--test', ...reporters, ...destinations, ...args], {
    cwd: join(import.meta.dirname, '..'),
    env,
    stdio: 'inherit',
  })
  const [status] = (await once(child, 'exit')) as [number | null]
  // None was written where no file matched the glob.
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined
  return { ok: status === 0 && report !== undefined && report.counts.tests > 0, report }
}
