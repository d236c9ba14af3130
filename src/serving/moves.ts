/**
 * The moves of pods to make now, from what there is towards what is wanted: what `rollout.ts` decides of groups and of
 * the replicas of each role, in pods. Pure and stateless.
 */
import type { Group, GroupRole, Replica, Rules } from './groups.ts'
import type { PodPosition } from './names.ts'
import type { PodFacts } from './pod-facts.ts'
import { type Limits, type Unit, type UnitMove, unitMoves } from './rollout.ts'

/** How far a rollout may go; counts, not percentages. */
export type Pace = Pick<Limits, 'maxUnavailable' | 'maxSurge' | 'partition'>

export interface Wanted {
  readonly replicas: number
  readonly rules: Rules
  /** Of groups. */
  readonly pace: Pace
  /** Of the replicas of a role, where roles are replaced inside their groups. */
  paceOf(role: string): Pace
  readonly paused: boolean
  /** What protected ordinals are made of. */
  readonly current: string
  /** Revision of which a whole group has served last. */
  readonly served: string | undefined
}

export type MoveReason = 'scale' | 'rollout' | 'recovery'

export type Move =
  | {
      readonly do: 'create'
      readonly position: PodPosition
      readonly revision: string
      readonly incarnation: number
      readonly reason: MoveReason
    }
  | { readonly do: 'remove'; readonly pod: PodFacts; readonly reason: MoveReason }

/** The pace where nothing is ever outdated. */
const still: Pace = { maxUnavailable: 0, maxSurge: 0, partition: 0 }

export function movesOf(groups: readonly Group[], wanted: Wanted): Move[] {
  const { byRole, update } = wanted.rules
  const held = groups.filter((group) => !group.gone)
  const unitOf = (group: Group): Unit => ({
    ordinal: group.ordinal,
    ready: group.ready,
    deleting: group.deleting,
    outdated: !byRole && group.revision !== update,
    proven: group.revision === wanted.served,
    draining: group.replicas.some((replica) => replica.pods.some((pod) => pod.draining)),
    cost: costOf(group.replicas.flatMap((replica) => replica.pods)),
  })
  const moves = unitMoves(held.map(unitOf), {
    replicas: wanted.replicas,
    ...(byRole ? still : wanted.pace),
    paused: wanted.paused,
    unproven: isKept(wanted, wanted.served),
  })
  const removed = removalsIn(moves)
  return [
    ...held.flatMap((group) => {
      const reason = removed.get(group.ordinal)
      if (reason !== undefined) return group.replicas.flatMap(({ pods }) => removePods(pods, reason))
      return group.deleting ? [] : replicaMoves(group, wanted)
    }),
    ...moves.flatMap((move) => (move.do === 'create' ? newGroup(move, groups, wanted) : [])),
  ]
}

/** Whether the revision is another than the present one, and can be made. */
function isKept({ rules }: Wanted, revision: string | undefined): boolean {
  return revision !== undefined && revision !== rules.update && rules.rolesOf(revision) !== undefined
}

/** The first revision that can be made. */
function madeOf(wanted: Wanted, ...revisions: readonly (string | undefined)[]): string {
  return revisions.find((revision) => isKept(wanted, revision)) ?? wanted.rules.update
}

/** A group where there is none: as it was when it is protected, else of the present template or of what has served. */
function newGroup(
  { ordinal, fresh }: Extract<UnitMove, { do: 'create' }>,
  groups: readonly Group[],
  wanted: Wanted,
): Move[] {
  const { rules, current, served } = wanted
  const former = groups.find((group) => group.ordinal === ordinal)
  const isProtected = wanted.paused || ordinal < wanted.pace.partition
  const old = isProtected ? madeOf(wanted, former?.revision ?? current) : madeOf(wanted, served)
  const revision = fresh || rules.byRole ? rules.update : old
  const roles = rolesFor(revision, wanted)
  // Replicas that recover as one are made as one.
  const makes = Math.max(1, ...(former?.replicas ?? []).map((replica) => replica.makes))
  const replicas = (former?.replicas ?? []).map((replica): Replica => {
    return { ...replica, makes, revision: rules.byRole ? replica.revision : revision }
  })
  return replicaMoves({ ordinal, revision, roles, replicas }, wanted, makes)
}

/** Counts as wanted by now; a role that the present template lacks has one replica. */
export function rolesFor(revision: string, { rules }: Wanted): readonly GroupRole[] {
  if (revision === rules.update || rules.byRole) return rules.roles
  return (rules.rolesOf(revision) ?? []).map(({ name, workerReplicas }) => {
    return { name, workerReplicas, replicas: rules.roles.find((role) => role.name === name)?.replicas ?? 1 }
  })
}

function replicaMoves(
  group: Pick<Group, 'ordinal' | 'revision' | 'roles' | 'replicas'>,
  wanted: Wanted,
  makes = 1,
): Move[] {
  const unknown = group.replicas.filter((replica) => !group.roles.some((role) => role.name === replica.role))
  return [
    ...group.roles.flatMap((role) => roleMoves(group, role, wanted, makes)),
    ...unknown.flatMap((replica) => removePods(replica.pods, wanted.rules.byRole ? 'rollout' : 'scale')),
  ]
}

