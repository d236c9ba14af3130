import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findKubectl } from '../scripts/kubectl.ts'
import { kubectlSuite } from './conformance/kubectl-suite.ts'
import { serverName, startListeningWorld } from './listening-world.ts'

const found = await findKubectl(process.env)
if ('path' in found) {
  kubectlSuite(`kubectl against ${serverName}`, async () => ({ ...(await startListeningWorld()), path: found.path }))
} else if (process.env['CI'] === 'true') {
  test('kubectl is there', () => assert.fail(found.missing))
} else {
  console.error(`the kubectl tests are left out: ${found.missing}`)
}
