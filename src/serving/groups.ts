/**
 * What there is, seen as groups of role replicas of pods, and how far each has come.
 *
 * Whether a role replica that misses a pod is still being made or has lost it cannot be seen from its pods alone.
 * So the status remembers a phase for each replica:
 *
 *     Creating ──all pods there──► Created ──all ready──► Running ◄──► Degraded
 *         ▲                           └───────pod lost──────┴─────────────┤
 *         └─────────nothing of the unit left───────────────────────── Recreating
 *
 * A replica that goes because fewer are wanted has lost nothing; it is `Deleting`.
 *
 * A phase is about one incarnation of a replica. When nothing is left of the unit that recovers as one (the replica, or
 * its whole group), the next incarnation is made, and its pods say so: the phase of their predecessors, which the
 * status may still tell after a crash, is not theirs.
 */
import type { RecoveryPolicy, ReplicaPhase } from '#api/model-serving.ts'
import { replicaName } from './names.ts'
import type { PodFacts } from './pod-facts.ts'

export interface Replica {
  readonly role: string
  readonly ordinal: number
  /** None when it has gone and is to be made anew. */
  readonly pods: readonly PodFacts[]
  readonly phase: ReplicaPhase
  readonly revision: string | undefined
  /** Of its pods, or of the last there were. */
  readonly incarnation: number
  /** Of pods that are made for it now. */
  readonly makes: number
  /** Its role has another template by now. */
  readonly outdated: boolean
}

export interface Group {
  readonly ordinal: number
  readonly replicas: readonly Replica[]
  readonly revision: string | undefined
  /** Every pod is on its way out, so the group only holds its ordinal. */
  readonly deleting: boolean
  /** No pod is left; it is remembered until it is made anew, or not wanted any more. */
  readonly gone: boolean
  /** Every role has all its replicas, and they run. */
  readonly ready: boolean
  /** What its own template wants of it. */
  readonly roles: readonly GroupRole[]
}

/** A role as one group shall have it: of the template of the group, in the number that is wanted by now. */
export interface GroupRole {
  readonly name: string
  readonly replicas: number
  readonly workerReplicas: number
}

export interface ReplicaMemory {
  readonly phase: ReplicaPhase
  readonly revision: string | undefined
  readonly incarnation: number
}

export interface GroupMemory {
  readonly revision: string | undefined
  /** By replica name. */
  readonly replicas: ReadonlyMap<string, ReplicaMemory>
}

/** What the status last told, by group ordinal. */
export type Memory = ReadonlyMap<number, GroupMemory>

/** What decides how pods are read as groups. */
export interface Rules {
  /** Present roles and their counts. */
  readonly roles: readonly GroupRole[]
  readonly recoveryPolicy: RecoveryPolicy
  /** How long a restarted pod may take to become ready again. */
  readonly graceMs: number
  /** Roles are replaced inside their groups, not groups as a whole. */
  readonly byRole: boolean
  /** Revision of the present template. */
  readonly update: string
  /** The roles of a revision; `undefined` for one that nobody keeps. */
  rolesOf(revision: string | undefined): readonly Pick<GroupRole, 'name' | 'workerReplicas'>[] | undefined
  /** Tells the templates of one role apart; `undefined` where nobody keeps the revision. */
  roleHashOf(revision: string | undefined, role: string): string | undefined
}

const nothing: GroupMemory = { revision: undefined, replicas: new Map() }

export function groupsOf(pods: readonly PodFacts[], memory: Memory, rules: Rules, nowMs: number): Group[] {
  const byOrdinal = Map.groupBy(pods, (pod) => pod.position.group)
  const ordinals = new Set([...byOrdinal.keys(), ...memory.keys()])
  return [...ordinals]
    .sort((a, b) => a - b)
    .map((ordinal) => groupOf(ordinal, byOrdinal.get(ordinal) ?? [], memory.get(ordinal) ?? nothing, rules, nowMs))
}

interface Seen {
  readonly role: string
  readonly ordinal: number
  readonly pods: readonly PodFacts[]
  readonly live: readonly PodFacts[]
  readonly complete: boolean
  readonly former: ReplicaPhase
  readonly incarnation: number
  readonly makes: number
  readonly revision: string | undefined
  readonly outdated: boolean
}

