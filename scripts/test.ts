/**
 * Runs the tests: the pure ones beside their sources in one process, then those that start servers and programs, a
 * process each. `--unit` runs the former alone; other arguments are globs of files to run instead of all.
 */
import { parseArgs } from 'node:util'
import { findControlPlane } from './control-plane.ts'
import { runTests } from './test-run.ts'

const pure = ['--test-isolation=none', 'src/{base,machinery,api,engines,booster,serving,routing,oci,catalog}/**/*.test.ts']
const others = [
  '--test-concurrency=2',
  'src/{kube,controller,simulator,router,embedded,cli}/**/*.test.ts',
  'test/**/*.test.ts',
]

const { values, positionals } = parseArgs({ options: { unit: { type: 'boolean' } }, allowPositionals: true })
const runs =
  positionals.length > 0 ? [['--test-concurrency=2', ...positionals]] : values.unit === true ? [pure] : [pure, others]
process.exitCode = runTests(runs, process.env) ? 0 : 1
if (runs.includes(others)) {
  const programs = findControlPlane(process.env)
  const why = 'missing' in programs ? programs.missing : 'that is "npm run test:cluster"'
  console.log(`the suites did not run on a real API server: ${why}`)
}
