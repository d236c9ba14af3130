import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startListeningCluster } from '#cli/listening-cluster.ts'
import { findKubectl } from '../scripts/kubectl.ts'
import { kubectlSuite } from './conformance/kubectl-suite.ts'
import { problemsOnly } from './ground.ts'

const found = await findKubectl(process.env)
if ('path' in found) {
  kubectlSuite('kubectl against `fairlead up`', async () => {
    const home = mkdtempSync(join(tmpdir(), 'fairlead-kubectl-'))
    const dataDir = join(home, 'data')
    const cluster = await startListeningCluster({ dataDir, apiPort: 0, durability: 'normal', log: problemsOnly })
    return {
      path: found.path,
      kubeconfig: cluster.kubeconfig,
      home,
      async [Symbol.asyncDispose]() {
        await cluster[Symbol.asyncDispose]()
        rmSync(home, { recursive: true })
      },
    }
  })
} else if (process.env['CI'] === 'true') {
  test('kubectl is there', () => assert.fail(found.missing))
} else {
  console.error(`the kubectl tests are left out: ${found.missing}`)
}
