/**
 * A cluster in a few lines: pods are made and go as the moves say, become ready in time, and are lost at random. What
 * must hold whatever happens is checked in every pass. All chance comes from the seed.
 */
import assert from 'node:assert/strict'
import type { RecoveryPolicy } from '#api/model-serving.ts'
import { type Group, type GroupRole, groupsOf, type Memory, type Rules } from './groups.ts'
import { type Move, movesOf, type Pace, type Wanted } from './moves.ts'
import { podName, type PodPosition, replicaName } from './names.ts'
import type { PodFacts } from './pod-facts.ts'
import { currentRevision, servedRevision, toldOf } from './view.ts'

export interface Role extends GroupRole {
  /** Of the template: a change replaces its pods. `bad` never becomes ready. */
  readonly image: string
  readonly pace: Pace
}

export interface Spec {
  readonly replicas: number
  readonly roles: readonly Role[]
  readonly recoveryPolicy: RecoveryPolicy
  readonly byRole: boolean
  readonly pace: Pace
  readonly paused: boolean
}

export interface World {
  spec: Spec
  pods: PodFacts[]
  memory: Memory
  current: string | undefined
  served: string | undefined
  readonly revisions: Map<string, readonly Role[]>
  uids: number
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function startWorld(spec: Spec): World {
  return { spec, pods: [], memory: new Map(), current: undefined, served: undefined, revisions: new Map(), uids: 0 }
}

const hashOf = ({ image, workerReplicas }: Role): string => `${image}${workerReplicas}`

export const revisionOf = (roles: readonly Role[]): string => roles.map((role) => `${role.name}:${hashOf(role)}`).join()

function rulesOf({ spec, revisions }: World): Rules {
  const update = revisionOf(spec.roles)
  if (!revisions.has(update)) revisions.set(update, spec.roles)
  const rolesOf = (revision: string | undefined) => (revision === undefined ? undefined : revisions.get(revision))
  return {
    roles: spec.roles,
    recoveryPolicy: spec.recoveryPolicy,
    graceMs: 0,
    byRole: spec.byRole,
    update,
    rolesOf,
    roleHashOf(revision, name) {
      const role = rolesOf(revision)?.find((each) => each.name === name)
      return role === undefined ? undefined : hashOf(role)
    },
  }
}

interface Look {
  readonly groups: readonly Group[]
  readonly wanted: Wanted
  readonly moves: readonly Move[]
}

export function look(world: World): Look {
  const rules = rulesOf(world)
  const groups = groupsOf(world.pods, world.memory, rules, 0)
  const { spec } = world
  const wanted: Wanted = {
    replicas: spec.roles.some((role) => role.replicas > 0) ? spec.replicas : 0,
    rules,
    pace: spec.pace,
    paused: spec.paused,
    paceOf: (name) => spec.roles.find((role) => role.name === name)?.pace ?? spec.pace,
    current: currentRevision(world.current, groups, { rules, holds: spec.paused || spec.pace.partition > 0 }),
    served: servedRevision(world.served, groups, rules.update),
  }
  return { groups, wanted, moves: movesOf(groups, wanted) }
}

/** One pass of the controller; only `upTo` of its moves when it is killed, and then nothing is told. */
export function pass(world: World, upTo?: number): number {
  const before = look(world)
  const moves = upTo === undefined ? before.moves : before.moves.slice(0, upTo)
  for (const move of moves) {
    checkMove(world, before, move)
    if (move.do === 'create') world.pods.push(made(world, move))
    else
      world.pods = world.pods.map((pod) => (pod.uid === move.pod.uid ? { ...pod, deleting: true, ready: false } : pod))
  }
  if (moves.some(({ reason }) => reason !== 'recovery')) checkCounts(world, before)
  if (upTo !== undefined) return moves.length
  world.current = before.wanted.current
  world.served = before.wanted.served
  world.memory = new Map(
    toldOf(before.groups, before.wanted).map(({ ordinal, revision, replicas }) => [
      ordinal,
      {
        revision,
        replicas: new Map(
          replicas.map((each) => [
            replicaName(each.role, each.ordinal),
            { phase: each.phase, revision: each.revision, incarnation: each.incarnation },
          ]),
        ),
      },
    ]),
  )
  return moves.length
}

function made(world: World, { position, revision, incarnation }: Extract<Move, { do: 'create' }>): PodFacts {
  const role = world.revisions.get(revision)?.find(({ name }) => name === position.role)
  assert.ok(role !== undefined, `no role ${position.role} in ${revision}`)
  return {
    name: podName('m', position),
    uid: String(world.uids++),
    position,
    revision,
    roleHash: hashOf(role),
    incarnation,
    groupSize: role.workerReplicas + 1,
    deleting: false,
    ready: false,
    finished: false,
    restartedAtMs: undefined,
    deletionCost: 0,
    draining: false,
    gate: undefined,
  }
}

/** No twin is made, and nothing protected is replaced or comes back as another. */
function checkMove(world: World, { groups, wanted }: Look, move: Move): void {
  const position: PodPosition = move.do === 'create' ? move.position : move.pod.position
  const name = podName('m', position)
  const { spec } = world
  const isProtected =
    spec.paused ||
    (spec.byRole ? position.replica < wanted.paceOf(position.role).partition : position.group < spec.pace.partition)
  if (move.do === 'create') {
    assert.ok(!world.pods.some((pod) => pod.name === name), `a twin of ${name} is made`)
    const group = groups.find(({ ordinal }) => ordinal === position.group)
    const former = spec.byRole
      ? group?.replicas.find((each) => each.role === position.role && each.ordinal === position.replica)?.revision
      : group?.revision
    if (isProtected && former !== undefined && wanted.rules.rolesOf(former) !== undefined) {
      assert.equal(move.revision, former, `${name} is protected and comes back as another`)
    }
  } else if (move.reason === 'rollout' && wanted.rules.roles.some((role) => role.name === position.role)) {
    assert.ok(!isProtected, `${name} is protected and replaced`)
  }
}

/** Neither surge nor budget is overdrawn by what was just done. */
function checkCounts(world: World, { groups, wanted, moves }: Look): void {
  const { spec } = world
  const after = groupsOf(world.pods, world.memory, wanted.rules, 0)
  checkUnits(
    'groups',
    {
      before: groups.filter((group) => !group.gone),
      after: after.filter((group) => !group.gone),
      replicas: wanted.replicas,
      pace: spec.byRole ? { maxUnavailable: 0, maxSurge: 0 } : spec.pace,
    },
    (group) => group.ready || spec.byRole,
  )
  for (const group of groups) {
    const now = after.find(({ ordinal }) => ordinal === group.ordinal)
    if (now === undefined || group.gone || goesAsWhole(group, moves)) continue
    for (const role of now.roles) {
      const of = (each: Group) => each.replicas.filter(({ role: name, pods }) => name === role.name && pods.length > 0)
      checkUnits(
        `replicas of ${role.name} in group ${group.ordinal}`,
        {
          before: of(group),
          after: of(now),
          replicas: role.replicas,
          pace: spec.byRole ? wanted.paceOf(role.name) : { maxUnavailable: 0, maxSurge: 0 },
        },
        ({ phase }) => phase === 'Running',
      )
    }
  }
}

function goesAsWhole(group: Group, moves: readonly Move[]): boolean {
  const removed = moves.filter((move) => move.do === 'remove' && move.pod.position.group === group.ordinal).length
  const live = group.replicas.flatMap(({ pods }) => pods.filter((pod) => !pod.deleting)).length
  return removed === live
}

interface Compared<T> {
  readonly before: readonly T[]
  readonly after: readonly T[]
  readonly replicas: number
  readonly pace: Pick<Pace, 'maxUnavailable' | 'maxSurge'>
}

function checkUnits<T>(
  what: string,
  { before, after, replicas, pace }: Compared<T>,
  isReady: (unit: T) => boolean,
): void {
  const most = Math.max(before.length, replicas + pace.maxSurge)
  assert.ok(after.length <= most, `${after.length} ${what}, and ${most} is the most`)
  const least = Math.min(before.filter(isReady).length, replicas - pace.maxUnavailable)
  const ready = after.filter(isReady).length
  assert.ok(ready >= least, `${ready} ${what} ready, and ${least} is the least`)
}

const isGood = ({ roleHash = '' }: PodFacts): boolean => !roleHash.startsWith('bad')

/** The cluster goes on: what was deleted goes, what runs becomes ready, each with the given probability. */
export function elapse(world: World, random: () => number = () => 0, probability = 1): void {
  world.pods = world.pods
    .filter((pod) => !pod.deleting || random() >= probability)
    .map((pod) =>
      pod.finished || pod.deleting || pod.ready || !isGood(pod) || random() >= probability
        ? pod
        : { ...pod, ready: true, restartedAtMs: undefined },
    )
}

/** Runs until nothing moves any more. */
export function settle(world: World): void {
  let quiet = 0
  for (let round = 0; round < 120; round++) {
    const moves = pass(world)
    const still = world.pods.every((pod) => !pod.deleting && (pod.ready || !isGood(pod)))
    elapse(world)
    quiet = moves === 0 && still ? quiet + 1 : 0
    if (quiet === 2) return
  }
  assert.fail(`never settles: ${world.pods.map((pod) => `${pod.name}@${pod.revision}`).join(' ')}`)
}

export function assertAsWanted(world: World): void {
  const { groups, wanted } = look(world)
  const { spec } = world
  assert.equal(groups.length, wanted.replicas)
  for (const group of groups) {
    assert.ok(group.ready, `group ${group.ordinal} is not ready`)
    const isProtected = !spec.byRole && group.ordinal < spec.pace.partition
    if (!isProtected && !spec.byRole) assert.equal(group.revision, wanted.rules.update)
    for (const role of group.roles) {
      const replicas = group.replicas.filter((each) => each.role === role.name)
      assert.equal(replicas.length, role.replicas)
      for (const replica of replicas) {
        const kept = spec.byRole && replica.ordinal < wanted.paceOf(role.name).partition
        if (!isProtected && !kept) assert.ok(!replica.outdated, `${role.name}-${replica.ordinal} is outdated`)
        const own = wanted.rules.rolesOf(replica.revision)?.find(({ name }) => name === role.name)
        assert.equal(replica.pods.length, (own?.workerReplicas ?? 0) + 1)
      }
    }
  }
}

/** One thing that happens to the world: a user, a node or time. */
function disturb(world: World, random: () => number): void {
  const upTo = (count: number): number => Math.floor(random() * count)
  const change = (spec: Partial<Spec>): void => {
    world.spec = { ...world.spec, ...spec }
  }
  const changeRole = (at: number, role: Partial<Role>): void =>
    change({ roles: world.spec.roles.map((each, index) => (index === at ? { ...each, ...role } : each)) })
  const changePod = (pod: Partial<PodFacts>): void => {
    const at = upTo(world.pods.length)
    world.pods = world.pods.map((each, index) => (index === at && !each.deleting ? { ...each, ...pod } : each))
  }
  const paceFor = (count: number): Pace => {
    const maxSurge = upTo(3)
    return {
      maxSurge,
      maxUnavailable: upTo(3) + (maxSurge === 0 ? 1 : 0),
      partition: upTo(3) === 0 ? upTo(count + 2) : 0,
    }
  }
  const deeds: (() => void)[] = [
    () => world.pods.splice(upTo(world.pods.length), 1),
    () => changePod({ deleting: true, ready: false }),
    () => changePod({ ready: false, finished: true }),
    () => changePod({ ready: false, restartedAtMs: 0 }),
    () => changePod({ ready: false }),
    () => changePod({ deletionCost: upTo(3) - 1 }),
    () => change({ replicas: upTo(5) }),
    () => changeRole(upTo(world.spec.roles.length), { replicas: upTo(4) }),
    () => changeRole(upTo(world.spec.roles.length), { image: ['a', 'b', 'c', 'bad'][upTo(4)] ?? 'a' }),
    () => changeRole(upTo(world.spec.roles.length), { image: ['a', 'b', 'c', 'bad'][upTo(4)] ?? 'a' }),
    () => changeRole(upTo(world.spec.roles.length), { workerReplicas: upTo(3) }),
    () => change({ pace: paceFor(world.spec.replicas) }),
    () => changeRole(upTo(world.spec.roles.length), { pace: paceFor(2) }),
    () => change({ paused: !world.spec.paused }),
    () => void pass(world, upTo(4)),
    () => {
      world.memory = new Map()
    },
  ]
  deeds[upTo(deeds.length)]?.()
}

const settledWorlds = new Map<string, World>()

/** The same start for many runs: all ready and at rest. */
function settledWorld(spec: Spec): World {
  const key = JSON.stringify(spec)
  let world = settledWorlds.get(key)
  if (world === undefined) {
    world = startWorld(spec)
    settle(world)
    settledWorlds.set(key, world)
  }
  return { ...world, pods: [...world.pods], revisions: new Map(world.revisions) }
}

/** A whole run: up, disturbed again and again in whatever state it is, then left alone until it stands still. */
export function run(seed: number): void {
  const random = chance(seed)
  const pick = <T>(...options: readonly T[]): T => options[Math.floor(random() * options.length)] as T
  const pace: Pace = { maxUnavailable: 1, maxSurge: 0, partition: 0 }
  const byRole = random() < 0.4
  const spec: Spec = {
    replicas: pick(1, 2, 2, 3, 3, 4),
    roles: ['prefill', 'decode'].slice(0, pick(1, 1, 2)).map((name, at) => ({
      name,
      replicas: at === 0 ? 1 : pick(1, 2),
      workerReplicas: pick(0, 0, 1, 2),
      image: 'a',
      pace,
    })),
    recoveryPolicy: byRole ? pick('RoleRecreate', 'None') : pick('ServingGroupRecreate', 'RoleRecreate', 'None'),
    byRole,
    pace,
    paused: false,
  }
  const world = random() < 0.7 ? settledWorld(spec) : startWorld(spec)
  for (let events = pick(1, 2, 2, 3, 3, 4, 6); events > 0; events--) {
    disturb(world, random)
    for (let passes = Math.floor(random() * 3); passes > 0; passes--) {
      pass(world)
      elapse(world, random, 0.7)
    }
  }
  settle(world)
  const { paused, roles } = world.spec
  const good = roles.map((role) => (role.image === 'bad' ? { ...role, image: 'd' } : role))
  if (!paused && good.every((role, at) => role === roles[at])) return assertEnd(world)
  world.spec = { ...world.spec, paused: false, roles: good }
  settle(world)
  assertEnd(world)
}

function assertEnd(world: World): void {
  // What is protected and broken stays broken: nobody may touch it.
  if (world.pods.every(isGood)) assertAsWanted(world)
  assert.equal(pass(world), 0, 'a settled world needs no move')
}
