/** Scenarios of loss, scaling and refusal, and what earlier controllers for this API got wrong in them, each by its name. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Event, Pod, Service } from '#api/core/kinds.ts'
import { servingLabels } from '#api/labels.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Fetch } from '#machinery/http.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { podTemplate, role } from './builders.ts'
import { startMachine } from './machine.ts'
import { a, atRest, b, namesOf, replaced, servingOf, uidsOf, up } from './serving-tools.ts'
import type { Tools } from './tools.ts'
import { startWorld } from './world.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

const setCost = (tools: Tools, name: string, cost: string) =>
  tools.client.patch(
    Pod,
    { namespace: 'default', name },
    { type: 'merge', patch: { metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } } } },
  )

test('S7 the cheapest groups go first, whatever their ordinal; what is scaled up fills the gaps', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 3 }))
  await setCost(world, 'chat-2-decode-0-0', '100')
  await world.settled()
  await up(world, a({ replicas: 2 }))
  assert.deepEqual(await namesOf(world), ['chat-0-decode-0-0', 'chat-2-decode-0-0'])
  await up(world, a({ replicas: 1 }))
  assert.deepEqual(await namesOf(world), ['chat-2-decode-0-0'])
  await up(world, a({ replicas: 2 }))
  assert.deepEqual(await namesOf(world), ['chat-0-decode-0-0', 'chat-2-decode-0-0'])
})

const scaledB = (decodes: number) =>
  b(
    { replicas: 2 },
    {
      roles: [
        role('prefill', { workerReplicas: 1, workerTemplate: podTemplate() }),
        role('decode', { replicas: decodes }),
      ],
    },
  )

test('S8 a role is scaled in all groups at once, and no other pod is touched', async (t) => {
  const world = await startWorld(t)
  await up(world, scaledB(2))
  const before = await uidsOf(world)
  const { status } = await servingOf(world, 'pd')
  await up(world, scaledB(3))
  assert.deepEqual(replaced(before, await uidsOf(world)), ['pd-0-decode-2-0', 'pd-1-decode-2-0'])
  assert.equal((await servingOf(world, 'pd')).status?.updateRevision, status?.updateRevision)
  await setCost(world, 'pd-0-decode-0-0', '-1')
  await world.settled()
  await up(world, scaledB(1))
  const names = (await namesOf(world)).filter((name) => name.includes('decode'))
  assert.deepEqual(names, ['pd-0-decode-1-0', 'pd-1-decode-0-0'])
})

test('S25 the scale subresource scales groups, and its selector picks one pod of each', async (t) => {
  const world = await startWorld(t)
  await up(world, b())
  const patch = { spec: { replicas: 3 } }
  await world.client.patch(
    ModelServing,
    { namespace: 'default', name: 'pd' },
    { type: 'merge', patch },
    { subresource: 'scale' },
  )
  await atRest(world, 'pd')
  const selector = (await servingOf(world, 'pd')).status?.labelSelector ?? ''
  const picked = (await world.list(Pod, selector))
    .map(({ metadata }) => metadata.name ?? '')
    .sort((one, other) => one.localeCompare(other))
  assert.deepEqual(
    picked,
    [0, 1, 2].map((group) => `pd-${group}-prefill-0-0`),
  )
})

/** Refuses to create the pod, as a quota would, as long as asked to. */
function refusing(pod: string) {
  const refusal = { holds: true }
  const between =
    (fetch: Fetch): Fetch =>
    async (request) => {
      const isPod = request.method === 'POST' && new URL(request.url).pathname.endsWith('/pods')
      if (!refusal.holds || !isPod || !(await request.clone().text()).includes(`"name":"${pod}"`)) return fetch(request)
      const message = `pods "${pod}" is forbidden: exceeded quota: gpus, requested: pods=1, used: pods=3, limited: pods=3`
      return Response.json(
        { kind: 'Status', status: 'Failure', reason: 'Forbidden', message, code: 403 },
        { status: 403 },
      )
    }
  return { refusal, between }
}

test('S30 a refused pod is told with the words of the refusal; the others stay, and nobody else is held up', async (t) => {
  const { between, refusal } = refusing('pd-0-decode-1-0')
  const world = await startWorld(t, { between })
  await world.apply(b())
  const progress = await world.condition(ModelServing, 'pd', 'Progressing', 'False')
  assert.match(progress.message, /cannot create Pod pd-0-decode-1-0: .*exceeded quota: gpus/)
  assert.deepEqual(await namesOf(world), ['pd-0-decode-0-0', 'pd-0-prefill-0-0', 'pd-0-prefill-0-1'])
  const warned = await world.until('the warning', async () =>
    (await world.list(Event)).find((event) => event.type === 'Warning' && /exceeded quota/.test(event.message ?? '')),
  )
  assert.equal(warned.involvedObject.name, 'pd')
  await up(world, a())
  const before = await uidsOf(world)
  refusal.holds = false
  await world.apply(b({ recoveryPolicy: 'None' }))
  await world.condition(ModelServing, 'pd', 'Available')
  const added = Object.keys(await uidsOf(world)).filter((name) => before[name] === undefined)
  assert.deepEqual(added, ['pd-0-decode-1-0'])
})

