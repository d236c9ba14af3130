/**
 * Runs the tests: the pure ones beside their sources in one process, and meanwhile those that start servers and programs, a
 * process each. `--unit` runs the former alone; `--thorough` what the others take samples of, in full, and what is
 * else left to a real API server. Other arguments are globs of files to run instead.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findControlPlane } from './control-plane.ts'
import { findRegistry } from './debian-registry.ts'
import { runTests } from './test-run.ts'

/** The folders of `src` whose tests start servers or programs; those of any other are pure. */
const starting = ['kube', 'controller', 'simulator', 'router', 'embedded', 'cli']
const folders = readdirSync(join(import.meta.dirname, '../src'))
const testsIn = (names: readonly string[]) => names.map((name) => `src/${name}/**/*.test.ts`)

const pure = ['--test-isolation=none', ...testsIn(folders.filter((name) => !starting.includes(name)))]
const others = ['--test-concurrency=2', ...testsIn(starting), 'test/**/*.test.ts']
/** Those that read `#base/thorough.testkit.ts`, and those that only the long way has. */
const thorough = ['src/serving/simulation', 'test/crash', 'test/faults', 'test/plan']
  .map((name) => `${name}.test.ts`)
  .concat('test/**/*.thorough.ts')

const { values, positionals } = parseArgs({
  options: { unit: { type: 'boolean' }, thorough: { type: 'boolean' } },
  allowPositionals: true,
})
const files = values.thorough === true ? thorough : positionals
const runs = files.length > 0 ? [['--test-concurrency=2', ...files]] : values.unit === true ? [pure] : [pure, others]
const env = values.thorough === true ? { ...process.env, FAIRLEAD_TEST_THOROUGH: '1' } : process.env
process.exitCode = (await runTests(runs, env)) ? 0 : 1
if (runs.includes(others)) {
  const programs = findControlPlane(process.env)
  const why = 'missing' in programs ? programs.missing : 'that is "npm run test:cluster"'
  console.log(`the suites did not run on a real API server: ${why}`)
  const registry = await findRegistry(process.env)
  if ('missing' in registry) console.log(`registries were tried by one of our own alone: ${registry.missing}`)
}
