/** How a change of the template reaches the pods of a ModelServing, and the way back. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ControllerRevision, Pod } from '#api/core/kinds.ts'
import { servingLabels } from '#api/labels.ts'
import { ModelServing } from '#api/model-serving.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { podTemplate, role } from './builders.ts'
import { startMachine } from './machine.ts'
import { a, atRest, b, chat, image, imagesOf, replaced, servingOf, uidsOf, up } from './serving-tools.ts'
import { type Tools, writesIn } from './tools.ts'
import { startWorld } from './world.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

const rolling = (configuration: Record<string, unknown>) => ({
  rolloutStrategy: { type: 'ServingGroupRollingUpdate', rollingUpdateConfiguration: configuration },
})
const [v1, v2, v3] = ['v1', 'v2', 'v3'].map((version) => `vllm/vllm-openai:${version}`)
const remove = (tools: Tools, name: string) => tools.client.delete(Pod, { namespace: 'default', name })

/** Versions of the image by group, `1` for the first. */
async function versions(tools: Tools): Promise<string> {
  return Object.values(await imagesOf(tools))
    .map((name) => name.at(-1))
    .join('')
}

const revisionsOf = async (tools: Tools) =>
  (await tools.list(ControllerRevision)).sort((one, other) => (one.revision ?? 0) - (other.revision ?? 0))

test('S1, S13 each template is one snapshot, numbered, written before its first pod and never changed', async (t) => {
  const world = await startWorld(t)
  await up(world, a({}, image('v1')))
  const [first] = await revisionsOf(world)
  const { status } = await servingOf(world, 'chat')
  assert.equal(first?.metadata.name, `chat-${status?.updateRevision}`)
  assert.equal(first?.metadata.labels?.[servingLabels.revision], status?.updateRevision)
  assert.equal(first?.metadata.ownerReferences?.[0]?.name, 'chat')
  const made = writesIn(world.requests).filter(({ userAgent }) => userAgent === 'fairlead-serving')
  assert.equal(made[0]?.resource, 'controllerrevisions')
  await up(world, a({}, image('v2')))
  const [again, second] = await revisionsOf(world)
  assert.deepEqual([again?.metadata.resourceVersion, second?.revision], [first?.metadata.resourceVersion, 2])
})

test('S14 a partition keeps lower ordinals as they are: through loss, scaling up and down; lowering it lets them follow', async (t) => {
  const world = await startWorld(t)
  const four = (version: string, spec = {}) =>
    a({ replicas: 4, ...rolling({ partition: 2, maxUnavailable: 4 }), ...spec }, image(version))
  await world.apply(four('v1'))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.apply(four('v2'))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.settled()
  assert.equal(await versions(world), '1122')
  const { status } = await servingOf(world, 'chat')
  assert.deepEqual([status?.updatedReplicas, status?.currentReplicas, status?.availableReplicas], [2, 2, 4])
  assert.notEqual(status?.currentRevision, status?.updateRevision)

  const before = await uidsOf(world)
  await remove(world, 'chat-1-decode-0-0')
  await world.until('the pod anew', async () => replaced(before, await uidsOf(world)).length === 1)
  await world.condition(ModelServing, 'chat', 'Available')
  await world.settled()
  assert.equal(await versions(world), '1122')

  await world.apply(four('v2', { replicas: 6 }))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.settled()
  assert.equal(await versions(world), '112222')
  await world.apply(four('v2', { replicas: 1 }))
  await world.until('one group', async () => (await versions(world)) === '1')
  await world.settled()
  await up(world, four('v2', { replicas: 2, ...rolling({ partition: 0 }) }))
  assert.equal(await versions(world), '22')
})

test('S14 a partition of 40% of four groups is two', async (t) => {
  const world = await startWorld(t)
  const four = (version: string) =>
    a({ replicas: 4, ...rolling({ partition: '40%', maxUnavailable: '100%' }) }, image(version))
  await up(world, four('v1'))
  await world.apply(four('v2'))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.settled()
  assert.equal(await versions(world), '1122')
})

test('S15 a bad image stops at maxUnavailable; the fix takes those first, then the rest', async (t) => {
  const world = await startWorld(t)
  const six = (container: Record<string, unknown>) => a({ replicas: 6, ...rolling({ maxUnavailable: 2 }) }, container)
  await up(world, six(image('v1')))
  const before = await uidsOf(world)
  await world.apply(six({ image: 'acme/unknown:1' }))
  await world.until('two to go', async () => replaced(before, await uidsOf(world)).length === 2)
  await world.condition(ModelServing, 'chat', 'PodsFailing')
  await world.settled()
  assert.deepEqual(replaced(before, await uidsOf(world)), ['chat-4-decode-0-0', 'chat-5-decode-0-0'])
  assert.equal((await servingOf(world, 'chat')).status?.availableReplicas, 4)
  await up(world, six(image('v3')))
  assert.equal(await versions(world), '333333')
})