function roleMoves(
  group: Pick<Group, 'ordinal' | 'revision' | 'replicas'>,
  role: GroupRole,
  wanted: Wanted,
  makes: number,
): Move[] {
  const { byRole, update, roleHashOf } = wanted.rules
  const present = group.replicas.filter((replica) => replica.role === role.name)
  // What is made anew with its whole group waits for the rest of the group to go.
  const held = present.filter((replica) => replica.pods.length > 0 || replica.phase === 'Recreating')
  const served = roleHashOf(wanted.served, role.name)
  const moves = unitMoves(
    held.map(
      (replica): Unit => ({
        ordinal: replica.ordinal,
        ready: replica.phase === 'Running',
        deleting: replica.phase === 'Deleting' || replica.pods.every((pod) => pod.deleting),
        outdated: byRole && replica.outdated,
        proven: served !== undefined && roleHashOf(replica.revision, role.name) === served,
        draining: replica.pods.some((pod) => pod.draining),
        cost: costOf(replica.pods),
      }),
    ),
    {
      replicas: role.replicas,
      ...(byRole ? wanted.paceOf(role.name) : still),
      paused: wanted.paused && byRole,
      unproven: byRole && served !== undefined && served !== roleHashOf(update, role.name),
    },
  )
  const removed = removalsIn(moves)
  return [
    ...held.flatMap((replica) => {
      const reason = removed.get(replica.ordinal) ?? (replica.phase === 'Deleting' ? 'scale' : undefined)
      if (reason !== undefined) return removePods(replica.pods, reason)
      return replica.phase === 'Recreating'
        ? removePods(replica.pods, 'recovery')
        : missingPods(group, role, replica, wanted)
    }),
    ...moves.flatMap((move) =>
      move.do === 'create'
        ? newReplica(group, role, { move, former: formerOf(present, move.ordinal), makes }, wanted)
        : [],
    ),
  ]
}

const formerOf = (replicas: readonly Replica[], ordinal: number): Replica | undefined =>
  replicas.find((replica) => replica.ordinal === ordinal)

interface NewReplica {
  readonly move: Extract<UnitMove, { do: 'create' }>
  readonly former: Replica | undefined
  readonly makes: number
}

function newReplica(
  group: Pick<Group, 'ordinal' | 'revision'>,
  role: GroupRole,
  { move, former, makes }: NewReplica,
  wanted: Wanted,
): Move[] {
  const { rules, current, served } = wanted
  const isProtected = wanted.paused || move.ordinal < wanted.paceOf(role.name).partition
  const old = isProtected
    ? madeOf(wanted, former?.revision ?? (group.revision === rules.update ? current : group.revision))
    : madeOf(wanted, served)
  const wish = !rules.byRole ? (group.revision ?? rules.update) : move.fresh ? rules.update : old
  const template = rules.rolesOf(wish)?.find(({ name }) => name === role.name)
  const { ordinal } = move
  return podsOf(group.ordinal, {
    role: role.name,
    replica: ordinal,
    // A revision that is not kept, or lacks the role, cannot be made.
    revision: template === undefined ? rules.update : wish,
    size: (template ?? role).workerReplicas + 1,
    incarnation: former?.makes ?? makes,
    taken: new Set(),
    reason: former === undefined ? 'scale' : 'recovery',
  })
}

/** A replica keeps the template that its other pods have. */
function missingPods(
  group: Pick<Group, 'ordinal' | 'revision'>,
  role: GroupRole,
  replica: Replica,
  { rules }: Wanted,
): Move[] {
  const finished = replica.pods.filter((pod) => pod.finished)
  const template = rules.rolesOf(replica.revision)?.find(({ name }) => name === role.name)
  const creations = podsOf(group.ordinal, {
    role: role.name,
    replica: replica.ordinal,
    revision: template === undefined || replica.revision === undefined ? rules.update : replica.revision,
    size: (template ?? role).workerReplicas + 1,
    incarnation: replica.makes,
    taken: new Set(replica.pods.map((pod) => pod.position.index)),
    reason: 'recovery',
  })
  return [...removePods(finished, 'recovery'), ...creations]
}

interface Making {
  readonly role: string
  readonly replica: number
  readonly revision: string
  readonly size: number
  readonly incarnation: number
  /** Indexes that have a pod. */
  readonly taken: ReadonlySet<number>
  readonly reason: MoveReason
}

function podsOf(group: number, { role, replica, revision, size, incarnation, taken, reason }: Making): Move[] {
  const moves: Move[] = []
  for (let index = 0; index < size; index++) {
    if (taken.has(index)) continue
    moves.push({ do: 'create', position: { group, role, replica, index }, revision, incarnation, reason })
  }
  return moves
}

const none: ReadonlyMap<number, 'scale' | 'rollout'> = new Map()

function removalsIn(moves: readonly UnitMove[]): ReadonlyMap<number, 'scale' | 'rollout'> {
  if (moves.length === 0) return none
  return new Map(moves.flatMap((move) => (move.do === 'remove' ? [[move.ordinal, move.reason] as const] : [])))
}

function removePods(pods: readonly PodFacts[], reason: MoveReason): Move[] {
  return pods.filter((pod) => !pod.deleting).map((pod) => ({ do: 'remove', pod, reason }))
}

const costOf = (pods: readonly PodFacts[]): number => pods.reduce((sum, pod) => sum + pod.deletionCost, 0)
