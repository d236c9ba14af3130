/** Gang scheduling and network topology: what is written for Volcano, and that a scheduler which reads it places all or none. */
import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { PodGroup, volcanoAnnotations } from '#api/volcano.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { backend, modelBooster, modelServing, podTemplate, role } from './builders.ts'
import { namesOf, replaced, servingOf, uidsOf } from './serving-tools.ts'
import { writesIn } from './tools.ts'
import { installVolcano, removeVolcano } from './volcano/install.ts'
import { startGangScheduler } from './volcano/gang-scheduler.ts'
import { startWorld, type World } from './world.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

const cpu = podTemplate({ resources: { requests: { cpu: '1' } } })

/** Base B without a scheduler of its own, each container with a cpu. */
const pd = (template: Record<string, unknown>, { spec = {}, decodes = 2, workers = 1 } = {}) =>
  modelServing('pd', {
    template: {
      roles: [
        role('prefill', { entryTemplate: cpu, workerReplicas: workers, workerTemplate: cpu }),
        role('decode', { entryTemplate: cpu, replicas: decodes }),
      ],
      ...template,
    },
    ...spec,
  })

async function startVolcano(t: TestContext, options: { subGroups?: boolean; places?: number } = {}) {
  const world = await startWorld(t, { simulation })
  await installVolcano(world, options)
  const scheduler = startGangScheduler(world, options.places ?? 100)
  t.after(() => scheduler[Symbol.asyncDispose]())
  return { world, scheduler }
}

const groupOf = (world: World, name = 'pd-0') => world.client.get(PodGroup, { namespace: 'default', name })
const gangFrom = (world: World, status: 'True' | 'False' = 'False') =>
  world.condition(ModelServing, 'pd', 'GangUnavailable', status)

test('S3 a gang is a PodGroup, written before its pods, with a part for each role; pods name it and its scheduler', async (t) => {
  const { world } = await startVolcano(t)
  await world.apply(pd({ gangPolicy: {} }))
  await world.condition(ModelServing, 'pd', 'Available')
  const { spec, metadata } = await groupOf(world)
  assert.deepEqual([spec?.minMember, spec?.minResources, spec?.networkTopology], [4, { cpu: '4' }, undefined])
  const part = (name: string, subGroupSize: number, minSubGroups: number) => ({
    name,
    labelSelector: { matchLabels: { 'modelserving.volcano.sh/name': 'pd', 'modelserving.volcano.sh/role': name } },
    matchLabelKeys: ['modelserving.volcano.sh/role-id'],
    subGroupSize,
    minSubGroups,
  })
  assert.deepEqual(spec?.subGroupPolicy, [part('prefill', 2, 1), part('decode', 1, 2)])
  assert.equal(metadata.annotations?.[volcanoAnnotations.groupName], 'pd-0')
  assert.equal(metadata.ownerReferences?.[0]?.kind, 'ModelServing')
  const pods = await world.list(Pod)
  assert.deepEqual([...new Set(pods.map((pod) => pod.spec?.schedulerName))], ['volcano'])
  assert.deepEqual(
    pods
      .map((pod) => pod.metadata.annotations?.[volcanoAnnotations.taskSpec])
      .sort((one = '', other = '') => one.localeCompare(other)),
    ['decode-0', 'decode-1', 'prefill-0', 'prefill-0'],
  )
  const made = writesIn(world.requests).filter(
    ({ userAgent, resource }) => userAgent === 'fairlead-serving' && /^pod(s|groups)$/.test(resource),
  )
  assert.equal(made[0]?.resource, 'podgroups')
})

test('B-28 PodGroups at rest are not written again', async (t) => {
  const { world, scheduler } = await startVolcano(t)
  await world.apply(pd({ gangPolicy: {}, networkTopology: { groupPolicy: { mode: 'soft' } } }))
  await world.condition(ModelServing, 'pd', 'Available')
  await scheduler[Symbol.asyncDispose]()
  await world.settled()
  const { metadata } = await groupOf(world)
  const patch = { metadata: { annotations: { touched: 'yes' } } }
  await world.client.patch(ModelServing, { namespace: 'default', name: 'pd' }, { type: 'merge', patch })
  await world.settled()
  assert.equal((await groupOf(world)).metadata.resourceVersion, metadata.resourceVersion)
})

