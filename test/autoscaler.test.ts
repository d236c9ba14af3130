import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { Event, Pod } from '#api/core/kinds.ts'
import { ModelServing } from '#api/model-serving.ts'
import { conditionsOf } from '#cli/object-state.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import {
  atOnce,
  engineServing,
  object,
  scalingBinding,
  scalingPolicy,
  type ScalingWorld,
  startScalingWorld,
} from './scaling.ts'
import { writesIn } from './tools.ts'

const here = (name: string) => ({ namespace: 'default', name })

async function binding(world: ScalingWorld, name = 'chat'): Promise<AutoscalingPolicyBinding> {
  const found = await world.find(AutoscalingPolicyBinding, here(name))
  assert.ok(found)
  return found
}

async function condition(world: ScalingWorld, type: string, name = 'chat'): Promise<Condition | undefined> {
  const found = (await binding(world, name)) as unknown as AnyResource
  return conditionsOf(found).find((each) => each.type === type)
}

/** A serving, its policy and their binding, looked at for the first time under a load of `load`. */
async function scaled(
  t: TestContext,
  options: { replicas?: number; load?: number; behavior?: object; bounds?: Record<string, unknown> } = {},
): Promise<ScalingWorld> {
  const world = await startScalingWorld(t)
  world.boot()
  world.load(options.load ?? 0)
  await world.apply(engineServing('chat', { replicas: options.replicas ?? 1 }))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.apply(scalingPolicy('chat', { behavior: options.behavior ?? atOnce }))
  await world.apply(scalingBinding('chat', options.bounds))
  await world.tick()
  return world
}

test('load adds instances, and takes them away again', async (t) => {
  const world = await scaled(t, { load: 30 })
  assert.equal(await world.replicas('chat'), 3)
  await world.condition(ModelServing, 'chat', 'Available')
  await world.tick()
  assert.equal(await world.replicas('chat'), 3)
  world.load(10)
  await world.tick()
  assert.equal(await world.replicas('chat'), 1)
  const { status } = await binding(world)
  assert.deepEqual(status?.decisions?.map(({ rule, current, desired }) => [rule, current, desired]).slice(0, 3), [
    ['Load', 3, 1],
    ['WithinTolerance', 3, 3],
    ['Load', 1, 3],
  ])
})

test('A-15: the status says what was measured, at each stage, and why', async (t) => {
  const world = await scaled(t, { load: 200, behavior: { scaleUp: { stablePolicy: { instances: 2, percent: 0 } } } })
  const { status, metadata } = await binding(world)
  const [decision] = status?.decisions ?? []
  assert.deepEqual(
    { ...decision, time: undefined },
    {
      time: undefined,
      pool: 'chat',
      current: 1,
      recommended: 10,
      stabilized: 10,
      limited: 3,
      desired: 3,
      mode: 'Stable',
      rule: 'ScaleUpLimited',
      message: '10 are asked for, and the pace of scaling up allows 3',
      metrics: [{ name: 'load', value: '200', target: '10', proposal: 20 }],
    },
  )
  assert.equal(status?.observedGeneration, metadata.generation)
  assert.deepEqual(
    status?.targets?.map(({ name, currentReplicas, desiredReplicas, mode }) => [
      name,
      currentReplicas,
      desiredReplicas,
      mode,
    ]),
    [['chat', 1, 3, 'Stable']],
  )
  for (const type of ['Ready', 'TargetFound', 'ScalingActive'])
    assert.equal((await condition(world, type))?.status, 'True', type)
})

test('an event tells of each number that changed, and of nothing else', async (t) => {
  const world = await scaled(t, { load: 30 })
  await world.condition(ModelServing, 'chat', 'Available')
  for (let i = 0; i < 4; i++) await world.tick()
  const events = (await world.list(Event)).filter(({ reason }) => reason?.startsWith('Scaled') === true)
  assert.deepEqual(
    events.map(({ involvedObject, message }) => [involvedObject.kind, message]),
    [['AutoscalingPolicyBinding', 'chat from 1 to 3: load is 30 with a target of 10, which asks for 3 instances']],
  )
})

