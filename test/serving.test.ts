/** What a ModelServing does, seen from outside, with pods that really start, crash and go. */
import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Event, Pod, Service } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { backend, modelBooster, modelServing, podTemplate, role } from './builders.ts'
import { startMachine } from './machine.ts'
import { podsMadeFromNow } from './pods-made.ts'
import { a, atRest, b, chat, namesOf, podsOfB, replaced, servingOf, uidsOf, up } from './serving-tools.ts'
import { type Tools, writesIn } from './tools.ts'
import { startWorld } from './world.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

const remove = (tools: Tools, name: string) => tools.client.delete(Pod, { namespace: 'default', name })

test('S1 two groups of one pod: names, labels, environment, status and events', async (t) => {
  const world = await startWorld(t)
  await up(world, a())
  const pods = await world.list(Pod)
  assert.deepEqual(await namesOf(world), ['chat-0-decode-0-0', 'chat-1-decode-0-0'])
  const { status, metadata } = await servingOf(world, 'chat')
  const pod = pods.find((each) => each.metadata.name === 'chat-1-decode-0-0')
  const { 'modelserving.volcano.sh/role-template-hash': hash, ...labels } = pod?.metadata.labels ?? {}
  assert.ok(hash)
  assert.deepEqual(labels, {
    'modelserving.volcano.sh/name': 'chat',
    'modelserving.volcano.sh/group-name': 'chat-1',
    'modelserving.volcano.sh/role': 'decode',
    'modelserving.volcano.sh/role-id': 'decode-0',
    'modelserving.volcano.sh/entry': 'true',
    'modelserving.volcano.sh/revision': status?.updateRevision,
  })
  assert.deepEqual(pod?.spec?.containers[0]?.env, [
    { name: 'GROUP_SIZE', value: '1' },
    { name: 'ENTRY_ADDRESS', value: 'chat-1-decode-0-0.default' },
    { name: 'WORKER_INDEX', value: '0' },
  ])
  assert.equal(pod?.metadata.ownerReferences?.[0]?.uid, metadata.uid)
  assert.deepEqual(await world.list(Service, 'modelserving.volcano.sh/name=chat'), [])
  const { replicas, updatedReplicas, availableReplicas, currentReplicas, currentRevision, updateRevision } =
    status ?? {}
  assert.deepEqual(
    { replicas, updatedReplicas, availableReplicas, currentReplicas },
    { replicas: 2, updatedReplicas: 2, availableReplicas: 2, currentReplicas: 2 },
  )
  assert.equal(currentRevision, updateRevision)
  const told = (await world.list(Event)).filter(({ involvedObject }) => involvedObject.kind === 'ModelServing')
  const counts = Map.groupBy(told, ({ reason }) => reason)
  assert.equal(counts.get('RoleCreating')?.length, 2)
  assert.equal(counts.get('RoleRunning')?.length, 2)
})

test('S2, B-37 two roles and a worker: a headless service for the role with workers, there before its pods', async (t) => {
  const world = await startWorld(t)
  await up(world, b())
  assert.deepEqual(await namesOf(world), podsOfB)
  const worker = (await world.list(Pod)).find(({ metadata }) => metadata.name === 'pd-0-prefill-0-1')
  assert.deepEqual(
    worker?.spec?.containers[0]?.env?.map(({ name, value }) => `${name}=${value}`),
    ['GROUP_SIZE=2', 'ENTRY_ADDRESS=pd-0-prefill-0-0.default', 'WORKER_INDEX=1'],
  )
  assert.equal(worker?.metadata.labels?.['modelserving.volcano.sh/entry'], undefined)
  const services = await world.list(Service, 'modelserving.volcano.sh/name=pd')
  assert.deepEqual(
    services.map(({ metadata }) => metadata.name),
    ['pd-0-prefill-0-0'],
  )
  assert.equal(services[0]?.spec?.clusterIP, 'None')
  assert.equal(services[0]?.spec?.publishNotReadyAddresses, true)
  assert.deepEqual(services[0]?.spec?.selector, {
    'modelserving.volcano.sh/group-name': 'pd-0',
    'modelserving.volcano.sh/role': 'prefill',
    'modelserving.volcano.sh/role-id': 'prefill-0',
    'modelserving.volcano.sh/entry': 'true',
  })
  const made = writesIn(world.requests)
    .filter(({ userAgent, resource }) => userAgent === 'fairlead-serving' && /pods|services/.test(resource))
    .map(({ resource }) => resource)
  assert.equal(made[0], 'services')
})

