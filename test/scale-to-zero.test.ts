import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { ModelServing } from '#api/model-serving.ts'
import { type Clients, startClients } from './asking.ts'
import {
  atOnce,
  engineServing,
  routeTo,
  scalingBinding,
  scalingPolicy,
  type ScalingWorld,
  startScalingWorld,
} from './scaling.ts'

interface Scene extends ScalingWorld {
  readonly clients: Clients
  rule(): Promise<string | undefined>
}

/** A model that may be scaled to zero, with a router before it unless `routers` says otherwise. */
async function scene(
  t: TestContext,
  options: {
    hold?: Record<string, unknown>
    routers?: (own: string) => readonly string[]
    bounds?: Record<string, unknown>
  } = {},
): Promise<Scene> {
  const world = await startScalingWorld(t)
  const urls: string[] = []
  const { informers } = world.boot({ routers: () => urls })
  const clients = await startClients(t, { ...world, informers })
  urls.push(...(options.routers ?? ((own) => [own]))(clients.operatorsUrl))
  world.load(0)
  for (const object of [engineServing('chat'), ...routeTo('chat', options.hold ?? { timeout: '20s' })])
    await world.apply(object)
  await world.condition(ModelServing, 'chat', 'Available')
  await clients.answered('chat')
  await world.apply(scalingPolicy('chat', { behavior: atOnce }))
  await world.apply(scalingBinding('chat', { minReplicas: 0, ...options.bounds }))
  return {
    ...world,
    clients,
    async rule() {
      const binding = await world.find(AutoscalingPolicyBinding, { namespace: 'default', name: 'chat' })
      return binding?.status?.decisions?.[0]?.rule
    },
  }
}

test('an idle model goes to zero after its grace, a request waits while it wakes, and is answered', async (t) => {
  const world = await scene(t)
  await world.tick()
  assert.deepEqual([await world.rule(), await world.replicas('chat')], ['IdleGrace', 1])
  await world.tick()
  await world.tick()
  assert.equal(await world.replicas('chat'), 0)
  await world.tick()
  assert.equal(await world.rule(), 'AtZero')

  const asked = world.clients.ask('chat')
  await world.until('somebody waits', async () => {
    const load = (await (await fetch(`${world.clients.operatorsUrl}/debug/load`)).json()) as {
      servers: { waiting: number }[]
    }
    return load.servers.some(({ waiting }) => waiting > 0)
  })
  await world.tick(1)
  assert.deepEqual([await world.rule(), await world.replicas('chat')], ['Waking', 1])
  assert.equal((await asked).status, 200)
})

test('while requests are under way the last instance stays', async (t) => {
  const world = await scene(t, { bounds: { scaleToZeroGracePeriod: '0s' } })
  const slow = world.clients.post('/v1/chat/completions', {
    model: 'chat',
    messages: [{ role: 'user', content: 'Go on.' }],
    max_tokens: 300,
    ignore_eos: true,
  })
  await world.until('it is under way', async () => {
    const load = (await (await fetch(`${world.clients.operatorsUrl}/debug/load`)).json()) as {
      servers: { inFlight: number }[]
    }
    return load.servers.some(({ inFlight }) => inFlight > 0)
  })
  await world.tick()
  assert.deepEqual([await world.rule(), await world.replicas('chat')], ['Busy', 1])
  assert.equal((await slow).status, 200)
  await world.tick()
  assert.equal(await world.replicas('chat'), 0)
})

test('a server that holds nothing wakes by the requests that it refused', async (t) => {
  const world = await startScalingWorld(t)
  const urls: string[] = []
  const { informers } = world.boot({ routers: () => urls })
  const clients = await startClients(t, { ...world, informers })
  urls.push(clients.operatorsUrl)
  for (const object of [engineServing('chat', { replicas: 0 }), ...routeTo('chat')]) await world.apply(object)
  await world.apply(scalingPolicy('chat', { behavior: atOnce }))
  await world.apply(scalingBinding('chat', { minReplicas: 0 }))
  await world.until('the route is known', async () => (await clients.ask('chat')).status === 503)
  await world.tick(1)
  assert.equal(await world.replicas('chat'), 1)
  await clients.answered('chat')
})

const blind: Record<string, (own: string) => readonly string[]> = {
  'no router tells of it': () => [],
  'a router cannot be asked': (own) => [own, 'http://127.0.0.1:1'],
}
for (const [name, routers] of Object.entries(blind)) {
  test(`nothing goes to zero that could not wake: ${name}`, async (t) => {
    const world = await scene(t, { routers, bounds: { scaleToZeroGracePeriod: '0s' } })
    for (let i = 0; i < 3; i++) await world.tick()
    assert.deepEqual([await world.rule(), await world.replicas('chat')], ['NoWakeSignal', 1])
  })
}