test('while nothing changes nothing is written, however often it is looked at', async (t) => {
  const world = await scaled(t, { load: 30 })
  await world.condition(ModelServing, 'chat', 'Available')
  await world.tick()
  await world.tick()
  const writes = () => writesIn(world.requests).filter(({ userAgent }) => !userAgent.startsWith('kubelet-'))
  const before = writes().length
  const asked = world.asked.length
  for (let i = 0; i < 30; i++) await world.tick()
  assert.ok(world.asked.length >= asked + 90, 'every pod is asked each time')
  assert.deepEqual(writes().slice(before), [])
})

test('a change of the world does not make it look at the metrics early', async (t) => {
  const world = await scaled(t, { load: 30 })
  await world.condition(ModelServing, 'chat', 'Available')
  await world.tick()
  const asked = world.asked.length
  await world.apply(scalingPolicy('other'))
  await world.client.patch(ModelServing, here('chat'), { type: 'merge', patch: { metadata: { labels: { a: 'b' } } } })
  await world.settled()
  assert.equal(world.asked.length, asked)
})

test('a changed policy holds at once, and forgets no history', async (t) => {
  const window = { scaleDown: { period: '0s', stabilizationWindow: '5m' }, scaleUp: { stablePolicy: { period: '0s' } } }
  const world = await scaled(t, { replicas: 5, load: 50, behavior: window })
  world.load(10)
  await world.tick()
  await world.apply(scalingPolicy('chat', { behavior: window, metrics: [{ metricName: 'load', targetValue: 5 }] }))
  await world.settled()
  const { status } = await binding(world)
  assert.equal(status?.decisions?.[0]?.metrics?.[0]?.target, '5')
  // Scaling down still waits for what was recommended before the change.
  assert.deepEqual([status?.decisions?.[0]?.recommended, await world.replicas('chat')], [2, 5])
})

const window = (minutes: number) => ({
  scaleUp: { stablePolicy: { period: '0s' } },
  scaleDown: { period: '0s', stabilizationWindow: `${minutes}m` },
})

test('A-07: the window goes on where it was when the controller starts anew', async (t) => {
  const world = await startScalingWorld(t)
  const first = world.boot()
  world.load(50)
  await world.apply(engineServing('chat', { replicas: 5 }))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.apply(scalingPolicy('chat', { behavior: window(2) }))
  await world.apply(scalingBinding('chat'))
  await world.tick()
  world.load(10)
  for (let i = 0; i < 5; i++) await world.tick()
  await first.kill()
  world.boot()
  await world.tick(0)
  for (let i = 0; i < 2; i++) await world.tick()
  assert.equal(await world.replicas('chat'), 5, 'not before two minutes after the load fell')
  for (let i = 0; i < 3; i++) await world.tick()
  assert.equal(await world.replicas('chat'), 1, 'and not a whole window after the start')
})

test('after an absence nothing is taken away before a whole window was seen', async (t) => {
  const world = await startScalingWorld(t)
  const first = world.boot()
  world.load(50)
  await world.apply(engineServing('chat', { replicas: 5 }))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.apply(scalingPolicy('chat', { behavior: window(2) }))
  await world.apply(scalingBinding('chat'))
  await world.tick()
  world.load(10)
  await world.tick()
  await first.kill()
  world.clock.advance(3_600_000)
  world.boot()
  for (let i = 0; i < 7; i++) await world.tick()
  assert.equal(await world.replicas('chat'), 5)
  for (let i = 0; i < 3; i++) await world.tick()
  assert.equal(await world.replicas('chat'), 1)
})