test('S5 scale 2→4→1, by the spec and by the scale subresource: the highest ordinals go, 0 stays', async (t) => {
  const world = await startWorld(t)
  await up(world, a())
  const { 'chat-0-decode-0-0': first } = await uidsOf(world)
  await up(world, a({ replicas: 4 }))
  assert.equal((await namesOf(world)).length, 4)
  const patch = { spec: { replicas: 1 } }
  await world.client.patch(ModelServing, chat, { type: 'merge', patch }, { subresource: 'scale' })
  await atRest(world, 'chat')
  assert.deepEqual(await uidsOf(world), { 'chat-0-decode-0-0': first })
})

test('S6 a gap is filled before higher ordinals are used', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 3 }))
  const cost = { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '100' } } }
  await world.client.patch(Pod, { namespace: 'default', name: 'chat-2-decode-0-0' }, { type: 'merge', patch: cost })
  await world.settled()
  await up(world, a({ replicas: 2 }))
  assert.deepEqual(await namesOf(world), ['chat-0-decode-0-0', 'chat-2-decode-0-0'])
  await up(world, a({ replicas: 3 }))
  assert.deepEqual(await namesOf(world), ['chat-0-decode-0-0', 'chat-1-decode-0-0', 'chat-2-decode-0-0'])
})

const recoveries = [
  { policy: 'RoleRecreate', lost: 'pd-0-prefill-0-0', goes: ['pd-0-prefill-0-0', 'pd-0-prefill-0-1'] },
  { policy: 'RoleRecreate', lost: 'pd-0-decode-1-0', goes: ['pd-0-decode-1-0'] },
  { policy: 'ServingGroupRecreate', lost: 'pd-0-decode-1-0', goes: podsOfB },
  { policy: 'None', lost: 'pd-0-prefill-0-1', goes: ['pd-0-prefill-0-1'] },
] as const

for (const { policy, lost, goes } of recoveries) {
  test(`S9, S11, S12 ${policy}: ${lost} deleted takes with it just ${goes.join(', ')}`, async (t) => {
    const world = await startWorld(t)
    await up(world, b({ recoveryPolicy: policy, replicas: 2 }))
    const before = await uidsOf(world)
    await remove(world, lost)
    await world.until('the pod anew', async () => ![undefined, before[lost]].includes((await uidsOf(world))[lost]))
    await atRest(world, 'pd')
    const now = await uidsOf(world)
    assert.deepEqual(replaced(before, now), goes)
    assert.equal(Object.keys(now).length, 8)
  })
}