test('B-04 a pod that only carries our labels is neither counted nor touched, and harms nothing', async (t) => {
  const world = await startWorld(t)
  await up(world, a())
  const [pod] = await world.list(Pod)
  const { labels } = pod?.metadata ?? {}
  await world.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'copy', namespace: 'default', labels: labels ?? {} },
    spec: podTemplate()['spec'] as Record<string, unknown>,
  })
  await world.settled()
  const { status } = await servingOf(world, 'chat')
  assert.deepEqual([status?.replicas, status?.availableReplicas], [2, 2])
  await up(world, a({ replicas: 0 }))
  assert.deepEqual(await namesOf(world), ['copy'])
})

test('B-11 killed between pods and their service, a scale-down leaves no service behind', async (t) => {
  const machine = await startMachine(t, { simulation })
  const first = machine.start()
  await up(machine, b({ replicas: 2 }))
  await first.kill()
  await machine.apply(b({ replicas: 1 }))
  for (const name of await namesOf(machine)) {
    if (name.startsWith('pd-1-')) await machine.client.delete(Pod, { namespace: 'default', name })
  }
  await machine.until('the pods to go', async () => (await namesOf(machine)).length === 4)
  const second = machine.start()
  await atRest(machine, 'pd')
  const services = await machine.list(Service, `${servingLabels.name}=pd`)
  assert.deepEqual(
    services.map(({ metadata }) => metadata.name),
    ['pd-0-prefill-0-0'],
  )
  await second.kill()
})

test('B-06 role by role, twice changed: what is protected comes back as the template that it had', async (t) => {
  const world = await startWorld(t)
  const three = (version: string, partition: number) =>
    b(
      { rolloutStrategy: { type: 'RoleRollingUpdate' } },
      {
        roles: [
          role('decode', {
            replicas: 3,
            partition,
            entryTemplate: podTemplate({ image: `vllm/vllm-openai:${version}` }),
          }),
        ],
      },
    )
  await up(world, three('v1', 0))
  await up(world, three('v2', 0))
  await world.apply(three('v3', 1))
  const versions = async () =>
    (await world.list(Pod))
      .map(({ spec }) => spec?.containers[0]?.image?.at(-1) ?? '')
      .toSorted()
      .join('')
  await world.until('all but one', async () => (await versions()) === '233')
  await world.settled()
  const before = await uidsOf(world)
  await world.client.delete(Pod, { namespace: 'default', name: 'pd-0-decode-0-0' })
  await world.until('the pod anew', async () => replaced(before, await uidsOf(world)).length === 1)
  await world.condition(ModelServing, 'pd', 'Available')
  assert.equal(await versions(), '233')
})

test('a pod that is stuck on its way out holds its name; nothing is made twice, and it goes on once it is gone', async (t) => {
  const world = await startWorld(t)
  await up(world, b())
  const place = { namespace: 'default', name: 'pd-0-decode-1-0' }
  await world.client.patch(Pod, place, { type: 'merge', patch: { metadata: { finalizers: ['test/stuck'] } } })
  const before = await uidsOf(world)
  await world.client.delete(Pod, place)
  await world.condition(ModelServing, 'pd', 'Available', 'False')
  await world.settled()
  const { 'pd-0-decode-1-0': _, ...others } = before
  assert.deepEqual(await uidsOf(world), others)
  await world.client.patch(Pod, place, { type: 'merge', patch: { metadata: { finalizers: null } } })
  await atRest(world, 'pd')
  assert.deepEqual(replaced(before, await uidsOf(world)), ['pd-0-decode-1-0'])
})

test('a replica that is made again says which making it is', async (t) => {
  const world = await startWorld(t)
  await up(world, b())
  const before = await uidsOf(world)
  await world.client.delete(Pod, { namespace: 'default', name: 'pd-0-prefill-0-1' })
  await world.until('the role anew', async () => replaced(before, await uidsOf(world)).length === 2)
  await atRest(world, 'pd')
  const pods = (await world.list(Pod)).filter(({ metadata }) => metadata.name?.includes('prefill'))
  assert.deepEqual(
    pods.map(({ metadata }) => metadata.annotations?.['fairlead.dev/incarnation']),
    ['2', '2'],
  )
  const { status } = await servingOf(world, 'pd')
  assert.equal(status?.groups?.[0]?.roles.find(({ name }) => name === 'prefill-0')?.incarnation, 2)
})

test('B-45 two hundred pods are made side by side, and nothing is read for them that the caches have', async (t) => {
  const inFlight = { now: 0, most: 0 }
  const between =
    (fetch: Fetch): Fetch =>
    async (request) => {
      const isPod = request.method === 'POST' && new URL(request.url).pathname.endsWith('/pods')
      if (!isPod) return fetch(request)
      inFlight.most = Math.max(inFlight.most, ++inFlight.now)
      try {
        return await fetch(request)
      } finally {
        inFlight.now--
      }
    }
  const world = await startWorld(t, { between })
  const from = world.requests.length
  await world.apply(b({ replicas: 50 }))
  await world.until('all pods', async () => (await namesOf(world)).length === 200)
  assert.ok(inFlight.most >= 8, `${inFlight.most} at once`)
  const reads = world.requests
    .slice(from)
    .filter(({ userAgent, verb }) => userAgent === 'fairlead-serving' && verb === 'get')
  assert.deepEqual(reads, [])
})
