/**
 * A cluster in a few lines: pods are made and go as the moves say, become ready in time, and are lost at random.
 * What must hold whatever happens is checked after every round.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecoveryPolicy, ReplicaPhase } from '#api/model-serving.ts'
import { groupsOf, type Memory, type Rules } from './groups.ts'
import { movesOf, type Wanted } from './moves.ts'
import { podName, type PodPosition, replicaName } from './names.ts'
import type { PodFacts } from './pod-facts.ts'

interface World {
  image: string
  pods: PodFacts[]
  memory: Memory
  rules: Rules
  wanted: Wanted
  uids: number
}

type Event =
  | { readonly do: 'lose'; readonly pick: number }
  | { readonly do: 'fail'; readonly pick: number }
  | { readonly do: 'crash'; readonly pick: number }
  | { readonly do: 'scale'; readonly replicas: number }
  | { readonly do: 'scaleRole'; readonly role: number; readonly replicas: number }
  | { readonly do: 'edit'; readonly image: string }
  | { readonly do: 'grow'; readonly workerReplicas: number }
  | { readonly do: 'forget' }

const roles = [
  { name: 'prefill', replicas: 1, workerReplicas: 1 },
  { name: 'decode', replicas: 2, workerReplicas: 0 },
]

function revisionOf(image: string, roles: Wanted['roles']): string {
  return [image, ...roles.map((role) => role.workerReplicas)].join('-')
}

function start(recoveryPolicy: RecoveryPolicy): World {
  return {
    image: 'a',
    pods: [],
    memory: new Map(),
    rules: { roles, recoveryPolicy, graceMs: 0 },
    wanted: { replicas: 2, roles, revision: revisionOf('a', roles) },
    uids: 0,
  }
}

/** One pass of the controller: decide, write, and remember what was seen. */
function pass(world: World): number {
  const groups = groupsOf(world.pods, world.memory, world.rules, 0)
  const moves = movesOf(groups, world.wanted)
  world.memory = new Map(
    groups.map((group) => [
      group.ordinal,
      new Map(group.replicas.map((each): [string, ReplicaPhase] => [replicaName(each.role, each.ordinal), each.phase])),
    ]),
  )
  for (const move of moves) {
    if (move.do === 'create') {
      assert.ok(!world.pods.some((pod) => pod.name === podName('m', move.position)), 'a twin is made')
      world.pods.push(made(world, move.position))
    } else {
      world.pods = world.pods.map((pod) => (pod.uid === move.pod.uid ? { ...pod, deleting: true, ready: false } : pod))
    }
  }
  return moves.length
}

function made(world: World, position: PodPosition): PodFacts {
  const role = world.wanted.roles.find(({ name }) => name === position.role)
  return {
    name: podName('m', position),
    uid: String(world.uids++),
    position,
    revision: world.wanted.revision,
    groupSize: (role?.workerReplicas ?? 0) + 1,
    deleting: false,
    ready: false,
    finished: false,
    restartedAtMs: undefined,
    deletionCost: 0,
  }
}

/** The cluster catches up: what was deleted goes, what runs becomes ready. */
function elapse(world: World): void {
  world.pods = world.pods
    .filter((pod) => !pod.deleting)
    .map((pod) => (pod.finished ? pod : { ...pod, ready: true, restartedAtMs: undefined }))
}

function disturb(world: World, event: Event): void {
  switch (event.do) {
    case 'lose':
      if (world.pods.length > 0) world.pods.splice(event.pick % world.pods.length, 1)
      return
    case 'fail':
    case 'crash': {
      const index = world.pods.length === 0 ? 0 : event.pick % world.pods.length
      world.pods = world.pods.map((pod, at) =>
        at !== index
          ? pod
          : { ...pod, ready: false, ...(event.do === 'fail' ? { finished: true } : { restartedAtMs: 0 }) },
      )
      return
    }
    case 'scale':
      world.wanted = { ...world.wanted, replicas: event.replicas }
      return
    case 'scaleRole':
      edit(world, (role, at) => (at === event.role ? { ...role, replicas: event.replicas } : role))
      return
    case 'grow':
      edit(world, (role, at) => (at === 0 ? { ...role, workerReplicas: event.workerReplicas } : role))
      return
    case 'edit':
      world.image = event.image
      edit(world, (role) => role)
      return
    case 'forget':
      world.memory = new Map()
      return
  }
}

