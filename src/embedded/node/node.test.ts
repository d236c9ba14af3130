import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { ConfigMap, Event, Lease, Node, Pod, Secret } from '#api/core/kinds.ts'
import type { Container, PodSpec } from '#api/core/types.generated.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { loopbackAddresses, mappedAddresses } from './addresses.ts'
import { podAddress } from '#kube/pod-address.ts'
import { startNode } from './node.ts'
import { defaultRuntimes } from './runtimes-config.ts'
import { simulatedCondition } from './pod-status.ts'
import { FakeCluster } from './fake-cluster.testkit.ts'
import { FakeSimulation } from './fake-simulation.testkit.ts'

const place = { namespace: 'ns', name: 'p' }

async function startWorld(addresses = loopbackAddresses(), runtimes = defaultRuntimes) {
  const cluster = new FakeCluster()
  const simulation = new FakeSimulation()
  const clock = manualClock()
  const start = () =>
    startNode({
      client: cluster.client,
      informers: cluster.informers,
      clock,
      log: silentLog,
      dataDir: '/nonexistent',
      simulation,
      addresses,
      runtimes,
    })
  const node = await start()
  const pod = () => cluster.get(Pod, place)
  const seconds = (count: number) => clock.pass(count * 1000)
  return {
    cluster,
    simulation,
    clock,
    node,
    start,
    seconds,
    pod,
    /** Creates the pod, bound to the node, and lets half a second pass. */
    async run(spec: Partial<PodSpec>, metadata: object = {}) {
      cluster.put(Pod, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...place, ...metadata },
        spec: { nodeName: 'local', containers: [engine], ...spec },
        status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] },
      })
      await clock.pass(500)
    },
    container: (at = 0) => pod()?.status?.containerStatuses?.[at],
    condition: (type: string) => pod()?.status?.conditions?.find((one) => one.type === type)?.status,
    events: (reason: string) => cluster.list(Event).filter((event) => event.reason === reason),
    statusWrites: () => cluster.writes.filter((write) => write === 'patch Pod/status p').length,
    async markDeleted(graceSeconds = 30) {
      const now = pod()
      assert.ok(now)
      const deletion = { deletionTimestamp: 'now', deletionGracePeriodSeconds: graceSeconds }
      cluster.put(Pod, { ...now, metadata: { ...now.metadata, ...deletion } })
      await clock.pass(500)
    },
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]()
    },
  }
}

const engine: Container = {
  name: 'engine',
  image: 'img/vllm:1',
  readinessProbe: { httpGet: { path: '/health', port: 8000 }, periodSeconds: 5 },
}
const downloader: Container = { name: 'dl', image: 'kthena/downloader:1' }

