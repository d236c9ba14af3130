import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { loadIdentity, tokenAuthenticator, writeKubeconfig } from '#cli/identity.ts'
import { startLocalCluster } from '#cli/local-cluster.ts'
import { serveFetch } from '#cli/serve.ts'
import { findHelm } from '../../scripts/control-plane.ts'
import { findKubectl } from '../../scripts/kubectl.ts'
import { problemsOnly } from '../ground.ts'
import { installSuite, type InstallTarget } from '../suites/install-suite.ts'

/** One machine for one user runs no Deployments, and nobody else's rights are asked for. */
const noDeployments = 'the embedded server has no Deployments, NetworkPolicies and PodDisruptionBudgets'
const cannot = {
  'all of it applies, and applying it again changes nothing': noDeployments,
  'the programs of the whole cluster need no right but those that they have': noDeployments,
  'the programs of one namespace need nothing outside of it': noDeployments,
  'taking the programs away leaves definitions and objects': noDeployments,
  'Helm brings the programs, changes them, and takes them away without an object of ours': noDeployments,
  'the namespace takes our pods, and none that asks for more': 'the embedded server has no Pod Security admission',
  'users have our kinds by the roles view, edit and admin, each in the namespace of their team':
    'the embedded server has one user, who may do everything',
}

const kubectl = await findKubectl(process.env)
const helm = await findHelm(process.env)
if ('path' in kubectl && 'path' in helm) {
  installSuite('installing on the embedded server', () => openEmbedded(kubectl.path, helm.path), cannot)
} else {
  const missing = [kubectl, helm].flatMap((place) => ('missing' in place ? [place.missing] : [])).join(', ')
  if (process.env['CI'] === 'true') test('kubectl and Helm are there', () => assert.fail(missing))
  else console.error(`the tests of the installation are left out: ${missing}`)
}

async function openEmbedded(path: string, helm: string): Promise<InstallTarget & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const home = mkdtempSync(join(tmpdir(), 'fairlead-install-'))
  stack.defer(() => rmSync(home, { recursive: true }))
  const identity = await loadIdentity(home, Date.now())
  const cluster = stack.use(
    await startLocalCluster({
      authenticate: tokenAuthenticator(identity.token),
      authorization: `Bearer ${identity.token}`,
      clock: systemClock,
      log: problemsOnly,
      controllers: [],
    }),
  )
  const listener = await serveFetch({ fetch: cluster.fetch, host: '127.0.0.1', port: 0, tls: identity })
  stack.defer(() => listener.close())
  const kubeconfig = writeKubeconfig(home, identity, `https://127.0.0.1:${listener.port}`)
  const open = stack.move()
  return { path, helm, home, kubeconfig, [Symbol.asyncDispose]: () => open.disposeAsync() }
}