test('S4, B-31 minRoleReplicas: so many are placed together, all are made; it may be edited, up to what there is', async (t) => {
  const { world } = await startVolcano(t)
  await world.apply(pd({ gangPolicy: { minRoleReplicas: { decode: 1 } } }))
  await world.condition(ModelServing, 'pd', 'Available')
  const { spec } = await groupOf(world)
  assert.deepEqual(
    [spec?.minMember, spec?.minResources, spec?.subGroupPolicy?.map(({ minSubGroups }) => minSubGroups)],
    [3, { cpu: '3' }, [1, 1]],
  )
  assert.equal((await namesOf(world)).length, 4)
  await world.apply(pd({ gangPolicy: { minRoleReplicas: { decode: 2 } } }))
  await world.until('four together', async () => (await groupOf(world)).spec?.minMember === 4)
  await assert.rejects(world.apply(pd({ gangPolicy: { minRoleReplicas: { decode: 3 } } })), /minRoleReplicas/)
})

test('before Volcano 1.14 a PodGroup has no parts, and a rolePolicy is said to have no effect', async (t) => {
  const { world } = await startVolcano(t, { subGroups: false })
  await world.apply(pd({ networkTopology: { groupPolicy: { mode: 'soft' }, rolePolicy: { highestTierAllowed: 1 } } }))
  await world.condition(ModelServing, 'pd', 'Available')
  const { spec } = await groupOf(world)
  assert.deepEqual([spec?.minMember, spec?.networkTopology, spec?.subGroupPolicy], [4, { mode: 'soft' }, undefined])
  assert.equal((await gangFrom(world, 'True')).reason, 'SubGroupsNotSupported')
})

test('all or nothing: with places for one group and a half, one serves and of the other no pod is placed until there is room', async (t) => {
  const { world, scheduler } = await startVolcano(t, { places: 6 })
  await world.apply(pd({ gangPolicy: {} }, { spec: { replicas: 2 } }))
  await world.until('one group', async () => (await servingOf(world, 'pd')).status?.availableReplicas === 1)
  const placed = (await world.list(Pod)).filter(({ spec }) => spec?.nodeName !== undefined)
  assert.equal(placed.length, 4)
  assert.equal(new Set(placed.map(({ metadata }) => metadata.annotations?.[volcanoAnnotations.groupName])).size, 1)
  scheduler.places = 8
  await world.condition(ModelServing, 'pd', 'Available')
})

test('S22, B-33 without Volcano pods run one by one and a condition says what to install; when it comes, PodGroups are made', async (t) => {
  const world = await startWorld(t, { simulation })
  await world.apply(pd({ gangPolicy: {} }))
  await world.condition(ModelServing, 'pd', 'Available')
  const { reason, message } = await gangFrom(world, 'True')
  assert.equal(reason, 'VolcanoNotInstalled')
  assert.match(message, /install Volcano/)
  const before = await uidsOf(world)
  assert.equal((await world.list(Pod))[0]?.metadata.annotations?.[volcanoAnnotations.groupName], undefined)
  await installVolcano(world)
  await world.until('the PodGroup', async () => (await groupOf(world).catch(() => undefined)) !== undefined)
  await world.until('the pods to be named', async () => (await gangFrom(world, 'True')).reason === 'PodsOutsideGang')
  assert.deepEqual(await uidsOf(world), before)
  await removeVolcano(world)
  await world.until(
    'its absence to be told',
    async () => (await gangFrom(world, 'True')).reason === 'VolcanoNotInstalled',
  )
  assert.deepEqual(await uidsOf(world), before)
})