function groupOf(ordinal: number, pods: readonly PodFacts[], memory: GroupMemory, rules: Rules, nowMs: number): Group {
  const gone = pods.length === 0
  const byReplica = Map.groupBy(pods, ({ position }) => replicaName(position.role, position.replica))
  // A replica whose pods are all gone is still known by its phase.
  const names = new Set([...byReplica.keys(), ...memory.replicas.keys()])
  const together = rules.recoveryPolicy === 'ServingGroupRecreate'
  const madeAnew = (name: string) => isNewer(byReplica.get(name), memory.replicas.get(name))
  const anew = together && names.values().some(madeAnew)
  const seen = [...names].map((name) =>
    seenOf(name, byReplica.get(name) ?? [], { group: memory, isOver: gone || anew || madeAnew(name) }, rules),
  )
  const revision = revisionOf(pods, seen, memory, rules)
  const roles = rolesOf(revision, seen, rules)
  const short = new Set(roles.filter((role) => isShort(role, seen)).map(({ name }) => name))
  const phased = seen
    .filter((each) => each.pods.length > 0 || short.has(each.role))
    .map((each) => replicaOf(each, short.has(each.role), rules, nowMs))
  const allGo = together && !gone && phased.some(({ phase }) => phase === 'Recreating')
  const replicas = phased
    .map((each): Replica => (allGo ? { ...each, phase: 'Recreating' } : each))
    .sort((a, b) => a.role.localeCompare(b.role) || a.ordinal - b.ordinal)
  return {
    ordinal,
    replicas,
    revision,
    deleting: !gone && pods.every((pod) => pod.deleting),
    gone,
    ready: !gone && roles.every((role) => runningIn(replicas, role.name) >= role.replicas),
    roles,
  }
}

/** Pods of a later making than the one remembered: what is remembered is not about them. */
function isNewer(pods: readonly PodFacts[] | undefined, memory: ReplicaMemory | undefined): boolean {
  if (pods === undefined || memory === undefined) return false
  return pods.some((pod) => pod.incarnation > memory.incarnation)
}

interface Remembered {
  readonly group: GroupMemory
  /** What is remembered is about a former making. */
  readonly isOver: boolean
}

function seenOf(name: string, pods: readonly PodFacts[], { group, isOver }: Remembered, rules: Rules): Seen {
  const cut = name.lastIndexOf('-')
  const role = name.slice(0, cut)
  const memory = group.replicas.get(name)
  const live = pods.filter((pod) => !pod.deleting)
  const first = live[0] ?? pods[0]
  const revision = first?.revision ?? memory?.revision ?? group.revision
  return {
    role,
    ordinal: Number(name.slice(cut + 1)),
    pods,
    live,
    complete: live.length > 0 && live.length >= (live[0]?.groupSize ?? 1),
    former: isOver ? 'Creating' : (memory?.phase ?? 'Creating'),
    incarnation: first?.incarnation ?? memory?.incarnation ?? 1,
    makes: first?.incarnation ?? incarnationAfter(memory),
    revision,
    outdated:
      revision !== rules.update && hashOf(revision, role, first, rules) !== rules.roleHashOf(rules.update, role),
  }
}

/** Snapshots are asked before labels: another implementation hashes otherwise. */
const hashOf = (revision: string | undefined, role: string, pod: PodFacts | undefined, rules: Rules) =>
  rules.roleHashOf(revision, role) ?? pod?.roleHash

/** One that was only going to be made was not made yet. */
function incarnationAfter(memory: ReplicaMemory | undefined): number {
  if (memory === undefined) return 1
  return memory.phase === 'Creating' ? memory.incarnation : memory.incarnation + 1
}

/**
 * The one that its pods name. Where they differ because roles were replaced one by one: the present one as soon as no
 * role is outdated, until then the former.
 */
function revisionOf(
  pods: readonly PodFacts[],
  seen: readonly Seen[],
  memory: GroupMemory,
  rules: Rules,
): string | undefined {
  if (pods.length === 0) return memory.revision
  const live = pods.some((pod) => !pod.deleting)
  const named = new Set<string | undefined>()
  for (const pod of pods) if (!live || !pod.deleting) named.add(pod.revision)
  if (rules.byRole || named.size > 1) {
    if (seen.every((each) => !each.outdated)) return rules.update
    const former = [...named].find((each) => each !== undefined && each !== rules.update)
    return memory.revision !== undefined && memory.revision !== rules.update ? memory.revision : former
  }
  return [...named][0]
}

/** Counts follow the present spec; a role that it lacks stays as it is until its group is replaced. */
function rolesOf(revision: string | undefined, seen: readonly Seen[], rules: Rules): readonly GroupRole[] {
  if (rules.byRole || revision === rules.update) return rules.roles
  const own = rules.rolesOf(revision)
  if (own === undefined) return rules.roles
  return own.map(({ name, workerReplicas }) => ({
    name,
    workerReplicas,
    replicas:
      rules.roles.find((role) => role.name === name)?.replicas ?? seen.filter((each) => each.role === name).length,
  }))
}

const isShort = ({ name, replicas }: GroupRole, seen: readonly Seen[]): boolean =>
  seen.filter((each) => each.role === name && each.complete).length < replicas

const runningIn = (replicas: readonly Replica[], role: string): number =>
  replicas.filter((each) => each.role === role && each.phase === 'Running').length

function replicaOf(seen: Seen, short: boolean, rules: Rules, nowMs: number): Replica {
  const { role, ordinal, pods, revision, incarnation, makes, outdated } = seen
  return { role, ordinal, pods, revision, incarnation, makes, outdated, phase: phaseOf(seen, short, rules, nowMs) }
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