test('the node registers itself, says that it simulates, and keeps its lease fresh', async () => {
  await using world = await startWorld()
  const node = world.cluster.get(Node, { name: 'local' })
  assert.equal(node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
  assert.match(node?.metadata.annotations?.['fairlead.dev/simulates'] ?? '', /no model runs/)
  const renewed = () => world.cluster.get(Lease, { namespace: 'kube-node-lease', name: 'local' })?.spec?.renewTime
  const before = renewed()
  await world.seconds(15)
  assert.notEqual(renewed(), before)
})

test('a node on which nothing is simulated does not say that anything is', async () => {
  const runtimes = { runtimes: [{ image: '*', runtime: 'process' as const, env: {}, volumes: {} }] }
  await using world = await startWorld(loopbackAddresses(), runtimes)
  const node = world.cluster.get(Node, { name: 'local' })
  assert.equal(node?.metadata.annotations?.['fairlead.dev/simulates'], undefined)
  assert.equal(node?.status?.conditions?.find(({ type }) => type.endsWith('/Simulates'))?.status, 'False')
})

test('a pod is ready in an instant, for at most four status writes, and labelled as simulated', async () => {
  await using world = await startWorld()
  await world.run({ initContainers: [downloader], containers: [{ name: 'runtime', image: 'kthena/runtime' }, engine] })
  assert.equal(world.pod()?.status?.phase, 'Running')
  for (const type of ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready', simulatedCondition]) {
    assert.equal(world.condition(type), 'True', type)
  }
  assert.equal(world.pod()?.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 0)
  assert.match(world.pod()?.status?.podIP ?? '', /^127\./)
  assert.ok(world.statusWrites() <= 4, `${world.statusWrites()} writes`)
  const written = world.statusWrites()
  await world.seconds(60)
  assert.equal(world.statusWrites(), written, 'an idle pod costs no writes')
})

test('containers start only after the init containers, in order', async () => {
  await using world = await startWorld()
  world.simulation.script.set('kthena/downloader:1', [])
  await world.run({ initContainers: [downloader, { ...downloader, name: 'second' }] })
  assert.equal(world.simulation.runs.length, 1)
  assert.equal(world.container()?.state?.waiting?.reason, 'PodInitializing')
  world.simulation.runs[0]?.tell({ event: 'exited', exitCode: 0 })
  await world.seconds(1)
  assert.deepEqual(
    world.simulation.runs.map(({ container }) => container.image),
    ['kthena/downloader:1', 'kthena/downloader:1'],
  )
  world.simulation.runs[1]?.tell({ event: 'exited', exitCode: 0 })
  await world.seconds(1)
  assert.equal(world.condition('Ready'), 'True')
})

test('a sidecar among the init containers lets the next one start and stays', async () => {
  await using world = await startWorld()
  const sidecar: Container = { name: 'side', image: 'kthena/runtime', restartPolicy: 'Always' }
  await world.run({ initContainers: [sidecar, downloader] })
  assert.equal(world.condition('Ready'), 'True')
  assert.ok(world.pod()?.status?.initContainerStatuses?.[0]?.state?.running)
})

test('an init container that fails is tried again, ever more slowly', async () => {
  await using world = await startWorld()
  const failure = [{ event: 'log', line: 'ERROR: no keys' } as const, { event: 'exited', exitCode: 1 } as const]
  world.simulation.script.set('kthena/downloader:1', failure)
  await world.run({ initContainers: [downloader] })
  const status = world.pod()?.status?.initContainerStatuses?.[0]
  assert.equal(status?.state?.waiting?.reason, 'CrashLoopBackOff')
  assert.equal(status?.lastState?.terminated?.message, 'ERROR: no keys')
  assert.equal(world.condition('Initialized'), 'False')
  world.simulation.script.delete('kthena/downloader:1')
  await world.seconds(11)
  assert.equal(world.condition('Ready'), 'True')
})

test('with restart policy Never a failed init container fails the pod', async () => {
  await using world = await startWorld()
  world.simulation.script.set('kthena/downloader:1', [{ event: 'exited', exitCode: 1 }])
  await world.run({ initContainers: [downloader], restartPolicy: 'Never' })
  assert.equal(world.pod()?.status?.phase, 'Failed')
})

test('a crash loop backs off from 10 s to 5 min, keeps the last end and the previous log', async () => {
  await using world = await startWorld()
  const crash = [{ event: 'log', line: 'boom' } as const, { event: 'exited', exitCode: 3 } as const]
  world.simulation.script.set('img/vllm:1', crash)
  await world.run({})
  assert.equal(world.simulation.runs.length, 2, 'the first restart is at once')
  assert.equal(world.container()?.state?.waiting?.reason, 'CrashLoopBackOff')
  assert.equal(world.container()?.lastState?.terminated?.exitCode, 3)
  assert.equal(world.container()?.restartCount, 1)
  assert.equal(world.events('BackOff').length, 1)
  const runsAfter: number[] = []
  for (const wait of [10, 20, 40, 80, 160, 300, 300]) {
    await world.seconds(wait)
    runsAfter.push(world.simulation.runs.length)
  }
  assert.deepEqual(runsAfter, [3, 4, 5, 6, 7, 8, 9])
  const get = (query: string) => world.node.fetch(new Request(`http://node/containerLogs/ns/p/engine?${query}`))
  assert.equal(await (await get('previous=true')).text(), 'boom\n')
})

test('a program that is none shows as a start error, and clears when mended', async () => {
  await using world = await startWorld()
  world.simulation.script.set('img/vllm:1', [{ event: 'refused', message: 'exec: "nosuch"' }])
  await world.run({})
  assert.deepEqual(world.container()?.state?.waiting, { reason: 'RunContainerError', message: 'exec: "nosuch"' })
  assert.equal(world.container()?.lastState?.terminated?.reason, 'StartError')
  world.simulation.script.clear()
  await world.seconds(11)
  assert.equal(world.condition('Ready'), 'True')
})

test('a runtime that throws instead of starting is a start error, and does not keep the pod from going', async () => {
  await using world = await startWorld()
  world.simulation.start = () => {
    throw new TypeError('the string must be without null bytes')
  }
  await world.run({})
  assert.equal(world.container()?.state?.waiting?.message, 'the string must be without null bytes')
  await world.markDeleted()
  assert.equal(world.pod(), undefined)
})

test('a missing secret is named, and its coming starts the container at once', async () => {
  await using world = await startWorld()
  const env = [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hf', key: 'token' } } }]
  await world.run({ containers: [{ ...engine, env }] })
  const waiting = { reason: 'CreateContainerConfigError', message: 'secret "hf" not found' }
  assert.deepEqual(world.container()?.state?.waiting, waiting)
  assert.equal(world.pod()?.status?.phase, 'Pending')
  const metadata = { namespace: 'ns', name: 'hf' }
  world.cluster.put(Secret, { apiVersion: 'v1', kind: 'Secret', metadata, data: { other: '' } })
  await world.seconds(1)
  assert.equal(world.container()?.state?.waiting?.message, "couldn't find key token in Secret ns/hf")
  world.cluster.put(Secret, { apiVersion: 'v1', kind: 'Secret', metadata, data: { token: 'czNjcjN0' } })
  await world.seconds(1)
  assert.equal(world.condition('Ready'), 'True')
  assert.equal(world.simulation.runs[0]?.container.env['TOKEN'], 's3cr3t')
})

test('a missing config map of envFrom is named too', async () => {
  await using world = await startWorld()
  await world.run({ containers: [{ ...engine, envFrom: [{ configMapRef: { name: 'c' } }] }] })
  assert.equal(world.container()?.state?.waiting?.message, 'configmap "c" not found')
  const metadata = { namespace: 'ns', name: 'c' }
  world.cluster.put(ConfigMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { A: 'b' } })
  await world.seconds(1)
  assert.equal(world.simulation.runs[0]?.container.env['A'], 'b')
})

test('an image that nothing runs says which would, and what to write', async () => {
  await using world = await startWorld()
  await world.run({ containers: [{ name: 'db', image: 'postgres:17' }] })
  const { reason, message = '' } = world.container()?.state?.waiting ?? {}
  assert.equal(reason, 'NoRuntime')
  assert.match(message, /no runtime for image "postgres:17".*"runtime": "simulated".*\(known: simulated: \*vllm\*, /)
})

test('a probe that fails keeps the pod unready and is told; a good one mends it at its next turn', async () => {
  await using world = await startWorld()
  world.simulation.status = 503
  await world.run({})
  assert.equal(world.condition('Ready'), 'False')
  assert.equal(world.container()?.started, true)
  assert.match(
    world.events('Unhealthy')[0]?.message ?? '',
    /Readiness probe failed: HTTP probe failed with statuscode: 503/,
  )
  world.simulation.status = 200
  await world.seconds(5)
  assert.equal(world.condition('Ready'), 'True')
  world.simulation.status = 503
  await world.seconds(11)
  assert.equal(world.condition('Ready'), 'True', 'two failures are not yet three')
  await world.seconds(5)
  assert.equal(world.condition('Ready'), 'False')
})

test('a failing liveness probe restarts the container', async () => {
  await using world = await startWorld()
  const livenessProbe = { httpGet: { path: '/health', port: 8000 }, periodSeconds: 5, failureThreshold: 2 }
  await world.run({ containers: [{ ...engine, livenessProbe }] })
  world.simulation.status = 500
  await world.seconds(11)
  assert.deepEqual(world.simulation.runs[0]?.stops, ['TERM'])
  assert.equal(world.simulation.runs.length, 2)
  assert.equal(world.container()?.restartCount, 1)
  assert.match(world.events('Killing')[0]?.message ?? '', /failed liveness probe, will be restarted/)
})

test('the startup probe holds back the others until it succeeds', async () => {
  await using world = await startWorld()
  const health = { httpGet: { path: '/health', port: 8000 }, periodSeconds: 5 }
  world.simulation.status = undefined
  const startupProbe = { ...health, failureThreshold: 3 }
  await world.run({ containers: [{ ...engine, startupProbe, livenessProbe: { ...health, failureThreshold: 1 } }] })
  assert.equal(world.container()?.started, false)
  await world.seconds(5)
  world.simulation.status = 200
  await world.seconds(6)
  assert.deepEqual([world.container()?.started, world.container()?.restartCount], [true, 0])
  assert.equal(world.condition('Ready'), 'True')
})

test('a readiness gate of another holds Ready until it is met', async () => {
  await using world = await startWorld()
  await world.run({ readinessGates: [{ conditionType: 'routed' }] })
  assert.deepEqual([world.condition('ContainersReady'), world.condition('Ready')], ['True', 'False'])
  const conditions = [{ type: 'routed', status: 'True' }]
  await world.cluster.client.patch(Pod, place, { type: 'strategic', patch: { status: { conditions } } })
  await world.seconds(1)
  assert.deepEqual([world.condition('routed'), world.condition('Ready')], ['True', 'True'])
})

test('a deleted pod gets TERM, is let finish, and goes', async () => {
  await using world = await startWorld()
  await world.run({})
  await world.markDeleted()
  assert.deepEqual(world.simulation.runs[0]?.stops, ['TERM'])
  assert.equal(world.pod(), undefined)
  assert.ok(world.cluster.writes.includes('delete Pod/ p'))
})

test('a delete that fails is tried again', async () => {
  await using world = await startWorld()
  await world.run({})
  const remove = world.cluster.client.delete
  world.cluster.client.delete = async () => Promise.reject(new Error('reset'))
  await world.markDeleted()
  assert.notEqual(world.pod(), undefined)
  world.cluster.client.delete = remove
  await world.seconds(2)
  assert.equal(world.pod(), undefined)
})

test('a second deletion with less time is heard', async () => {
  await using world = await startWorld()
  await world.run({})
  world.simulation.ignoresTerm = true
  await world.markDeleted(30)
  await world.markDeleted(2)
  await world.seconds(1)
  assert.deepEqual(world.simulation.runs[0]?.stops, ['TERM', 'TERM'])
  await world.seconds(2)
  assert.deepEqual(world.simulation.runs[0]?.stops, ['TERM', 'TERM', 'KILL'])
  assert.equal(world.pod(), undefined)
  assert.equal(world.events('Killing').length, 1)
})

test('a container that does not end is killed when the grace is over', async () => {
  await using world = await startWorld()
  await world.run({})
  world.simulation.ignoresTerm = true
  await world.markDeleted(20)
  await world.seconds(19)
  assert.ok(world.pod())
  await world.seconds(1)
  assert.deepEqual(world.simulation.runs[0]?.stops, ['TERM', 'KILL'])
  assert.equal(world.pod(), undefined)
})

test('a pod that vanishes takes its containers with it', async () => {
  await using world = await startWorld()
  await world.run({})
  world.cluster.remove(Pod, place)
  await world.seconds(1)
  assert.deepEqual(world.simulation.runs[0]?.stops, ['KILL'])
  assert.equal(world.pod(), undefined)
})

test('a pod whose containers all succeeded is over, and stays so', async () => {
  await using world = await startWorld()
  await world.run({ restartPolicy: 'OnFailure', containers: [downloader] })
  assert.equal(world.pod()?.status?.phase, 'Succeeded')
  await world.node[Symbol.asyncDispose]()
  await using _again = await world.start()
  await world.seconds(1)
  assert.equal(world.simulation.runs.length, 1)
})

test('the deadline of a pod fails it', async () => {
  await using world = await startWorld()
  await world.run({ activeDeadlineSeconds: 30 })
  await world.seconds(31)
  assert.deepEqual([world.pod()?.status?.phase, world.pod()?.status?.reason], ['Failed', 'DeadlineExceeded'])
})

test('a node that comes back runs its pods again, at the same address, as no restart', async () => {
  await using world = await startWorld()
  await world.run({})
  const { podIP } = world.pod()?.status ?? {}
  await world.node[Symbol.asyncDispose]()
  assert.ok(world.pod(), 'the pod stays in the API')
  await using _again = await world.start()
  await world.seconds(1)
  assert.equal(world.simulation.runs.length, 2)
  assert.equal(world.pod()?.status?.podIP, podIP)
  assert.equal(world.container()?.restartCount, 0)
  assert.equal(world.condition('Ready'), 'True')
})

test('where pods share an address, callers find the port that stands for the pod’s', async () => {
  await using world = await startWorld(mappedAddresses())
  world.simulation.script.set('img/vllm:1', [{ event: 'listening', port: 8000, hostPort: 41_234 }])
  await world.run({})
  const pod = world.pod()
  assert.ok(pod)
  assert.deepEqual(podAddress(pod, 8000), { host: '127.0.0.1', port: 41_234 })
  assert.equal(world.simulation.runs[0]?.container.network.mapped, true)
})

test('faults are switched on by annotations', async () => {
  await using world = await startWorld()
  await world.run({}, { annotations: { 'simulate.fairlead.dev/fail-health': '1' } })
  assert.equal(world.simulation.runs[0]?.container.env['FAIRLEAD_SIMULATE_FAIL_HEALTH'], '1')
})

test('variables of the pod reach commands, arguments and environment', async () => {
  await using world = await startWorld()
  const env = [
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'BOTH', value: '$(NAME)@$(IP) $(ABSENT) $$(NAME)' },
  ]
  await world.run({ containers: [{ ...engine, env, command: ['run', '$(NAME)'], args: ['$(BOTH)'] }] })
  const { podIP } = world.pod()?.status ?? {}
  const run = world.simulation.runs[0]?.container
  assert.deepEqual([run?.command, run?.args], [['run', 'p'], [`p@${podIP} $(ABSENT) $(NAME)`]])
})

const logQueries: Record<string, { query: string; want: string }> = {
  'all of it': { query: '', want: 'one\ntwo\nthree\n' },
  'its tail': { query: 'tailLines=1', want: 'three\n' },
  'so many bytes': { query: 'limitBytes=5', want: 'one\nt' },
  'with times': { query: 'tailLines=1&timestamps=true', want: '2030-01-01T00:00:02.500Z three\n' },
  'the last seconds': { query: 'sinceSeconds=1', want: 'three\n' },
}
for (const [name, { query, want }] of Object.entries(logQueries)) {
  test(`a log is read: ${name}`, async () => {
    await using world = await startWorld()
    await world.run({})
    for (const line of ['one', 'two', 'three']) {
      if (line === 'three') await world.seconds(2)
      world.simulation.runs[0]?.tell({ event: 'log', line })
    }
    const response = await world.node.fetch(new Request(`http://node/containerLogs/ns/p/engine?${query}`))
    assert.equal(await response.text(), want)
  })
}

test('a followed log goes on until the container ends', async () => {
  await using world = await startWorld()
  await world.run({ restartPolicy: 'Never' })
  const run = world.simulation.runs[0]
  run?.tell({ event: 'log', line: 'before' })
  const response = await world.node.fetch(new Request('http://node/containerLogs/ns/p/engine?follow=true'))
  run?.tell({ event: 'log', line: 'after' })
  run?.tell({ event: 'exited', exitCode: 0 })
  assert.equal(await response.text(), 'before\nafter\n')
})

test('a log that there is not is answered as the kubelet does', async () => {
  await using world = await startWorld()
  await world.run({ containers: [{ name: 'db', image: 'postgres' }] })
  const get = (path: string) => world.node.fetch(new Request(`http://node/containerLogs/ns/${path}`))
  assert.equal((await get('p/nope')).status, 404)
  const waiting = await get('p/db')
  assert.deepEqual(
    [waiting.status, await waiting.text()],
    [400, 'container "db" in pod "p" is waiting to start: NoRuntime\n'],
  )
  assert.equal((await get('p/db?previous=true')).status, 400)
})
