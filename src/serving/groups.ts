/**
 * What there is, seen as groups of role replicas of pods, and how far each has come.
 *
 * Whether a role replica that misses a pod is still being made or has lost it cannot be seen from its pods alone.
 * So the status remembers a phase for each replica, and forgets it only when nothing of the unit that recovers as
 * one (the replica, or its whole group) is left:
 *
 *     Creating ──all pods there──► Created ──all ready──► Running ◄──► Degraded
 *         ▲                           └───────pod lost──────┴─────────────┤
 *         └─────────nothing of the unit left───────────────────────── Recreating
 *
 * A replica that goes because fewer are wanted has lost nothing; it is `Deleting`.
 *
 * What is left of a unit decides whether its phase is still about it. So a unit that has just gone is told as such in
 * one pass and made anew in the next: pods made under the phase of their predecessors would be taken for leftovers
 * by a controller that was killed before it could tell.
 */
import type { ModelServingRole, RecoveryPolicy, ReplicaPhase } from '#api/model-serving.ts'
import { replicaName } from './names.ts'
import type { PodFacts } from './pod-facts.ts'

export interface Replica {
  readonly role: string
  readonly ordinal: number
  readonly pods: readonly PodFacts[]
  readonly phase: ReplicaPhase
  /** Nothing of it is left, and the status does not say so yet. */
  readonly justGone: boolean
}

export interface Group {
  readonly ordinal: number
  /** None when the group has just gone; it then only holds its ordinal, and is not told any more. */
  readonly replicas: readonly Replica[]
  /** Revision of its pods; `undefined` when they disagree. */
  readonly revision: string | undefined
  /** Every pod is on its way out, so the group only holds its ordinal. */
  readonly deleting: boolean
  /** Every role has all its replicas, and they run. */
  readonly ready: boolean
}

/** Phases by group ordinal and replica name, as the status last told them. */
export type Memory = ReadonlyMap<number, ReadonlyMap<string, ReplicaPhase>>

export interface Rules {
  readonly roles: readonly Pick<ModelServingRole, 'name' | 'replicas'>[]
  readonly recoveryPolicy: RecoveryPolicy
  /** How long a restarted pod may take to become ready again. */
  readonly graceMs: number
}

export function groupsOf(pods: readonly PodFacts[], memory: Memory, rules: Rules, nowMs: number): Group[] {
  const byOrdinal = Map.groupBy(pods, (pod) => pod.position.group)
  const there = [...byOrdinal].map(([ordinal, members]) =>
    groupOf(ordinal, members, memory.get(ordinal) ?? new Map(), rules, nowMs),
  )
  const justGone = [...memory]
    .filter(([ordinal, phases]) => phases.size > 0 && !byOrdinal.has(ordinal))
    .map(([ordinal]): Group => ({ ordinal, replicas: [], revision: undefined, deleting: true, ready: false }))
  return [...there, ...justGone].sort((a, b) => a.ordinal - b.ordinal)
}

interface Seen {
  readonly role: string
  readonly ordinal: number
  readonly pods: readonly PodFacts[]
  readonly live: readonly PodFacts[]
  readonly complete: boolean
  readonly former: ReplicaPhase
}

function groupOf(
  ordinal: number,
  pods: readonly PodFacts[],
  memory: ReadonlyMap<string, ReplicaPhase>,
  rules: Rules,
  nowMs: number,
): Group {
  const byReplica = Map.groupBy(pods, ({ position }) => replicaName(position.role, position.replica))
  // A replica whose pods are all gone is still known by its phase, and keeps its ordinal.
  const names = new Set([...byReplica.keys(), ...memory.keys()])
  const seen = [...names].map((name) => seenOf(name, byReplica.get(name) ?? [], memory.get(name) ?? 'Creating'))
  const short = new Set(
    rules.roles
      .filter(({ name, replicas }) => seen.filter((each) => each.role === name && each.complete).length < replicas)
      .map(({ name }) => name),
  )
  const phases = seen
    .filter((each) => each.pods.length > 0 || short.has(each.role))
    .map((each): Replica => {
      const { role, ordinal, pods, former } = each
      const justGone = pods.length === 0 && former !== 'Creating'
      return { role, ordinal, pods, phase: phaseOf(each, short.has(role), rules, nowMs), justGone }
    })
  const allGo = rules.recoveryPolicy === 'ServingGroupRecreate' && phases.some(({ phase }) => phase === 'Recreating')
  const replicas = phases
    .map((each): Replica => (allGo ? { ...each, phase: 'Recreating' } : each))
    .sort((a, b) => a.role.localeCompare(b.role) || a.ordinal - b.ordinal)
  const revisions = new Set(pods.filter((pod) => !pod.deleting).map((pod) => pod.revision))
  return {
    ordinal,
    replicas,
    revision: revisions.size === 1 ? [...revisions][0] : undefined,
    deleting: pods.every((pod) => pod.deleting),
    ready: rules.roles.every(
      (role) => replicas.filter((each) => each.role === role.name && each.phase === 'Running').length >= role.replicas,
    ),
  }
}

function seenOf(name: string, pods: readonly PodFacts[], former: ReplicaPhase): Seen {
  const cut = name.lastIndexOf('-')
  const live = pods.filter((pod) => !pod.deleting)
  const complete = live.length > 0 && live.length >= (live[0]?.groupSize ?? 1)
  return { role: name.slice(0, cut), ordinal: Number(name.slice(cut + 1)), pods, live, complete, former }
}

function phaseOf({ pods, live, complete, former }: Seen, short: boolean, rules: Rules, nowMs: number): ReplicaPhase {
  const wasMade = former === 'Created' || former === 'Running' || former === 'Degraded'
  const wasRunning = former === 'Running' || former === 'Degraded'
  if (!complete && !short) return 'Deleting'
  if (rules.recoveryPolicy !== 'None') {
    if (former === 'Recreating' && pods.length > 0) return 'Recreating'
    if (!complete && wasMade && (pods.length > 0 || rules.recoveryPolicy === 'ServingGroupRecreate'))
      return 'Recreating'
    if (live.some((pod) => pod.finished)) return 'Recreating'
    // A pod that never was ready gains nothing from being made anew: the kubelet restarts it, ever more slowly.
    if (wasRunning && live.some((pod) => nowMs >= deadlineMs(pod, rules.graceMs))) return 'Recreating'
  }
  if (!complete) return 'Creating'
  if (live.every((pod) => pod.ready)) return 'Running'
  return wasRunning ? 'Degraded' : 'Created'
}

/** When the grace period of a restarted pod ends; infinity for any other pod. */
function deadlineMs(pod: PodFacts, graceMs: number): number {
  return pod.restartedAtMs === undefined ? Number.POSITIVE_INFINITY : pod.restartedAtMs + graceMs
}

/** How long until the next grace period ends; `undefined` when none is running. */
export function nextDeadlineMs(groups: readonly Group[], graceMs: number, nowMs: number): number | undefined {
  const delays = groups
    .flatMap((group) => group.replicas)
    .filter((replica) => replica.phase === 'Degraded')
    .flatMap((replica) => replica.pods.map((pod) => deadlineMs(pod, graceMs) - nowMs))
    .filter((delayMs) => delayMs > 0 && Number.isFinite(delayMs))
  return delays.length === 0 ? undefined : Math.min(...delays)
}
