import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ConfigMap, type Pod, Secret } from '#api/core/kinds.ts'
import { silentLog } from '#base/log.ts'
import { loopbackAddresses } from './addresses.ts'
import { FakeCluster } from './fake-cluster.testkit.ts'
import { Preparer } from './preparer.ts'
import { processRuntime } from './process-runtime.ts'
import type { ProcessEntry } from './runtimes-config.ts'

const entry: ProcessEntry = { image: '*', runtime: 'process', env: {}, volumes: {} }
const container = { name: 'c', image: 'local/tool', volumeMounts: [{ name: 'v', mountPath: '/etc/token' }] }
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: { containers: [container], volumes: [{ name: 'v', secret: { secretName: 's' } }] },
}

async function setup(t: TestContext) {
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-node-'))
  t.after(() => rm(dataDir, { recursive: true }))
  const cluster = new FakeCluster()
  let retried = Promise.withResolvers<string>()
  const preparer = new Preparer({
    runtimes: { runtimes: [entry] },
    runtimeFor: () => processRuntime(entry, () => undefined),
    secrets: cluster.informers.of(Secret),
    configMaps: cluster.informers.of(ConfigMap),
    addresses: loopbackAddresses(),
    capacity: {},
    dataDir,
    log: silentLog,
    retry: (uid) => retried.resolve(uid),
  })
  return {
    preparer,
    dataDir,
    prepare: () => preparer.prepare(pod, container, '127.0.0.2'),
    /** The uid of the next pod that may try again. */
    async retried(): Promise<string> {
      const uid = await retried.promise
      retried = Promise.withResolvers()
      return uid
    },
    setToken: (token: string) =>
      cluster.put(Secret, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's', namespace: 'ns' },
        data: { token: Buffer.from(token).toString('base64') },
      }),
  }
}

test('a container waits for its directories, and for the secret that one is of', async (t) => {
  const { prepare, retried, setToken } = await setup(t)
  const first = prepare()
  assert.equal(!first.ready && first.reason, 'ContainerCreating')
  assert.equal(await retried(), 'u')
  const second = prepare()
  assert.deepEqual(second, { ready: false, reason: 'CreateContainerConfigError', message: 'secret "s" not found' })
  setToken('one')
  prepare()
  await retried()
  const third = prepare()
  assert.ok(third.ready)
  const directory = third.run.mounts.get('/etc/token') ?? ''
  assert.equal(await readFile(join(directory, 'token'), 'utf8'), 'one')
})

test('what a pod had goes with it, though it was still being made', async (t) => {
  const { preparer, prepare, setToken, dataDir } = await setup(t)
  setToken('one')
  prepare()
  await preparer.cleanUp(pod)
  assert.deepEqual(await readdir(join(dataDir, 'node', 'pods')), [])
})
