/** The life of one ModelBooster, change by change, and what clients notice of it: nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { Kind } from '#machinery/kind.ts'
import { startClients } from './asking.ts'
import { backend, modelBooster } from './builders.ts'
import { writesIn } from './tools.ts'
import { startWorld, type World } from './world.ts'

const manager = 'model-booster-controller'
const match = { headers: { tenant: { exact: 'gold' } }, body: { model: 'ignored' } }
const chat = (...backends: Record<string, unknown>[]) => modelBooster('chat', { modelMatch: match, backends })
const a = backend('a', { routeWeight: 30 })
const b = backend('b', { routeWeight: 70, minReplicas: 2, maxReplicas: 2 })
const kinds: readonly Kind[] = [ModelBooster, ModelServing, ModelServer, ModelRoute]
const place = (name: string) => ({ namespace: 'default', name })

/** Every state that the booster was seen in: generation that was written, and its conditions. */
function timeline(world: World): string[] {
  const seen: string[] = []
  const signs = { True: '+', False: '-', Unknown: '?' }
  world.informers.of(ModelBooster).subscribe({
    upsert({ status }) {
      const conditions = (status?.conditions ?? []).map(({ type, status }) => `${type}${signs[status]}`)
      const state = [`g${status?.observedGeneration ?? 0}`, ...conditions].join(' ')
      if (seen.at(-1) !== state) seen.push(state)
    },
    remove: () => seen.push('gone'),
  })
  return seen
}

/** Writes of the controller since `from`, as `patch modelroutes/chat`, statuses apart. */
function written(requests: readonly AnsweredRequest[], from = 0): string[] {
  return writesIn(requests.slice(from))
    .filter(({ userAgent, subresource }) => userAgent === manager && subresource !== 'status')
    .map(({ verb, resource, name }) => `${verb} ${resource}/${name}`)
}

test('C19: the life of one object', async (t) => {
  const world = await startWorld(t)
  const states = timeline(world)
  await world.apply(chat(a, b))
  await world.condition(ModelBooster, 'chat', 'Active')
  await world.settled()
  const first = written(world.requests)
  assert.deepEqual(first.toSorted().slice(0, 5), [
    'patch modelroutes/chat',
    'patch modelservers/chat-a',
    'patch modelservers/chat-b',
    'patch modelservings/chat-a',
    'patch modelservings/chat-b',
  ])
  assert.equal(first.at(-1), 'patch modelroutes/chat', 'the route comes when what it points to is there')
  assert.deepEqual(states, ['g0', 'g1 Initialized+ Active-', 'g1 Initialized+ Active+'])

  // What a serving tells that changes nothing is worth no write.
  let from = world.requests.length
  await world.client.patch(ModelServing, place('chat-a'), {
    type: 'merge',
    patch: { metadata: { annotations: { x: 'y' } } },
  })
  await world.settled()
  assert.deepEqual(written(world.requests, from), [])

  from = world.requests.length
  await world.apply(chat({ ...a, routeWeight: 50 }, b))
  await world.condition(ModelBooster, 'chat', 'Active')
  await world.settled()
  assert.deepEqual(written(world.requests, from), ['patch modelroutes/chat'])
  assert.equal(states.at(-1), 'g2 Initialized+ Active+')
  assert.ok(!states.slice(2).some((state) => state.includes('Active-')), 'a weight is no reason to be less than active')

  const { spec, metadata } = await world.client.get(ModelServer, place('chat-b'))
  await world.client.delete(ModelServer, place('chat-b'))
  const again = await world.until('the server to come back', async () => {
    const server = await world.find(ModelServer, place('chat-b'))
    return server !== undefined && server.metadata.uid !== metadata.uid && server
  })
  assert.deepEqual(again.spec, spec)

  await world.client.patch(ModelRoute, place('chat'), { type: 'merge', patch: { spec: { rules: [] } } })
  await world.until('the route to be put right', async () => {
    const { spec } = await world.client.get(ModelRoute, place('chat'))
    return spec.rules.length === 1
  })
  const label = 'workload.serving.volcano.sh/managed-by'
  await world.client.patch(ModelServer, place('chat-a'), {
    type: 'merge',
    patch: { metadata: { labels: { [label]: null } } },
  })
  await world.until('the label', async () => {
    const { metadata } = await world.client.get(ModelServer, place('chat-a'))
    return metadata.labels?.[label] !== undefined
  })
  await world.settled()

  from = world.requests.length
  const c = { ...b, name: 'c' }
  await world.apply(chat(a, c))
  await world.condition(ModelBooster, 'chat', 'Active')
  await world.until('b to go', async () => (await world.find(ModelServing, place('chat-b'))) === undefined)
  await world.settled()
  const handover = written(world.requests, from)
  assert.deepEqual(handover.slice(0, 2).toSorted(), ['patch modelservers/chat-c', 'patch modelservings/chat-c'])
  assert.deepEqual(handover.slice(2), [
    'patch modelroutes/chat',
    'delete modelservers/chat-b',
    'delete modelservings/chat-b',
  ])
  assert.equal(states.at(-1), 'g3 Initialized+ Active+')

  await world.apply(chat({ ...a, workers: [{ type: 'server', image: '${REG}/vllm' }] }, c))
  await world.until('the image as it is written', async () => {
    const serving = await world.client.get(ModelServing, place('chat-a'))
    return JSON.stringify(serving.spec).includes('"image":"${REG}/vllm"')
  })

  await world.settled()
  from = world.requests.length
  await world.apply(chat({ ...a, type: 'MindIE' }, c))
  await world.condition(ModelBooster, 'chat', 'Failed')
  await world.settled()
  assert.deepEqual(written(world.requests, from), [], 'the children stay as they are')
  assert.match(states.at(-1) ?? '', /Active- Failed\+/)

  await world.apply(chat(a, c))
  await world.condition(ModelBooster, 'chat', 'Failed', 'False')
  await world.condition(ModelBooster, 'chat', 'Active')

  await world.settled()
  from = world.requests.length
  await world.client.delete(ModelBooster, place('chat'), { propagationPolicy: 'Foreground' })
  await world.until('all to go', async () => {
    const lists = await Promise.all(kinds.map((kind) => world.list(kind)))
    return lists.flat().length === 0
  })
  await world.settled()
  assert.deepEqual(written(world.requests, from), [], 'nothing is made anew while it goes')
  assert.equal(states.at(-1), 'gone')
})