test('S23, B-22, B-32 topology and queue reach the PodGroup and leave it again; it stays the same one, and no pod restarts', async (t) => {
  const { world } = await startVolcano(t)
  const topology = { groupPolicy: { mode: 'soft' }, rolePolicy: { mode: 'hard', highestTierAllowed: 1 } }
  await world.apply(pd({ gangPolicy: {}, networkTopology: topology }))
  await world.condition(ModelServing, 'pd', 'Available')
  const before = await uidsOf(world)
  const { spec, metadata } = await groupOf(world)
  assert.deepEqual(spec?.networkTopology, { mode: 'soft' })
  assert.deepEqual(
    spec.subGroupPolicy?.map((part) => part.networkTopology),
    [topology.rolePolicy, topology.rolePolicy],
  )
  await world.apply(pd({ gangPolicy: {}, networkTopology: { groupPolicy: { mode: 'soft' } } }))
  await world.until('no role policy', async () => {
    return (await groupOf(world)).spec?.subGroupPolicy?.every((part) => part.networkTopology === undefined)
  })
  await world.apply(pd({ gangPolicy: {} }))
  await world.until('no topology', async () => (await groupOf(world)).spec?.networkTopology === undefined)
  const queue = { metadata: { annotations: { [volcanoAnnotations.queueName]: 'gpus' } } }
  await world.client.patch(ModelServing, { namespace: 'default', name: 'pd' }, { type: 'merge', patch: queue })
  await world.until('the queue', async () => (await groupOf(world)).spec?.queue === 'gpus')
  assert.equal((await groupOf(world)).metadata.uid, metadata.uid)
  assert.deepEqual(await uidsOf(world), before)
  await world.apply(pd({}))
  await world.until('no PodGroup', async () => (await world.list(PodGroup)).length === 0)
})

test('S21 a PodGroup deleted by hand comes back, and no pod is touched', async (t) => {
  const { world } = await startVolcano(t)
  await world.apply(pd({ gangPolicy: {} }))
  await world.condition(ModelServing, 'pd', 'Available')
  const before = await uidsOf(world)
  await world.client.delete(PodGroup, { namespace: 'default', name: 'pd-0' })
  await world.until('it to come back', async () => (await world.list(PodGroup)).length === 1)
  assert.deepEqual(await uidsOf(world), before)
})

test('S28, B-16 each PodGroup has the sizes of its own group: a protected one keeps its own, and can be placed again', async (t) => {
  const { world } = await startVolcano(t)
  const kept = {
    replicas: 2,
    rolloutStrategy: { type: 'ServingGroupRollingUpdate', rollingUpdateConfiguration: { partition: 1 } },
  }
  await world.apply(pd({ gangPolicy: {} }, { spec: kept }))
  await world.condition(ModelServing, 'pd', 'Available')
  await world.apply(pd({ gangPolicy: {} }, { spec: kept, workers: 3 }))
  await world.until('the other to grow', async () => (await groupOf(world, 'pd-1')).spec?.minMember === 6)
  await world.condition(ModelServing, 'pd', 'Available')
  assert.equal((await groupOf(world)).spec?.minMember, 4)
  const before = await uidsOf(world)
  await world.client.delete(Pod, { namespace: 'default', name: 'pd-0-prefill-0-1' })
  await world.until('the role anew', async () => replaced(before, await uidsOf(world)).length === 2)
  await world.condition(ModelServing, 'pd', 'Available')
  assert.equal((await groupOf(world)).spec?.minMember, 4)
})

test('groups that are scaled away take their PodGroups with them', async (t) => {
  const { world } = await startVolcano(t)
  await world.apply(pd({ gangPolicy: {} }, { spec: { replicas: 3 } }))
  await world.condition(ModelServing, 'pd', 'Available')
  assert.equal((await world.list(PodGroup)).length, 3)
  await world.apply(pd({ gangPolicy: {} }, { spec: { replicas: 1 } }))
  await world.until('one PodGroup', async () => (await world.list(PodGroup)).length === 1)
  await world.client.delete(ModelServing, { namespace: 'default', name: 'pd' })
  await world.until('none', async () => (await world.list(PodGroup)).length === 0)
})

test('a ModelBooster asks for a gang, or for topology, in its backend', async (t) => {
  const { world } = await startVolcano(t)
  const wide = [{ type: 'server', image: 'vllm/vllm-openai:latest', pods: 2 }]
  const booster: AnyResource = modelBooster('model', {
    backends: [
      backend('ray', {
        workers: wide,
        gangPolicy: { enabled: true },
        networkTopology: { rolePolicy: { highestTierAllowed: 1 } },
      }),
    ],
  })
  await world.apply(booster)
  await world.condition(ModelBooster, 'model', 'Active')
  const { spec } = await groupOf(world, 'model-ray-0')
  assert.equal(spec?.minMember, 2)
  assert.deepEqual(spec.subGroupPolicy?.[0]?.networkTopology, { mode: 'hard', highestTierAllowed: 1 })
})
