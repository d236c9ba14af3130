/** The installation on a real API server, which it has for itself: definitions come and go. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findHelm } from '../../scripts/control-plane.ts'
import { pathOf } from '../../scripts/go-tool.ts'
import { findKubectl } from '../../scripts/kubectl.ts'
import { installSuite } from '../suites/install-suite.ts'
import { startControlPlane } from './control-plane.ts'

installSuite('installing on a real API server', async () => {
  await using stack = new AsyncDisposableStack()
  const home = mkdtempSync(join(tmpdir(), 'fairlead-install-'))
  stack.defer(() => rmSync(home, { recursive: true }))
  const { kubeconfig } = stack.use(await startControlPlane(process.env))
  const path = pathOf(await findKubectl(process.env))
  const helm = pathOf(await findHelm(process.env))
  const open = stack.move()
  return { path, helm, home, kubeconfig, [Symbol.asyncDispose]: () => open.disposeAsync() }
})