/** Programs of this machine: the first start of each pod is ready at once and ends with 1 when told; the next takes a second. */
function crashOnce(t: Pick<TestContext, 'after'>) {
  const directory = mkdtempSync(join(tmpdir(), 'crash-once-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const [ready, go, life] = ['$HOSTNAME.ready', 'go', '$HOSTNAME.life'].map((name) => `${directory}/${name}`)
  const first = `touch ${ready}; while [ ! -e ${go} ]; do sleep 0.05; done; rm -f ${ready} ${go}; exit 1`
  const script = `if mkdir ${life} 2>/dev/null; then ${first}; fi; sleep 1; touch ${ready}; exec sleep 1000`
  const container = {
    image: 'acme/once',
    command: ['/bin/sh', '-c', script],
    readinessProbe: { exec: { command: ['/bin/sh', '-c', `test -e ${ready}`] }, periodSeconds: 1 },
  }
  const runtimes = [
    { image: 'acme/once', runtime: 'process' as const, env: {}, volumes: {} },
    { image: '*', runtime: 'simulated' as const },
  ]
  return {
    container,
    crash: () => writeFileSync(go ?? '', ''),
    options: { dataDir: directory, runtimes: { runtimes } },
  }
}

const crashes = [
  { policy: 'RoleRecreate', grace: 0, goes: ['pd-0-prefill-0-0', 'pd-0-prefill-0-1'] },
  { policy: 'RoleRecreate', grace: 60, goes: [] },
  { policy: 'ServingGroupRecreate', grace: 0, goes: podsOfB },
  { policy: 'None', grace: 0, goes: [] },
] as const

for (const { policy, grace, goes } of crashes) {
  const outcome = goes.length === 0 ? 'the same pod serves again' : `${goes.length} pods are made anew`
  test(`S9, S10, S12, B-03 a container that exits under ${policy} with ${grace} s of grace: ${outcome}`, async (t) => {
    const { container, crash, options } = crashOnce(t)
    const world = await startWorld(t, options)
    const prefill = role('prefill', {
      entryTemplate: podTemplate(container),
      workerReplicas: 1,
      workerTemplate: podTemplate(),
    })
    const roles = [prefill, role('decode', { replicas: 2 })]
    await up(world, b({ recoveryPolicy: policy }, { restartGracePeriodSeconds: grace, roles }))
    const before = await uidsOf(world)
    crash()
    await world.condition(ModelServing, 'pd', 'Available', 'False')
    await atRest(world, 'pd')
    assert.deepEqual(replaced(before, await uidsOf(world)), goes)
    const restarted = (await world.list(Pod)).filter(({ status }) => status?.containerStatuses?.[0]?.restartCount !== 0)
    assert.equal(restarted.length, goes.length === 0 ? 1 : 0)
  })
}

test('B-03 under None too, a pod that ended for good is made anew, alone', async (t) => {
  const { container, crash, options } = crashOnce(t)
  const world = await startWorld(t, options)
  const once = { spec: { ...(podTemplate(container)['spec'] as object), restartPolicy: 'Never' } }
  const roles = [role('prefill', { entryTemplate: once, workerReplicas: 1, workerTemplate: podTemplate() })]
  await up(world, b({ recoveryPolicy: 'None' }, { roles }))
  const before = await uidsOf(world)
  crash()
  await world.condition(ModelServing, 'pd', 'Available', 'False')
  await atRest(world, 'pd')
  assert.deepEqual(replaced(before, await uidsOf(world)), ['pd-0-prefill-0-0'])
})

test('S18, B-23 no groups is available too, and from none it comes back', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 0 }))
  assert.match((await servingOf(world, 'chat')).status?.labelSelector ?? '', /modelserving.volcano.sh\/name=chat/)
  assert.deepEqual(await namesOf(world), [])
  await up(world, a({ replicas: 2 }))
  assert.deepEqual(await namesOf(world), ['chat-0-decode-0-0', 'chat-1-decode-0-0'])
  await up(world, a({ replicas: 0 }))
  assert.deepEqual(await namesOf(world), [])
})

test('S20, B-38 the same name again at once: the new one has pods of its own only, all of them new', async (t) => {
  const world = await startWorld(t)
  await up(world, b())
  const before = await uidsOf(world)
  await world.client.delete(ModelServing, { namespace: 'default', name: 'pd' })
  await up(world, b())
  const { metadata } = await servingOf(world, 'pd')
  const owned = [...(await world.list(Pod)), ...(await world.list(Service, 'modelserving.volcano.sh/name=pd'))]
  assert.deepEqual([...new Set(owned.map((each) => each.metadata.ownerReferences?.[0]?.uid))], [metadata.uid])
  assert.deepEqual(replaced(before, await uidsOf(world)), podsOfB)
})

test('S21 a service that was deleted comes back as it was, and no pod is touched', async (t) => {
  const world = await startWorld(t)
  await up(world, b())
  const before = await uidsOf(world)
  const place = { namespace: 'default', name: 'pd-0-prefill-0-0' }
  const service = await world.client.get(Service, place)
  await world.client.delete(Service, place)
  await world.until('the service to come back', async () => {
    const again = await world.find(Service, place)
    return again !== undefined && again.metadata.uid !== service.metadata.uid
  })
  await world.settled()
  const again = await world.client.get(Service, place)
  assert.deepEqual(again.spec?.selector, service.spec?.selector)
  assert.deepEqual(await uidsOf(world), before)
  await world.condition(ModelServing, 'pd', 'Available')
})

test('S26, B-05 deleted in the foreground, nothing is made any more, and all goes', async (t) => {
  const world = await startWorld(t)
  await up(world, b({ replicas: 2 }))
  const from = world.requests.length
  await world.client.delete(ModelServing, { namespace: 'default', name: 'pd' }, { propagationPolicy: 'Foreground' })
  await world.until('all to go', async () => {
    const left = [await world.find(ModelServing, { namespace: 'default', name: 'pd' }), ...(await world.list(Pod))]
    return left.every((each) => each === undefined)
  })
  await world.settled()
  assert.deepEqual(await world.list(Service, 'modelserving.volcano.sh/name=pd'), [])
  const made = world.requests.slice(from).filter(({ verb, resource }) => verb === 'create' && resource !== 'events')
  assert.deepEqual(made, [])
})

