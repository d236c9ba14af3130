/** An API server that cannot stream lists, as before Kubernetes 1.32: both programs read in pages what they watch. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { systemClock } from '#base/clock.ts'
import { type Identity, writeKubeconfig } from '#cli/identity.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import { followSnapshots } from '#router/snapshot-source.ts'
import { modelBooster } from '../builders.ts'
import { problemsOnly } from '../ground.ts'
import { startMachine } from '../machine.ts'
import { startManager } from '../manager-process.ts'
import { temporaryDirectory } from '../up-process.ts'
import { installVolcano } from '../volcano/install.ts'
import { startFaultProxy } from './fault-proxy.ts'
import { type ClusterTarget, clusterTarget } from './target.ts'

const { identity, tokens, url } = targetWithIdentity()

function targetWithIdentity(): ClusterTarget & { readonly identity: Identity } {
  const target = clusterTarget()
  if (target?.identity === undefined) throw new Error('a proxy needs a certificate that clients believe')
  return { ...target, identity: target.identity }
}

/** Kubeconfig of an account, by way of the proxy. */
async function throughOlderServer(t: TestContext, token: string): Promise<string> {
  const proxy = await startFaultProxy(url, identity)
  t.after(() => proxy[Symbol.asyncDispose]())
  proxy.fate = ({ url: path = '' }) => (path.includes('sendInitialEvents') ? 'unknown' : 'pass')
  return writeKubeconfig(temporaryDirectory(t), { ...identity, token }, proxy.url)
}

test('the manager serves all the same', async (t) => {
  const machine = await startMachine(t)
  await installVolcano(machine)
  const kubeconfig = await throughOlderServer(t, tokens.manager)
  const manager = startManager(t, kubeconfig, ['--leader-elect-resource-namespace', 'fairlead-system'])
  await machine.apply(modelBooster('chat'))
  await machine.condition(ModelBooster, 'chat', 'Active')
  await machine.until('all caches', async () => (await manager.get('health-probe', '/readyz')).status === 200)
  assert.equal(await manager.stop('SIGTERM'), 0)
})

test('the router knows all that it routes to', async (t) => {
  await using _cleared = await startMachine(t)
  const access = loadClusterAccess({ env: {}, path: await throughOlderServer(t, tokens.router) })
  await using connection = connect(access)
  const client = createClient({ fetch: connection.fetch, baseUrl: access.server })
  await using informers = createInformers({ client, clock: systemClock, log: problemsOnly })
  const source = followSnapshots(informers, systemClock, problemsOnly)
  await source.whenSynced()
  source.stop()
})
