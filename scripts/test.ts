/**
 * Runs the tests: the pure ones beside their sources in one process, then those that start servers and programs, a
 * process each. `--unit` runs the former alone; other arguments are globs of files to run instead of all.
 * Prints a dot for each test, what failed, and one count of everything in the form of Node's own last lines.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Counts, countNames } from './count-reporter.ts'

const pure = ['--test-isolation=none', 'src/{base,machinery,api,engines,booster,serving,routing}/**/*.test.ts']
const others = [
  '--test-concurrency=2',
  'src/{kube,controller,simulator,router,embedded,cli}/**/*.test.ts',
  'test/**/*.test.ts',
]

const { values, positionals } = parseArgs({ options: { unit: { type: 'boolean' } }, allowPositionals: true })
const runs =
  positionals.length > 0 ? [['--test-concurrency=2', ...positionals]] : values.unit === true ? [pure] : [pure, others]

const startedMs = performance.now()
const scratch = mkdtempSync(join(tmpdir(), 'fairlead-test-'))
const results = runs.map((args, run) => {
  const file = join(scratch, `${run}.json`)
  const reporters = [`dot`, `./scripts/count-reporter.ts`].map((reporter) => `--test-reporter=${reporter}`)
  const destinations = ['stdout', file].map((destination) => `--test-reporter-destination=${destination}`)
  const { status } = spawnSync(process.execPath, ['--test', ...reporters, ...destinations, ...args], {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
  })
  // None was written where no file matched the glob.
  const counts = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Counts) : undefined
  return { ok: status === 0 && counts !== undefined && counts.tests > 0, counts }
})
rmSync(scratch, { recursive: true })

for (const name of countNames)
  console.log(`ℹ ${name} ${results.reduce((sum, { counts }) => sum + (counts?.[name] ?? 0), 0)}`)
console.log(`ℹ duration_ms ${Math.round(performance.now() - startedMs)}`)
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
