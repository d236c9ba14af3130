/** What a user of a ModelBooster is promised, seen from outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalJson } from '#base/json.ts'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { kthena } from '#api/dialects.ts'
import { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource, Place } from '#machinery/meta.ts'
import { backend, modelBooster, modelServing, role } from './builders.ts'
import { startMachine } from './machine.ts'
import { boosterPromises } from './suites/booster-promises.ts'
import { writesIn } from './tools.ts'
import { startWorld, type World } from './world.ts'

const childKinds: readonly Kind[] = [ModelServing, ModelServer, ModelRoute, AutoscalingPolicy, AutoscalingPolicyBinding]

async function childNames(world: World): Promise<string[]> {
  const lists = await Promise.all(childKinds.map((kind) => world.list(kind)))
  return lists.flatMap((items, at) => items.map((item) => `${childKinds[at]?.kind}/${item.metadata.name}`)).sort()
}

const two = (overrides: Record<string, unknown> = {}) =>
  modelBooster('test-model', {
    backends: [backend('backend1', { routeWeight: 40 }), backend('backend2', { routeWeight: 60 })],
    ...overrides,
  })

boosterPromises(kthena, startWorld)

test('an update reaches the children, and Active waits for pods of the new template', async (t) => {
  const world = await startWorld(t)
  await world.apply(two())
  await world.condition(ModelBooster, 'test-model', 'Active')
  const before = new Set((await world.list(Pod)).map((pod) => pod.metadata.uid))
  const image = 'vllm/vllm-openai:v2'
  await world.apply(
    two({ backends: ['backend1', 'backend2'].map((name) => backend(name, { workers: [{ type: 'server', image }] })) }),
  )
  await world.condition(ModelBooster, 'test-model', 'Active')
  const pods = (await world.list(Pod)).filter((pod) => pod.metadata.deletionTimestamp === undefined)
  assert.equal(pods.length, 2)
  for (const pod of pods) {
    assert.ok(!before.has(pod.metadata.uid), `${pod.metadata.name} is an old pod`)
    assert.ok(pod.spec?.containers.some((container) => container.image === image))
  }
})

test('a changed weight changes the route alone', async (t) => {
  const world = await startWorld(t)
  await world.apply(two())
  await world.condition(ModelBooster, 'test-model', 'Active')
  await world.settled()
  const from = world.requests.length
  await world.apply(
    two({ backends: [backend('backend1', { routeWeight: 50 }), backend('backend2', { routeWeight: 50 })] }),
  )
  await world.condition(ModelBooster, 'test-model', 'Active')
  await world.settled()
  const touched = new Set(
    writesIn(world.requests.slice(from)).map(({ resource, subresource }) => `${resource}/${subresource}`),
  )
  assert.deepEqual([...touched].sort(), [
    'modelboosters/',
    'modelboosters/status',
    'modelroutes/',
    'modelroutes/status',
  ])
})

for (const kind of [ModelServing, ModelServer, ModelRoute] as readonly Kind[]) {
  test(`a ${kind.kind} deleted by hand comes back`, async (t) => {
    const world = await startWorld(t)
    await world.apply(modelBooster('chat'))
    await world.condition(ModelBooster, 'chat', 'Active')
    const name = kind === ModelRoute ? 'chat' : 'chat-vllm'
    const { metadata } = await world.client.get(kind, { namespace: 'default', name })
    await world.client.delete(kind, { namespace: 'default', name })
    await world.until('it to come back', async () => {
      const again = await world.find(kind, { namespace: 'default', name })
      return again !== undefined && again.metadata.uid !== metadata.uid
    })
    await world.condition(ModelBooster, 'chat', 'Active')
  })
}

test('B-27: hand edits of children are put right: spec, and labels stripped', async (t) => {
  const world = await startWorld(t)
  await world.apply(modelBooster('chat'))
  await world.condition(ModelBooster, 'chat', 'Active')
  const place = { namespace: 'default', name: 'chat-vllm' }
  const server = await world.client.get(ModelServer, place)
  for (const patch of [
    { spec: { workloadPort: { port: 9 } } },
    { metadata: { labels: { 'workload.serving.volcano.sh/managed-by': null } } },
  ]) {
    await world.client.patch(ModelServer, place, { type: 'merge', patch })
    await world.until(`${JSON.stringify(patch)} to be put right`, async () => {
      const { spec, metadata } = await world.client.get(ModelServer, place)
      return equalJson([spec, metadata.labels], [server.spec, server.metadata.labels])
    })
  }
})

test('B-36: what cannot be converted fails with the field and the mend, touches nothing, and clears when mended', async (t) => {
  const world = await startWorld(t)
  await world.apply(two())
  await world.condition(ModelBooster, 'test-model', 'Active')
  const children = await childNames(world)
  await world.apply(two({ backends: [backend('backend1', { type: 'MindIE' }), backend('backend2')] }))
  const failed = await world.condition(ModelBooster, 'test-model', 'Failed')
  assert.match(failed.message, /spec\.backends\[0\]\.type.*not supported.*vLLM/)
  assert.deepEqual(await childNames(world), children)
  await world.condition(ModelBooster, 'test-model', 'Active', 'False')
  await world.apply(two())
  await world.condition(ModelBooster, 'test-model', 'Failed', 'False')
  await world.condition(ModelBooster, 'test-model', 'Active')
})

test('B-27: a foreign object of a child’s name is left alone and named', async (t) => {
  const world = await startWorld(t)
  const foreign = await world.apply({
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat', namespace: 'default' },
    spec: { modelName: 'chat', rules: [{ targetModels: [{ modelServerName: 'other' }] }] },
  })
  await world.apply(modelBooster('chat'))
  const failed = await world.condition(ModelBooster, 'chat', 'Failed')
  assert.match(failed.message, /ModelRoute.*chat/)
  const after = (await world.client.get(ModelRoute, { namespace: 'default', name: 'chat' })) as unknown as AnyResource
  assert.deepEqual(after.spec, foreign.spec)
  assert.equal(after.metadata.uid, foreign.metadata.uid)
})

test('gang scheduling is off unless asked for', async (t) => {
  const world = await startWorld(t)
  await world.apply(modelBooster('chat'))
  await world.apply(modelBooster('gang', { backends: [backend('vllm', { gangPolicy: { enabled: true } })] }))
  await world.condition(ModelBooster, 'gang', 'Active')
  const servings = (await world.list(ModelServing)).map(({ metadata, spec }) => [
    metadata.name,
    spec.template.gangPolicy !== undefined,
  ])
  assert.deepEqual(servings, [
    ['chat-vllm', false],
    ['gang-vllm', true],
  ])
})

test('B-23: creating a booster costs its children and at most two status writes; a pass repeated writes nothing', async (t) => {
  const world = await startWorld(t)
  await world.apply(two())
  await world.condition(ModelBooster, 'test-model', 'Active')
  await world.settled()
  const byBooster = writesIn(world.requests).filter(({ userAgent }) => userAgent === 'model-booster-controller')
  const statusWrites = byBooster.filter(({ subresource }) => subresource === 'status')
  assert.deepEqual(
    byBooster.filter(({ status }) => status >= 400),
    [],
  )
  assert.equal(byBooster.length - statusWrites.length, 5)
  assert.ok(statusWrites.length <= 2, `${statusWrites.length} status writes`)

  const from = world.requests.length
  await world.client.patch(
    ModelBooster,
    { namespace: 'default', name: 'test-model' },
    { type: 'merge', patch: { metadata: { annotations: { touched: 'yes' } } } },
  )
  await world.settled()
  const later = writesIn(world.requests.slice(from)).filter(({ userAgent }) => userAgent !== 'a-user')
  assert.deepEqual(later, [])
})

test('B-25: a status of a serving that moves and changes nothing costs the booster no write', async (t) => {
  const world = await startWorld(t, { controllers: ['model-booster'] })
  await world.apply(modelBooster('chat'))
  await world.condition(ModelBooster, 'chat', 'Initialized')
  await world.settled()
  const from = world.requests.length
  const status = { observedGeneration: 1, replicas: 0, availableReplicas: 0, currentRevision: 'x' }
  await world.client.patch(
    ModelServing,
    { namespace: 'default', name: 'chat-vllm' },
    { type: 'merge', patch: { status } },
    { subresource: 'status' },
  )
  await world.settled()
  const own = writesIn(world.requests.slice(from)).filter(({ userAgent }) => userAgent === 'model-booster-controller')
  assert.deepEqual(own, [])
})

test('B-26: another target value, and another bound, reach the policy and its binding', async (t) => {
  const world = await startWorld(t, { controllers: ['model-booster'] })
  const scaled = (targetValue: number, maxReplicas: number) => {
    const autoscalingPolicy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue }] }
    return modelBooster('chat', { backends: [backend('a', { maxReplicas, autoscalingPolicy })] })
  }
  await world.apply(scaled(10, 2))
  await world.condition(ModelBooster, 'chat', 'Initialized')
  await world.apply(scaled(20, 3))
  await world.until('both to be changed', async () => {
    const place = { namespace: 'default', name: 'chat-a' }
    const { spec: policy } = await world.client.get(AutoscalingPolicy, place)
    const { spec: binding } = await world.client.get(AutoscalingPolicyBinding, place)
    return policy.metrics?.[0]?.targetValue === 20 && binding.scalingConfiguration?.maxReplicas === 3
  })
})

test('B-43: however late the caches are, a write lands at the first try', async (t) => {
  const manager = 'model-booster-controller'
  const kinds = [ModelBooster, ...childKinds] as readonly Kind[]
  /** Somebody else always writes just before we do, so what we know of an object is never the latest. */
  const forestalled =
    (fetch: Fetch): Fetch =>
    async (request) => {
      const [, plural, name = ''] = /\/namespaces\/default\/(\w+)\/([\w-]+)/.exec(request.url) ?? []
      const kind = kinds.find((each) => each.plural === plural)
      const isOurs = request.method === 'PATCH' && request.headers.get('user-agent') === manager
      if (isOurs && kind !== undefined) await touch(kind, { namespace: 'default', name })
      return fetch(request)
    }
  const world = await startWorld(t, { between: forestalled })
  let touched = 0
  async function touch(kind: Kind, place: Place): Promise<void> {
    const patch = { metadata: { annotations: { touched: String(++touched) } } }
    if ((await world.find(kind, place)) !== undefined) await world.client.patch(kind, place, { type: 'merge', patch })
  }
  for (const image of ['vllm/vllm-openai:v1', 'vllm/vllm-openai:v2']) {
    await world.apply(modelBooster('chat', { backends: [backend('a', { workers: [{ type: 'server', image }] })] }))
    await world.condition(ModelBooster, 'chat', 'Active')
  }
  const failed = writesIn(world.requests).filter(({ userAgent, status }) => userAgent === manager && status >= 400)
  assert.ok(touched > 0)
  assert.deepEqual(failed, [])
})

test('children of earlier controllers, which own without controlling, are taken over', async (t) => {
  const world = await startMachine(t)
  const { apiVersion, kind, metadata } = await world.apply(modelBooster('chat'))
  const owner = { apiVersion, kind, name: 'chat', uid: metadata.uid ?? '' }
  const uid = 'workload.serving.volcano.sh/model-uid'
  const former = modelServing('chat-vllm', { replicas: 1, template: { roles: [role('leader')] } })
  const labels = { [uid]: owner.uid }
  await world.client.create(ModelServing, {
    ...former,
    metadata: { ...former.metadata, labels, ownerReferences: [owner] },
  } as unknown as ModelServing)
  await using controllers = world.start()
  assert.ok(controllers)
  await world.condition(ModelBooster, 'chat', 'Active')
  const { metadata: taken } = await world.client.get(ModelServing, { namespace: 'default', name: 'chat-vllm' })
  assert.deepEqual(taken.ownerReferences, [{ ...owner, controller: true, blockOwnerDeletion: true }])
})