/** Asks one after another until told to stop; every answer must be one. */
function asksOn(clients: Awaited<ReturnType<typeof startClients>>, model: string) {
  let going = true
  const refused: string[] = []
  let count = 0
  const done = (async () => {
    while (going) {
      const { status, text } = await clients.ask(model)
      count++
      if (status !== 200) refused.push(`${status} ${text}`)
    }
  })()
  return {
    async stop() {
      going = false
      await done
      assert.deepEqual(refused, [])
      assert.ok(count > 0)
    },
  }
}

test('clients are answered while a backend is renamed, and while one is removed', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  const slow = { env: [{ name: 'FAIRLEAD_SIMULATE_START_SECONDS', value: '1' }] }
  await world.apply(modelBooster('chat', { backends: [backend('b')] }))
  await clients.answered('chat')
  await world.condition(ModelBooster, 'chat', 'Active')
  const asks = asksOn(clients, 'chat')
  await world.apply(modelBooster('chat', { backends: [backend('c', slow)] }))
  await world.until('b to go', async () => (await world.find(ModelServing, place('chat-b'))) === undefined)
  await world.apply(modelBooster('chat', { backends: [backend('c', slow), backend('d')] }))
  await world.condition(ModelBooster, 'chat', 'Active')
  await world.apply(modelBooster('chat', { backends: [backend('c', slow)] }))
  await world.until('d to go', async () => (await world.find(ModelServing, place('chat-d'))) === undefined)
  await asks.stop()
})

test('another request name is another route, and the former name is nobody’s', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  await world.apply(modelBooster('chat', { name: 'old' }))
  await clients.answered('old')
  const { metadata } = await world.client.get(ModelRoute, place('chat'))
  await world.apply(modelBooster('chat', { name: 'new' }))
  await clients.answered('new')
  await world.condition(ModelBooster, 'chat', 'Active')
  assert.equal((await clients.ask('old')).status, 404)
  assert.notEqual((await world.client.get(ModelRoute, place('chat'))).metadata.uid, metadata.uid)
})

test('B-45: replicas that a scaler has set outlive another image', async (t) => {
  const world = await startWorld(t)
  const policy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }
  const scaled = (image: string) =>
    modelBooster('chat', {
      backends: [backend('a', { maxReplicas: 8, autoscalingPolicy: policy, workers: [{ type: 'server', image }] })],
    })
  await world.apply(scaled('vllm/vllm-openai:latest'))
  await world.condition(ModelBooster, 'chat', 'Active')
  await world.client.patch(
    ModelServing,
    place('chat-a'),
    { type: 'merge', patch: { spec: { replicas: 3 } } },
    { subresource: 'scale' },
  )
  await world.apply(scaled('vllm/vllm-openai:v2'))
  const serving = await world.until('the new image', async () => {
    const found = await world.client.get(ModelServing, place('chat-a'))
    return JSON.stringify(found.spec).includes('vllm-openai:v2') && found
  })
  assert.equal(serving.spec.replicas, 3)
})

test('a limit of the model is that of its route', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  await world.apply(modelBooster('chat', { rateLimit: { outputTokensPerUnit: 1, unit: 'month' } }))
  await clients.answered('chat')
  const refused = await clients.post('/v1/completions', { model: 'chat', prompt: 'x' })
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  await world.apply(modelBooster('chat'))
  await clients.answered('chat')
})