test('a role is counted within its groups, by the load of all of them', async (t) => {
  const world = await startScalingWorld(t)
  world.boot()
  const roles = [
    { name: 'prefill', replicas: 1 },
    { name: 'decode', replicas: 2 },
  ]
  await world.apply(engineServing('chat', { replicas: 2 }, roles))
  await world.condition(ModelServing, 'chat', 'Available')
  world.expose(() => 10)
  const role = { minReplicas: 1, maxReplicas: 8, metricSources: { load: { pod: { port: 8000 } } } }
  const disaggregatedTarget = {
    targetRef: { name: 'chat' },
    roles: { prefill: role, decode: role },
    ratioConstraint: { numeratorRole: 'prefill', denominatorRole: 'decode', minRatio: '500m', maxRatio: 1 },
  }
  await world.apply(
    scalingPolicy('chat', { metrics: [{ name: 'load', targetValue: 10 }], behavior: atOnce, disaggregatedTarget }),
  )
  await world.tick()
  const rolesNow = async () =>
    (await world.find(ModelServing, here('chat')))?.spec.template.roles.map(
      ({ name, replicas }) => `${name} ${replicas}`,
    )
  // Four decode pods at their target each: two a group stay two.
  assert.deepEqual(await rolesNow(), ['prefill 1', 'decode 2'])
  world.expose(() => 40)
  await world.tick()
  assert.deepEqual(await rolesNow(), ['prefill 4', 'decode 8'])
  const policy = await world.find(AutoscalingPolicy, here('chat'))
  assert.deepEqual(policy?.status?.disaggregatedStatus?.ratioStatus?.currentRatio, '0.5')
  const writes = writesIn(world.requests).filter(
    ({ resource, verb }) => resource === 'modelservings' && verb === 'patch',
  )
  assert.ok(writes.length > 0)
})

test('a pool shares its number by cost', async (t) => {
  const world = await startScalingWorld(t)
  world.boot()
  for (const name of ['big', 'small']) await world.apply(engineServing(name))
  for (const name of ['big', 'small']) await world.condition(ModelServing, name, 'Available')
  world.load(60)
  await world.apply(scalingPolicy('chat', { behavior: atOnce }))
  const params = [
    {
      target: { targetRef: { name: 'big' }, metricEndpoint: { port: 8000 } },
      cost: 100,
      minReplicas: 1,
      maxReplicas: 4,
    },
    {
      target: { targetRef: { name: 'small' }, metricEndpoint: { port: 8000 } },
      cost: 30,
      minReplicas: 1,
      maxReplicas: 4,
    },
  ]
  await world.apply(
    object(AutoscalingPolicyBinding, 'chat', {
      policyRef: { name: 'chat' },
      optimizerConfiguration: { params, costExpansionRatePercent: 100 },
    }),
  )
  await world.tick()
  assert.deepEqual([await world.replicas('small'), await world.replicas('big')], [4, 2])
  const { status } = await binding(world)
  assert.deepEqual(
    status?.targets?.map(({ name, desiredReplicas }) => [name, desiredReplicas]),
    [
      ['big', 2],
      ['small', 4],
    ],
  )
})