/** Follows the groups of `chat` by what its pods tell: in which order they go, and how few served at worst. */
function follow(world: Awaited<ReturnType<typeof startWorld>>) {
  const ready = new Map<string, boolean>()
  const seen = { gone: [] as string[], fewest: Number.POSITIVE_INFINITY, availableTooEarly: [] as unknown[], image: '' }
  const look = () => {
    seen.fewest = Math.min(seen.fewest, [...ready.values()].filter(Boolean).length)
  }
  world.informers.of(Pod).subscribe({
    upsert({ metadata: { name = '', deletionTimestamp }, status }) {
      const holds = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false
      ready.set(name, holds && deletionTimestamp === undefined)
      if (ready.size >= 3) look()
    },
    remove({ metadata: { name = '' } }) {
      ready.set(name, false)
      seen.gone.push(name)
      look()
    },
  })
  const pods = world.informers.of(Pod)
  world.informers.of(ModelServing).subscribe({
    upsert({ metadata, status }) {
      const available = status?.conditions?.find(({ type }) => type === 'Available')
      if (available?.status !== 'True' || available.observedGeneration !== metadata.generation || !seen.image) return
      const old = pods.list().filter(({ spec }) => spec?.containers[0]?.image !== seen.image)
      if (old.length > 0) seen.availableTooEarly.push(old.map((pod) => pod.metadata.name))
    },
    remove() {},
  })
  return seen
}

const imageV2 = { image: 'vllm/vllm-openai:v2' }

test('S13 a changed template replaces one group at a time, highest ordinal first; Available waits for the last', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 3 }))
  const seen = follow(world)
  seen.image = imageV2.image
  seen.fewest = 3
  await up(world, a({ replicas: 3 }, imageV2))
  assert.deepEqual(seen.gone, ['chat-2-decode-0-0', 'chat-1-decode-0-0', 'chat-0-decode-0-0'])
  assert.equal(seen.fewest, 2, 'never more than one is missing')
  assert.deepEqual(seen.availableTooEarly, [])
  assert.deepEqual(await namesOf(world), ['chat-0-decode-0-0', 'chat-1-decode-0-0', 'chat-2-decode-0-0'])
})

test('S15 a bad image stops after one group; its fix replaces that group first', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 3 }))
  const before = await uidsOf(world)
  const seen = follow(world)
  seen.fewest = 3
  await world.apply(a({ replicas: 3 }, { image: 'acme/unknown:1' }))
  const failing = await world.condition(ModelServing, 'chat', 'PodsFailing')
  assert.match(failing.message, /pod chat-2-decode-0-0, container engine: NoRuntime.*acme\/unknown:1/)
  await world.condition(ModelServing, 'chat', 'Available', 'False')
  await world.settled()
  assert.deepEqual(seen.gone, ['chat-2-decode-0-0'])
  assert.deepEqual(replaced(before, await uidsOf(world)), ['chat-2-decode-0-0'])
  seen.image = imageV2.image
  await up(world, a({ replicas: 3 }, imageV2))
  assert.deepEqual(seen.gone, ['chat-2-decode-0-0', 'chat-2-decode-0-0', 'chat-1-decode-0-0', 'chat-0-decode-0-0'])
  assert.equal(seen.fewest, 2)
  assert.deepEqual(seen.availableTooEarly, [])
  await world.condition(ModelServing, 'chat', 'PodsFailing', 'False')
})

test('controllers that start anew find everything, mend what went wrong meanwhile, and else write nothing', async (t) => {
  const machine = await startMachine(t, { simulation })
  const first = machine.start()
  await machine.apply(modelBooster('model', { backends: [backend('x'), backend('y')] }))
  await machine.condition(ModelBooster, 'model', 'Active')
  await up(machine, b())
  await first.kill()

  const before = await uidsOf(machine)
  const from = machine.requests.length
  const second = machine.start()
  await machine.settled()
  assert.deepEqual(await uidsOf(machine), before)
  assert.deepEqual(writesIn(machine.requests.slice(from)), [])
  await second.kill()

  await remove(machine, 'pd-0-prefill-0-1')
  await machine.until('the pod to go', async () =>
    (await namesOf(machine)).every((name) => name !== 'pd-0-prefill-0-1'),
  )
  machine.start()
  await machine.until('the role anew', async () => replaced(before, await uidsOf(machine)).length === 2)
  await atRest(machine, 'pd')
  assert.deepEqual(replaced(before, await uidsOf(machine)), ['pd-0-prefill-0-0', 'pd-0-prefill-0-1'])
})