test('B-42 a group lost while a broken template is stuck comes back as it was', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 3 }, image('v1')))
  await world.apply(a({ replicas: 3 }, { image: 'acme/unknown:1' }))
  await world.condition(ModelServing, 'chat', 'PodsFailing')
  await world.settled()
  const before = await uidsOf(world)
  await remove(world, 'chat-0-decode-0-0')
  await world.until('the pod anew', async () => replaced(before, await uidsOf(world)).length === 1)
  await world.until('two to serve', async () => (await servingOf(world, 'chat')).status?.availableReplicas === 2)
  await world.settled()
  assert.deepEqual(Object.values(await imagesOf(world)), [v1, v1, 'acme/unknown:1'])
})

test('surge adds groups before it takes any, and leaves no more than are wanted', async (t) => {
  const world = await startWorld(t)
  const two = (version: string) => a({ ...rolling({ maxUnavailable: 0, maxSurge: 1 }) }, image(version))
  await up(world, two('v1'))
  const before = await uidsOf(world)
  const counts = { most: 0, least: 2 }
  const ready = new Map<string, boolean>()
  world.informers.of(Pod).subscribe({
    upsert({ metadata, status }) {
      const holds = status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false
      ready.set(metadata.name ?? '', holds && metadata.deletionTimestamp === undefined)
      counts.most = Math.max(counts.most, ready.size)
      counts.least = Math.min(counts.least, [...ready.values()].filter(Boolean).length)
    },
    remove({ metadata }) {
      ready.delete(metadata.name ?? '')
    },
  })
  counts.least = 2
  await up(world, two('v2'))
  assert.equal(await versions(world), '22')
  assert.deepEqual(counts, { most: 3, least: 2 })
  assert.equal(Object.values(await uidsOf(world)).filter((uid) => Object.values(before).includes(uid)).length, 0)
})

test('a second edit in mid-rollout goes on from there; editing back replaces only what had left', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 3 }, image('v1')))
  const before = await uidsOf(world)
  await world.apply(a({ replicas: 3 }, { image: 'acme/unknown:1' }))
  await world.condition(ModelServing, 'chat', 'PodsFailing')
  await up(world, a({ replicas: 3 }, image('v1')))
  assert.deepEqual(replaced(before, await uidsOf(world)), ['chat-2-decode-0-0'])
  const [bad, back] = await revisionsOf(world)
  assert.deepEqual(
    [bad?.revision, back?.revision],
    [2, 3],
    'the first template is the newest again, by the same snapshot',
  )
  await up(world, a({ replicas: 3 }, image('v3')))
  assert.deepEqual(Object.values(await imagesOf(world)), [v3, v3, v3])
})

test('paused, nothing is replaced, and what is lost or added comes as it was; resumed, it goes on', async (t) => {
  const world = await startWorld(t)
  const strategy = (paused: boolean) => ({ rolloutStrategy: { type: 'ServingGroupRollingUpdate', paused } })
  await up(world, a(strategy(false), image('v1')))
  await world.apply(a({ ...strategy(true), replicas: 3 }, image('v2')))
  const progress = await world.condition(ModelServing, 'chat', 'UpdateInProgress')
  assert.equal(progress.reason, 'RolloutPaused')
  await world.until('three groups', async () => (await versions(world)) === '111')
  await world.settled()
  await up(world, a({ ...strategy(false), replicas: 3 }, image('v2')))
  assert.equal(await versions(world), '222')
})

const decode = (version: string, overrides = {}) =>
  role('decode', { replicas: 2, entryTemplate: podTemplate(image(version)), ...overrides })
const prefill = role('prefill', { workerReplicas: 1, workerTemplate: podTemplate() })
const byRole = (roles: unknown[], spec = {}) =>
  b({ rolloutStrategy: { type: 'RoleRollingUpdate' }, ...spec }, { roles })

