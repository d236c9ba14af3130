import assert from 'node:assert/strict'
import { test } from 'node:test'
import { thorough } from '#base/thorough.testkit.ts'
import {
  assertAsWanted,
  chance,
  elapse,
  look,
  pass,
  revisionOf,
  run,
  settle,
  type Spec,
  startWorld,
  type World,
} from './simulation.testkit.ts'

/** The same in every run of the tests; `npm run simulate` takes others, and more. */
const runs = thorough ? 100_000 : 20_000

test(`${runs} runs with fixed seeds: each ends as wanted, within surge and budget, makes no twin and spares what is protected`, () => {
  for (let seed = 1; seed <= runs; seed++) {
    try {
      run(seed)
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error })
    }
  }
})

function up(spec: Partial<Spec> = {}): World {
  const pace = { maxUnavailable: 1, maxSurge: 0, partition: 0 }
  const world = startWorld({
    replicas: 4,
    roles: [{ name: 'decode', replicas: 1, workerReplicas: 0, image: 'a', pace }],
    recoveryPolicy: 'RoleRecreate',
    byRole: false,
    pace,
    paused: false,
    ...spec,
  })
  settle(world)
  return world
}

function edit(world: World, image: string): void {
  world.spec = { ...world.spec, roles: world.spec.roles.map((role) => ({ ...role, image })) }
}

const readyIn = (world: World): number => look(world).groups.filter((group) => group.ready).length

for (const { maxUnavailable, maxSurge } of [
  { maxUnavailable: 1, maxSurge: 0 },
  { maxUnavailable: 0, maxSurge: 1 },
  { maxUnavailable: 2, maxSurge: 1 },
]) {
  const pace = { maxUnavailable, maxSurge, partition: 0 }
  test(`with ${JSON.stringify(pace)}, whatever is lost while a broken template is rolled out, what serves comes back as it was`, () => {
    for (let seed = 1; seed <= 2_000; seed++) {
      const random = chance(seed)
      const world = up({ pace })
      edit(world, 'bad')
      for (let losses = 0; losses < 6; losses++) {
        pass(world)
        elapse(world, random, 0.7)
        if (random() < 0.6) world.pods.splice(Math.floor(random() * world.pods.length), 1)
      }
      settle(world)
      const ready = readyIn(world)
      assert.ok(ready >= world.spec.replicas - maxUnavailable, `seed ${seed}: ${ready} ready at the end`)
      edit(world, 'c')
      settle(world)
      assertAsWanted(world)
    }
  })
}

test('a rollout takes one group after the other, from the highest ordinal down', () => {
  const world = up()
  edit(world, 'b')
  const order: number[] = []
  for (let round = 0; round < 30; round++) {
    const { moves } = look(world)
    order.push(...moves.flatMap((move) => (move.do === 'remove' ? [move.pod.position.group] : [])))
    pass(world)
    elapse(world)
  }
  assert.deepEqual(order, [3, 2, 1, 0])
  assertAsWanted(world)
})

test('with surge and nothing to spare, all groups serve at every moment, and no pod is made twice', () => {
  const world = up({ pace: { maxUnavailable: 0, maxSurge: 1, partition: 0 } })
  const { uids } = world
  edit(world, 'b')
  for (let round = 0; round < 30; round++) {
    pass(world)
    assert.ok(readyIn(world) >= 4)
    elapse(world)
  }
  assertAsWanted(world)
  assert.equal(world.uids - uids, 4)
})

test('a template that comes back in mid-rollout replaces only what had left it', () => {
  const world = up()
  const { uids } = world
  edit(world, 'b')
  while (readyIn(world) < 4 || !look(world).groups.some(({ revision }) => revision === 'decode:b0')) {
    pass(world)
    elapse(world)
  }
  const made = world.uids
  assert.ok(made > uids)
  edit(world, 'a')
  settle(world)
  assert.ok(world.uids - made <= made - uids)
  assert.deepEqual(new Set(world.pods.map((pod) => pod.revision)), new Set([revisionOf(world.spec.roles)]))
})