test('S19 a rollout that lost its controllers goes on where it was', async (t) => {
  const machine = await startMachine(t, { simulation })
  const first = machine.start()
  await up(machine, a({ replicas: 3 }))
  using made = await podsMadeFromNow(machine)
  await machine.apply(a({ replicas: 3 }, imageV2))
  await machine.until('the first new group', async () =>
    (await machine.list(Pod)).some(({ spec }) => spec?.containers[0]?.image === imageV2.image),
  )
  await first.kill()
  machine.start()
  await atRest(machine, 'chat')
  assert.equal(await made.count(), 3)
})

test('a whole cluster that starts anew from its data has the same pods, ready again', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'restart-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const first = await startWorld(t, { dataDir: directory })
  await up(first, b({ replicas: 2 }))
  const before = await uidsOf(first)
  await first[Symbol.asyncDispose]()

  const second = await startWorld(t, { dataDir: directory })
  await second.settled()
  await atRest(second, 'pd')
  await second.until('all pods ready', async () => {
    const ready = (await second.list(Pod)).filter(({ status }) =>
      status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True'),
    )
    return ready.length === 8
  })
  await second.settled()
  assert.deepEqual(await uidsOf(second), before)
})

test('the booster is optional: what is written by hand is served, and its controller writes nothing', async (t) => {
  const world = await startWorld(t)
  const meta = { name: 'mine', namespace: 'default' }
  const labels = { 'workload.serving.volcano.sh/managed-by': 'workload.serving.volcano.sh' }
  const workload = 'workload.serving.volcano.sh/v1alpha1'
  const networking = 'networking.serving.volcano.sh/v1alpha1'
  const metrics = [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }]
  const target = { targetRef: { kind: 'ModelServing', name: 'mine' } }
  const written: AnyResource[] = [
    { ...modelServing('mine'), metadata: { ...meta, labels } },
    {
      apiVersion: networking,
      kind: 'ModelServer',
      metadata: { ...meta, labels },
      spec: {
        model: 'tiny',
        inferenceEngine: 'vLLM',
        workloadPort: { port: 8000 },
        workloadSelector: { matchLabels: { 'modelserving.volcano.sh/name': 'mine' } },
      },
    },
    {
      apiVersion: networking,
      kind: 'ModelRoute',
      metadata: { ...meta, labels },
      spec: { modelName: 'tiny', rules: [{ targetModels: [{ modelServerName: 'mine' }] }] },
    },
    { apiVersion: workload, kind: 'AutoscalingPolicy', metadata: { ...meta, labels }, spec: { metrics } },
    {
      apiVersion: workload,
      kind: 'AutoscalingPolicyBinding',
      metadata: { ...meta, labels },
      spec: { policyRef: { name: 'mine' }, scalingConfiguration: { target, minReplicas: 1, maxReplicas: 2 } },
    },
  ]
  for (const object of written) await world.apply(object)
  await world.condition(ModelServing, 'mine', 'Available')
  await world.apply(modelBooster('other'))
  await world.condition(ModelBooster, 'other', 'Active')
  await world.settled()
  const byBooster = writesIn(world.requests).filter(({ userAgent }) => userAgent === 'model-booster-controller')
  assert.deepEqual(
    byBooster.filter(({ name }) => name === 'mine'),
    [],
  )
  for (const kind of [ModelServing, ModelServer, ModelRoute]) {
    const { metadata } = await world.client.get(kind as typeof ModelServing, { namespace: 'default', name: 'mine' })
    assert.deepEqual([metadata.labels, metadata.ownerReferences], [labels, undefined])
  }
})

test('B-21 a pass repeated writes nothing: metadata that changes costs no write', async (t) => {
  const world = await startWorld(t)
  await up(world, b({ replicas: 2 }))
  const from = world.requests.length
  const patch = { metadata: { annotations: { touched: 'yes' } } }
  await world.client.patch(ModelServing, { namespace: 'default', name: 'pd' }, { type: 'merge', patch })
  await world.settled()
  assert.deepEqual(
    writesIn(world.requests.slice(from)).filter(({ userAgent }) => userAgent !== 'a-user'),
    [],
  )
})