test('S16 role by role: only the replicas of the changed role go, one at a time in every group; roles come and go at once', async (t) => {
  const world = await startWorld(t)
  await up(world, byRole([prefill, decode('v1')], { replicas: 2 }))
  const before = await uidsOf(world)
  const { status } = await servingOf(world, 'pd')
  await up(world, byRole([prefill, decode('v2')], { replicas: 2 }))
  assert.deepEqual(
    replaced(before, await uidsOf(world)),
    [0, 1].flatMap((group) => [0, 1].map((ordinal) => `pd-${group}-decode-${ordinal}-0`)),
  )
  const pods = await world.list(Pod)
  const labelOf = (name: string) =>
    pods.find(({ metadata }) => metadata.name === name)?.metadata.labels?.[servingLabels.revision]
  assert.equal(labelOf('pd-0-prefill-0-0'), status?.updateRevision)
  assert.equal(labelOf('pd-0-decode-0-0'), (await servingOf(world, 'pd')).status?.updateRevision)

  const kept = await uidsOf(world)
  await up(world, byRole([prefill, decode('v2'), role('extra')], { replicas: 2 }))
  assert.deepEqual(replaced(kept, await uidsOf(world)), ['pd-0-extra-0-0', 'pd-1-extra-0-0'])
  await up(world, byRole([decode('v2')], { replicas: 2 }))
  assert.equal(Object.keys(await uidsOf(world)).length, 4)
})

test('S17, B-06 role by role with a partition: protected replicas keep their template, also when they are lost', async (t) => {
  const world = await startWorld(t)
  const four = (version: string, overrides = {}) =>
    byRole([decode(version, { replicas: 4, partition: 2, maxUnavailable: 4, ...overrides })])
  await world.apply(four('v1'))
  await world.condition(ModelServing, 'pd', 'Available')
  await world.apply(four('v2'))
  await world.until('two of each', async () => (await versions(world)) === '1122')
  await world.condition(ModelServing, 'pd', 'Available')
  await world.settled()
  const { status } = await servingOf(world, 'pd')
  assert.deepEqual([status?.updatedReplicas, status?.availableReplicas], [0, 1])
  assert.notEqual(status?.currentRevision, status?.updateRevision)
  const before = await uidsOf(world)
  await remove(world, 'pd-0-decode-0-0')
  await world.until('the pod anew', async () => replaced(before, await uidsOf(world)).length === 1)
  await world.condition(ModelServing, 'pd', 'Available')
  await world.settled()
  assert.equal(await versions(world), '1122')
  await world.apply(four('v2', { replicas: 2, maxUnavailable: 2 }))
  await world.until('two left', async () => (await versions(world)) === '11')
})

test('S27, B-01 a role scaled, then groups: the snapshot stays as it is, and the new group has the new count', async (t) => {
  const world = await startWorld(t)
  const scaled = (groups: number, replicas: number) =>
    a({ replicas: groups, template: { roles: [role('decode', { replicas })] } })
  await up(world, scaled(1, 1))
  const [first] = await revisionsOf(world)
  await up(world, scaled(1, 2))
  await up(world, scaled(2, 2))
  assert.deepEqual(
    Object.keys(await uidsOf(world)).sort(),
    [0, 1].flatMap((group) => [0, 1].map((r) => `chat-${group}-decode-${r}-0`)),
  )
  const revisions = await revisionsOf(world)
  assert.deepEqual(
    revisions.map(({ metadata }) => metadata.resourceVersion),
    [first?.metadata.resourceVersion],
  )
})

test('S28, B-08 more workers and another image in one edit: only the group being replaced has them', async (t) => {
  const world = await startWorld(t)
  const three = (version: string, workerReplicas: number) =>
    a({
      replicas: 3,
      template: {
        roles: [
          role('prefill', {
            entryTemplate: podTemplate(image(version)),
            workerReplicas,
            workerTemplate: podTemplate(image(version)),
          }),
        ],
      },
    })
  await up(world, three('v1', 1))
  const mixed: string[] = []
  world.informers.of(Pod).subscribe({
    upsert({ metadata: { name = '' }, spec }) {
      const isOld = spec?.containers[0]?.image === v1
      if (isOld && (name.endsWith('-2') || spec?.containers[0]?.env?.some(({ value }) => value === '3')))
        mixed.push(name)
    },
    remove() {},
  })
  await up(world, three('v2', 2))
  assert.deepEqual(mixed, [])
  assert.equal(Object.keys(await uidsOf(world)).length, 9)
})

test('B-09 a role scaled reaches protected groups too, with their own template', async (t) => {
  const world = await startWorld(t)
  const scaled = (version: string, replicas: number) =>
    a({
      ...rolling({ partition: 1 }),
      template: { roles: [role('decode', { replicas, entryTemplate: podTemplate(image(version)) })] },
    })
  await up(world, scaled('v1', 1))
  await world.apply(scaled('v2', 1))
  await world.until('the other group', async () => (await versions(world)) === '12')
  await world.apply(scaled('v2', 3))
  await world.until('six', async () => (await versions(world)) === '111222')
  await world.condition(ModelServing, 'chat', 'Available')
})