/** What each makes of a world with a serving at 2 and no load; nothing is ever scaled. */
const refusals: Record<string, { change: (world: ScalingWorld) => Promise<unknown>; reason: string; says: RegExp }> = {
  'a target in another namespace (A-08)': {
    change: (world) => world.apply(scalingBinding('chat', {}, { targetRef: { name: 'chat', namespace: 'theirs' } })),
    reason: 'CrossNamespace',
    says: /in another namespace/,
  },
  'a target that is not there': {
    change: (world) => world.apply(scalingBinding('chat', {}, { targetRef: { name: 'nobody' } })),
    reason: 'TargetNotFound',
    says: /there is no ModelServing nobody/,
  },
  'a target that was deleted': {
    change: (world) => world.client.delete(ModelServing, here('chat')),
    reason: 'TargetNotFound',
    says: /there is no ModelServing chat/,
  },
  'a policy that is not there': {
    change: (world) => world.client.delete(AutoscalingPolicy, here('chat')),
    reason: 'PolicyNotFound',
    says: /there is no AutoscalingPolicy chat/,
  },
  'a role that is not there': {
    change: (world) => world.apply(scalingBinding('chat', {}, { subTargets: { name: 'decode' } })),
    reason: 'RoleNotFound',
    says: /has no role decode; it has engine/,
  },
  'a kind that cannot be scaled': {
    change: (world) =>
      world.apply(scalingBinding('chat', {}, { targetRef: { apiVersion: 'v1', kind: 'Secret', name: 'x' } })),
    reason: 'NotScalable',
    says: /has no scale subresource/,
  },
}
for (const [name, { change, reason, says }] of Object.entries(refusals)) {
  test(`refused with a reason: ${name}`, async (t) => {
    const world = await scaled(t, { replicas: 2, load: 20 })
    await change(world)
    world.load(500)
    await world.tick()
    const ready = await condition(world, 'Ready')
    assert.deepEqual([ready?.status, ready?.reason], ['False', reason])
    assert.match(ready?.message ?? '', says)
    const replicas = await world.replicas('chat')
    assert.ok(replicas === 2 || replicas === undefined, `${replicas}`)
  })
}

test('A-22: metrics of two roles at once are refused, until one is named', async (t) => {
  const world = await startScalingWorld(t)
  world.boot()
  world.load(60)
  await world.apply(engineServing('chat', {}, [{ name: 'prefill' }, { name: 'decode' }]))
  await world.condition(ModelServing, 'chat', 'Available')
  await world.apply(scalingPolicy('chat', { behavior: atOnce }))
  await world.apply(scalingBinding('chat'))
  await world.tick()
  assert.equal((await condition(world, 'Ready'))?.reason, 'AmbiguousRole')
  assert.equal(await world.replicas('chat'), 1)
  await world.apply(scalingBinding('chat', {}, { additionalMatchLabels: { 'modelserving.volcano.sh/role': 'decode' } }))
  await world.tick()
  assert.equal((await condition(world, 'Ready'))?.status, 'True')
  assert.equal(await world.replicas('chat'), 3)
})

test('A-18: two that scale one number: the older one does, the other says so, and takes over once it is alone', async (t) => {
  const world = await scaled(t, { replicas: 2, load: 20 })
  await world.apply(scalingPolicy('second', { behavior: atOnce, metrics: [{ metricName: 'load', targetValue: 1 }] }))
  await world.apply(
    object(AutoscalingPolicyBinding, 'zz', {
      ...(scalingBinding('chat').spec as object),
      policyRef: { name: 'second' },
    }),
  )
  await world.tick()
  assert.equal((await condition(world, 'Ready', 'zz'))?.reason, 'Conflict')
  assert.equal(await world.replicas('chat'), 2)
  await world.client.delete(AutoscalingPolicyBinding, here('chat'))
  await world.tick()
  await world.tick()
  assert.equal((await condition(world, 'Ready', 'zz'))?.status, 'True')
  assert.equal(await world.replicas('chat'), 10)
})

/** Two pods, one of which says nothing: it counts as at its target on the way down, and as idle on the way up. */
const silences: Record<string, { load: number | undefined; want: number; reason: string }> = {
  'the other one is idle': { load: 0, want: 1, reason: 'MetricsPartial' },
  'the other one is a little busy': { load: 15, want: 2, reason: 'MetricsPartial' },
  'the other one is very busy': { load: 35, want: 4, reason: 'MetricsPartial' },
  'and the other one neither': { load: undefined, want: 2, reason: 'MetricsUnavailable' },
}
for (const [name, { load, want, reason }] of Object.entries(silences)) {
  test(`half of the pods do not answer: ${name}`, async (t) => {
    const world = await scaled(t, { replicas: 2, load: 20 })
    const [first = ''] = [...world.asked].sort()
    world.expose((ip) => (ip === first ? load : undefined))
    await world.tick()
    assert.equal(await world.replicas('chat'), want)
    const active = await condition(world, 'ScalingActive')
    assert.equal(active?.reason, reason)
    assert.match(
      active.message,
      load === undefined ? /^chat: load: pod \S+: nothing listens there \(and 1 more\)$/ : /nothing listens there$/,
    )
  })
}