function edit(world: World, change: (role: Wanted['roles'][number], at: number) => Wanted['roles'][number]): void {
  const roles = world.wanted.roles.map(change)
  world.wanted = { ...world.wanted, roles, revision: revisionOf(world.image, roles) }
  world.rules = { ...world.rules, roles: world.wanted.roles }
}

function settle(world: World): void {
  let quiet = 0
  for (let round = 0; round < 60; round++) {
    const moves = pass(world)
    const still = world.pods.every((pod) => pod.ready)
    elapse(world)
    // What has just gone is told in one pass and made anew in the next.
    quiet = moves === 0 && still ? quiet + 1 : 0
    if (quiet === 2) return
  }
  assert.fail(`never settles: ${world.pods.map((pod) => `${pod.name}@${pod.revision}`).join(' ')}`)
}

function assertAsWanted(world: World): void {
  const groups = groupsOf(world.pods, world.memory, world.rules, 0)
  assert.equal(groups.length, world.wanted.replicas)
  for (const group of groups) {
    assert.equal(group.revision, world.wanted.revision)
    for (const role of world.wanted.roles) {
      const replicas = group.replicas.filter((each) => each.role === role.name)
      assert.equal(replicas.length, role.replicas)
      for (const replica of replicas) assert.equal(replica.pods.length, role.workerReplicas + 1)
    }
  }
}

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ do: fc.constantFrom('lose' as const, 'fail' as const, 'crash' as const), pick: fc.nat(20) }),
  fc.record({ do: fc.constant('scale' as const), replicas: fc.nat(4) }),
  fc.record({ do: fc.constant('scaleRole' as const), role: fc.nat(1), replicas: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('edit' as const), image: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('grow' as const), workerReplicas: fc.nat(2) }),
  fc.constant({ do: 'forget' as const }),
)

for (const policy of ['ServingGroupRecreate', 'RoleRecreate', 'None'] as const) {
  test(`under ${policy}, whatever is lost, edited, scaled or forgotten, it ends as wanted and makes no twin`, () => {
    const script = fc.array(fc.tuple(event, fc.nat(3)), { maxLength: 12 })
    fc.assert(
      fc.property(script, (steps) => {
        const world = start(policy)
        for (const [each, passes] of steps) {
          disturb(world, each)
          for (let round = 0; round < passes; round++) {
            pass(world)
            elapse(world)
          }
        }
        settle(world)
        assertAsWanted(world)
        assert.equal(pass(world), 0, 'a settled world needs no move')
      }),
      { numRuns: 400 },
    )
  })
}

test('a rollout never takes more than one serving group away, and goes from the highest ordinal down', () => {
  const world = start('RoleRecreate')
  world.wanted = { ...world.wanted, replicas: 4 }
  settle(world)
  world.wanted = { ...world.wanted, revision: 'b' }
  const order: number[] = []
  for (let round = 0; round < 30; round++) {
    const before = new Set(world.pods.filter((pod) => pod.deleting).map((pod) => pod.position.group))
    pass(world)
    for (const pod of world.pods) {
      const { group } = pod.position
      if (pod.deleting && !before.has(group) && !order.includes(group)) order.push(group)
    }
    const ready = groupsOf(world.pods, world.memory, world.rules, 0).filter((group) => group.ready)
    assert.ok(ready.length >= 3, `only ${ready.length} groups serve`)
    elapse(world)
  }
  assert.deepEqual(order, [3, 2, 1, 0])
  assertAsWanted(world)
})
