/**
 * The suites of `npm test` on a real API server. `npm run test:cluster [-- FILE…]` starts one from the programs that
 * `scripts/control-plane.ts` finds, or takes the one of `FAIRLEAD_TEST_KUBECONFIG`: a cluster for this alone, whose default
 * namespace is emptied, and that has no nodes of its own. Installs our definitions and roles there, and runs each suite as
 * the service accounts of an installation. At the end every right that an account has must have been used.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { prepareCluster } from '../test/cluster/prepare.ts'
import { startControlPlane } from '../test/cluster/control-plane.ts'
import { targetVariable } from '../test/cluster/target.ts'
import { findControlPlane } from './control-plane.ts'
import { findKubectl } from './kubectl.ts'
import { runTests } from './test-run.ts'

const suites = [
  'api',
  'controller',
  'builtin',
  'booster',
  'serving',
  'failing-pods',
  'faults',
  'answers',
  'examples',
].map((name) => `test/${name}.test.ts`)

const files = process.argv.slice(2)
const { env } = process
const given = env['FAIRLEAD_TEST_KUBECONFIG']
const programs = findControlPlane(env)
const kubectl = await findKubectl(env)
if ('missing' in kubectl) throw new Error(kubectl.missing)
if (given === undefined && 'missing' in programs) throw new Error(programs.missing)
const scratch = mkdtempSync(join(tmpdir(), 'fairlead-test-cluster-'))
await using stack = new AsyncDisposableStack()
stack.defer(() => rmSync(scratch, { recursive: true }))
const cluster = 'missing' in programs ? undefined : stack.use(await startControlPlane(env))
const target = prepareCluster({ ...(cluster ?? { kubeconfig: given ?? '' }), kubectl: kubectl.path })
const file = join(scratch, 'target.json')
writeFileSync(file, JSON.stringify(target), { mode: 0o600 })
const ok = runTests([['--test-concurrency=1', ...(files.length > 0 ? files : suites)]], {
  ...env,
  [targetVariable]: file,
})
process.exitCode = ok ? 0 : 1
