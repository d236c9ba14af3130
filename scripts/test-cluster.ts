/**
 * The suites of `npm test` on a real API server. `npm run test:cluster [-- FILE…]` starts one from the programs that
 * `scripts/control-plane.ts` finds, or takes the one of `FAIRLEAD_TEST_KUBECONFIG`: a cluster for this alone, whose default
 * namespace is emptied, and that has no nodes of its own. Installs our definitions and roles there, and runs each suite as
 * the service accounts of an installation. After all suites no right of theirs may be missing, and none unused.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditEntries } from '../test/cluster/audit.ts'
import { startControlPlane } from '../test/cluster/control-plane.ts'
import { prepareCluster } from '../test/cluster/prepare.ts'
import { judgeRights } from '../test/cluster/rights.ts'
import { targetVariable } from '../test/cluster/target.ts'
import { findControlPlane } from './control-plane.ts'
import { pathOf } from './go-tool.ts'
import { findKubectl } from './kubectl.ts'
import { runTests } from './test-run.ts'

/** Of the embedded server too. */
const shared = [
  'api',
  'conformance',
  'controller',
  'builtin',
  'booster',
  'booster-life',
  'matrixinfer',
  'adapters',
  'serving',
  'failing-pods',
  'serving-rollout',
  'serving-defects',
  'serving-gang',
  'serving-plugins',
  'serving-routable',
  'leader-worker-set',
  'autoscaler',
  'scale-to-zero',
  'aim-models',
  'aim-images',
  'aim-discovery',
  'aim-model-source',
  'aim-services',
  'aim-examples',
  'aim-end-to-end',
  'faults',
  'answers',
  'examples',
  'kubectl',
  'client-node',
  'install/rights',
]
const suites = [...shared.map((name) => `test/${name}.test.ts`), 'test/cluster/*.cluster.ts']

const files = process.argv.slice(2)
const { env } = process
const given = env['FAIRLEAD_TEST_KUBECONFIG']
const programs = findControlPlane(env)
if (given === undefined && 'missing' in programs) throw new Error(programs.missing)
const kubectl = pathOf(await findKubectl(env))

await using stack = new AsyncDisposableStack()
const scratch = mkdtempSync(join(tmpdir(), 'fairlead-test-cluster-'))
stack.defer(() => rmSync(scratch, { recursive: true }))
const cluster = 'missing' in programs ? { kubeconfig: given ?? '' } : stack.use(await startControlPlane(env))
const target = prepareCluster({ ...cluster, kubectl })
const file = join(scratch, 'target.json')
writeFileSync(file, JSON.stringify(target), { mode: 0o600 })

const run = ['--test-concurrency=1', ...(files.length > 0 ? files : suites)]
let ok = await runTests([run], { ...env, [targetVariable]: file })
if (files.length === 0 && target.auditLog !== undefined) {
  const { missing, unused } = judgeRights(auditEntries(target.auditLog))
  for (const right of missing) console.error(`a right is missing: ${right}`)
  for (const right of unused) console.error(`a right is not used: ${right}`)
  ok &&= missing.length + unused.length === 0
}
process.exitCode = ok ? 0 : 1