test('metrics that disappear stop the scaling and say so; when they are back it goes on', async (t) => {
  const world = await scaled(t, { replicas: 2, load: 20 })
  world.expose(() => undefined)
  for (let i = 0; i < 40; i++) await world.tick()
  assert.equal(await world.replicas('chat'), 2)
  const active = await condition(world, 'ScalingActive')
  assert.deepEqual([active?.status, active?.reason], ['False', 'MetricsUnavailable'])
  world.load(60)
  await world.tick()
  assert.equal(await world.replicas('chat'), 6)
  assert.equal((await condition(world, 'ScalingActive'))?.status, 'True')
})

test('A-25: somebody who moves the number at the same moment is heard first', async (t) => {
  const world = await scaled(t, { replicas: 2, load: 20 })
  const patch = [{ op: 'replace', path: '/spec/replicas', value: 7 }] as const
  world.load(60)
  await world.settled()
  // The controller decides on 2 while the server has 7 already: its cache is a moment behind.
  const moved = world.client.patch(ModelServing, here('chat'), { type: 'json', patch })
  world.clock.advance(15_000)
  await moved
  await world.settled()
  await world.tick()
  await world.tick()
  assert.equal(await world.replicas('chat'), 6)
})

test('what is scaled belongs to the autoscaler, and an apply without replicas leaves it alone', async (t) => {
  const world = await scaled(t, { load: 30 })
  assert.equal(await world.replicas('chat'), 3)
  const { spec: { replicas: _, ...spec } = {}, ...serving } = engineServing('chat', {}) as AnyResource & {
    spec?: Record<string, unknown>
  }
  await world.apply({ ...serving, spec })
  await world.settled()
  assert.equal(await world.replicas('chat'), 3)
})

test('A-06: a pod that hangs costs no other policy its time', async (t) => {
  const world = await startScalingWorld(t)
  const hung = new Set<string | undefined>()
  // Of a request that nobody holds, as its socket would, the signal may be collected, and then it never aborts.
  const held: Request[] = []
  world.boot({
    fetch: async (request) => {
      held.push(request)
      const { signal } = request
      const { hostname } = new URL(request.url)
      if (hung.has(hostname))
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      return new Response('# TYPE load gauge\nload 30\n', { headers: { 'content-type': 'text/plain' } })
    },
  })
  for (const name of ['hangs', 'chat']) await world.apply(engineServing(name))
  for (const name of ['hangs', 'chat']) await world.condition(ModelServing, name, 'Available')
  hung.add((await world.list(Pod, 'modelserving.volcano.sh/name=hangs'))[0]?.status?.podIP)
  for (const name of ['hangs', 'chat']) {
    await world.apply(scalingPolicy(name, { behavior: atOnce }))
    await world.apply(scalingBinding(name))
  }
  // The clock stands, so the one that hangs has not even reached its deadline.
  await world.until('the other one scaled', async () => (await world.replicas('chat')) === 3)
  assert.equal(await world.replicas('hangs'), 1)
  world.clock.advance(3_000)
  await world.until(
    'it says so',
    async () => (await condition(world, 'ScalingActive', 'hangs'))?.reason === 'MetricsUnavailable',
  )
})

test('A-28: two autoscalers at once scale once', async (t) => {
  const world = await scaled(t, { replicas: 2, load: 20 })
  world.boot()
  await world.tick()
  world.load(60)
  const before = writesIn(world.requests).length
  await world.tick()
  await world.tick()
  assert.equal(await world.replicas('chat'), 6)
  const scalings = writesIn(world.requests)
    .slice(before)
    .filter(({ subresource, status }) => subresource === 'scale' && status === 200)
  assert.equal(scalings.length, 1)
})
