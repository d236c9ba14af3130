/**
 * Runs the tests: pure ones beside their sources in one process, then those that start servers and programs,
 * a process each. Arguments are file globs to run instead.
 */
import { spawnSync } from 'node:child_process'

const globs = process.argv.slice(2)
const runs =
  globs.length > 0
    ? [['--test-concurrency=2', ...globs]]
    : [
        ['--test-isolation=none', 'src/{base,machinery,api,engines,booster,serving,routing,oci}/**/*.test.ts'],
        ['--test-concurrency=2', 'src/{kube,controller,simulator,router,embedded,cli}/**/*.test.ts', 'test/**/*.test.ts'],
      ]

let failed = false
for (const args of runs) {
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=dot', '--test-reporter-destination=stdout', '--test-reporter=./scripts/summary-reporter.ts', '--test-reporter-destination=stdout', ...args], { stdio: 'inherit' })
  failed ||= status !== 0
}
process.exitCode = failed ? 1 : 0