test('B-10 role by role, killed after one of three, it goes on with the others', async (t) => {
  const machine = await startMachine(t, { simulation })
  const three = (version: string) => byRole([prefill, decode(version, { replicas: 3 })])
  const first = machine.start()
  await up(machine, three('v1'))
  await machine.apply(three('v2'))
  await machine.until('one new', async () => Object.values(await imagesOf(machine)).includes(v2 ?? ''))
  await first.kill()
  machine.start()
  await atRest(machine, 'pd')
  const images = Object.entries(await imagesOf(machine)).filter(([name]) => name.includes('decode'))
  assert.deepEqual(
    images.map(([, each]) => each),
    [v2, v2, v2],
  )
})

test('B-17 a partition from the start: the template of protected groups is kept, however often the present one changes', async (t) => {
  const world = await startWorld(t)
  const frozen = (version: string) => a({ ...rolling({ partition: 10 }) }, image(version))
  await up(world, frozen('v1'))
  await world.apply(frozen('v2'))
  await world.apply(frozen('v3'))
  await world.settled()
  const before = await uidsOf(world)
  await remove(world, 'chat-0-decode-0-0')
  await world.until('the pod anew', async () => replaced(before, await uidsOf(world)).length === 1)
  await world.condition(ModelServing, 'chat', 'Available')
  assert.equal(await versions(world), '11')
})

test('B-25 a percentage that comes to no group after scaling does not hold up the update', async (t) => {
  const world = await startWorld(t)
  const some = (replicas: number, version: string) =>
    a({ replicas, ...rolling({ maxUnavailable: '30%' }) }, image(version))
  await up(world, some(4, 'v1'))
  await world.client.patch(
    ModelServing,
    chat,
    { type: 'merge', patch: { spec: { replicas: 2 } } },
    { subresource: 'scale' },
  )
  await atRest(world, 'chat')
  await up(world, some(2, 'v2'))
  assert.equal(await versions(world), '22')
})

test('B-07 another spelling of the same template replaces nothing', async (t) => {
  const world = await startWorld(t)
  const asking = (cpu: string, more = {}) => a({}, { resources: { requests: { cpu } }, ...more })
  await up(world, asking('1'))
  const before = await uidsOf(world)
  await up(world, asking('1000m', { securityContext: {} }))
  assert.deepEqual(replaced(before, await uidsOf(world)), [])
  assert.equal((await revisionsOf(world)).length, 1)
})

test('former templates beyond the limit are forgotten, those in use never', async (t) => {
  const world = await startWorld(t)
  const limited = (version: string) => a({ revisionHistoryLimit: 1, replicas: 1 }, image(version))
  for (const version of ['v1', 'v2', 'v3', 'v4']) await up(world, limited(version))
  await world.until('two revisions', async () => (await revisionsOf(world)).length === 2)
  assert.deepEqual(
    (await revisionsOf(world)).map(({ revision }) => revision),
    [3, 4],
  )
})

test('pods and snapshots of another implementation are taken over as they are: nothing is hashed again, nothing restarts', async (t) => {
  const machine = await startMachine(t, { simulation })
  const ours = machine.start()
  await up(machine, a({}, image('v1')))
  await ours.kill()
  const [mine] = await revisionsOf(machine)
  const { metadata, spec } = await servingOf(machine, 'chat')
  const label = {
    metadata: { labels: { [servingLabels.revision]: '67b8d4b8c7', [servingLabels.roleTemplateHash]: '5ff' } },
  }
  for (const pod of await machine.list(Pod)) {
    await machine.client.patch(
      Pod,
      { namespace: 'default', name: pod.metadata.name ?? '' },
      { type: 'merge', patch: label },
    )
  }
  await machine.client.create(ControllerRevision, {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: 'chat-67b8d4b8c7',
      namespace: 'default',
      labels: { [servingLabels.name]: 'chat', [servingLabels.revision]: '67b8d4b8c7' },
      ownerReferences: mine?.metadata.ownerReferences,
    },
    data: { data: spec.template.roles },
    revision: 1,
  } as never)
  await machine.client.delete(ControllerRevision, { namespace: 'default', name: mine?.metadata.name ?? '' })
  const before = await uidsOf(machine)
  machine.start()
  await machine.until('the revision to be theirs', async () => {
    return (await servingOf(machine, 'chat')).status?.updateRevision === '67b8d4b8c7'
  })
  await atRest(machine, 'chat')
  assert.deepEqual(await uidsOf(machine), before)
  assert.deepEqual(
    (await revisionsOf(machine)).map((each) => each.metadata.name),
    ['chat-67b8d4b8c7'],
  )
  assert.ok(metadata.uid)
})
