/** What a user of a model is promised, seen from outside, whichever API family it is written in. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import type { Dialect } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { backend, modelBooster } from '../builders.ts'
import type { World } from '../world.ts'

export function boosterPromises(dialect: Dialect, start: (t: TestContext) => Promise<World>): void {
  const { booster: boosterKind, serving, server, route, policy: policyKind, binding } = kindsOf(dialect)
  const booster = boosterKind as Kind
  const childKinds = [serving, server, route, policyKind, binding] as readonly Kind[]
  const named = (text: string) => `${boosterKind.kind}: ${text}`
  const object = (spec: Record<string, unknown>): AnyResource => ({
    ...modelBooster('test-model', spec),
    apiVersion: apiVersionOf(boosterKind),
    kind: boosterKind.kind,
  })
  const two = (overrides: Record<string, unknown> = {}) =>
    object({
      backends: [backend('backend1', { routeWeight: 40 }), backend('backend2', { routeWeight: 60 })],
      ...overrides,
    })
  const childNames = async (world: World): Promise<string[]> => {
    const lists = await Promise.all(childKinds.map((kind) => world.list(kind)))
    return lists.flatMap((items, at) => items.map((item) => `${childKinds[at]?.kind}/${item.metadata.name}`)).sort()
  }
  const scaling = async (world: World) => (await childNames(world)).filter((name) => name.startsWith('Autoscaling'))

  test(named('two backends become five objects by name, Initialized and then Active'), async (t) => {
    const world = await start(t)
    await world.apply(two())
    await world.condition(booster, 'test-model', 'Active')
    const wanted = [
      `${serving.kind}/test-model-backend1`,
      `${serving.kind}/test-model-backend2`,
      'ModelRoute/test-model',
      'ModelServer/test-model-backend1',
      'ModelServer/test-model-backend2',
    ]
    assert.deepEqual(await childNames(world), wanted.toSorted())
    await world.condition(booster, 'test-model', 'Initialized')
    const { status } = (await world.client.get(booster, { namespace: 'default', name: 'test-model' })) as AnyResource
    const conditions = status?.['conditions'] as Condition[]
    assert.deepEqual(
      conditions.map(({ type, reason, message }) => [type, reason, message]),
      [
        ['Initialized', 'ModelCreating', `${boosterKind.kind} initialized`],
        ['Active', 'ModelAvailable', `${boosterKind.kind} is ready`],
      ],
    )
  })

  test(named('a policy at the model adds one policy and one binding, named like the model'), async (t) => {
    const world = await start(t)
    await world.apply(
      two({
        autoscalingPolicy: policy,
        backends: [backend('backend1', { scalingCost: 1 }), backend('backend2', { scalingCost: 2 })],
      }),
    )
    await world.condition(booster, 'test-model', 'Active')
    assert.deepEqual(await scaling(world), ['AutoscalingPolicy/test-model', 'AutoscalingPolicyBinding/test-model'])
  })

  test(named('a policy at a backend adds a pair named like both; taking it away takes the pair away'), async (t) => {
    const world = await start(t)
    await world.apply(
      two({ backends: [backend('backend1', { autoscalingPolicy: policy, maxReplicas: 2 }), backend('backend2')] }),
    )
    await world.condition(booster, 'test-model', 'Active')
    assert.deepEqual(await scaling(world), [
      'AutoscalingPolicy/test-model-backend1',
      'AutoscalingPolicyBinding/test-model-backend1',
    ])
    await world.apply(two())
    await world.until('the pair to go', async () => (await scaling(world)).length === 0)
  })

  test(named('every child has the model as its controller, and is labelled as managed'), async (t) => {
    const world = await start(t)
    const { metadata } = await world.apply(
      two({
        autoscalingPolicy: policy,
        backends: [backend('a', { scalingCost: 1 }), backend('b', { scalingCost: 2 })],
      }),
    )
    await world.condition(booster, 'test-model', 'Initialized')
    const children = (await Promise.all(childKinds.map((kind) => world.list(kind)))).flat()
    assert.equal(children.length, 7)
    for (const child of children) {
      assert.deepEqual(child.metadata.ownerReferences, [
        {
          apiVersion: apiVersionOf(boosterKind),
          kind: boosterKind.kind,
          name: 'test-model',
          uid: metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ])
      for (const [label, value] of Object.entries(dialect.managedBy))
        assert.equal(child.metadata.labels?.[label], value)
    }
  })

  for (const propagationPolicy of ['Background', 'Foreground'] as const) {
    test(named(`deleting it (${propagationPolicy}) takes its children and their pods with it`), async (t) => {
      const world = await start(t)
      await world.apply(two())
      await world.condition(booster, 'test-model', 'Active')
      await world.client.delete(booster, { namespace: 'default', name: 'test-model' }, { propagationPolicy })
      await world.until('all to go', async () => {
        const left = [...(await childNames(world)), ...(await world.list(Pod)), ...(await world.list(booster))]
        return left.length === 0
      })
    })
  }
}

const policy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }
