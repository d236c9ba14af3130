/**
 * The moves to make now, from what there is towards what is wanted. Pure and stateless: progress is read off the
 * groups, so a restarted controller goes on from here.
 *
 * Guarantees: a group whose revision is the wanted one is never removed but for scaling down; ready groups are
 * replaced only while no more than `maxUnavailable` are missing (one: budgets and surge come later); an ordinal is
 * used again only when all pods that had it are gone.
 */
import type { ModelServingRole } from '#api/model-serving.ts'
import type { Group, Replica } from './groups.ts'
import { freeOrdinals, type PodPosition } from './names.ts'
import type { PodFacts } from './pod-facts.ts'

export interface Wanted {
  readonly replicas: number
  readonly roles: readonly Pick<ModelServingRole, 'name' | 'replicas' | 'workerReplicas'>[]
  readonly revision: string
}

export type MoveReason = 'scale' | 'rollout' | 'recovery'

export type Move =
  | { readonly do: 'create'; readonly position: PodPosition }
  | { readonly do: 'remove'; readonly pod: PodFacts; readonly reason: MoveReason }

const maxUnavailable = 1

export function movesOf(groups: readonly Group[], wanted: Wanted): Move[] {
  const live = groups.filter((group) => !group.deleting)
  const surplus = new Set(leastWanted(live, live.length - wanted.replicas, groupStanding))
  const kept = live.filter((group) => !surplus.has(group))
  const replaced = new Set(toReplace(kept, wanted))
  const fresh = kept.filter((group) => group.revision === wanted.revision)
  const added = freeOrdinals(new Set(groups.map((group) => group.ordinal)), wanted.replicas - groups.length)
  return [
    ...[...surplus].flatMap((group) => removeGroup(group, 'scale')),
    ...[...replaced].flatMap((group) => removeGroup(group, 'rollout')),
    ...fresh.flatMap((group) => replicaMoves(group.ordinal, group.replicas, wanted)),
    ...added.flatMap((ordinal) => replicaMoves(ordinal, [], wanted)),
  ]
}

/** Outdated groups that may go now: those that do not serve cost nothing; of the others, highest ordinal first. */
function toReplace(kept: readonly Group[], { revision, replicas }: Wanted): Group[] {
  const outdated = kept.filter((group) => group.revision !== revision)
  const unavailable = replicas - kept.filter((group) => group.ready).length
  const room = Math.max(0, maxUnavailable - unavailable)
  const serving = outdated.filter((group) => group.ready).sort((a, b) => b.ordinal - a.ordinal)
  return [...outdated.filter((group) => !group.ready), ...serving.slice(0, room)]
}

function replicaMoves(group: number, replicas: readonly Replica[], { roles }: Wanted): Move[] {
  const unknown = replicas.filter((replica) => !roles.some((role) => role.name === replica.role))
  return [
    ...roles.flatMap((role) =>
      roleMoves(
        group,
        role,
        replicas.filter((replica) => replica.role === role.name),
      ),
    ),
    ...unknown.flatMap((replica) => removePods(replica.pods, 'scale')),
  ]
}

function roleMoves(group: number, role: Wanted['roles'][number], present: readonly Replica[]): Move[] {
  const counted = present.filter((replica) => replica.phase !== 'Deleting')
  const surplus = new Set(leastWanted(counted, counted.length - role.replicas, replicaStanding))
  const added = freeOrdinals(new Set(present.map((replica) => replica.ordinal)), role.replicas - counted.length)
  return [
    ...present
      .filter((replica) => replica.phase === 'Deleting' || surplus.has(replica))
      .flatMap((replica) => removePods(replica.pods, 'scale')),
    ...counted
      .filter((replica) => !surplus.has(replica) && !replica.justGone)
      .flatMap((replica) =>
        replica.phase === 'Recreating'
          ? removePods(replica.pods, 'recovery')
          : missingPods(group, role, replica.ordinal, replica.pods),
      ),
    ...added.flatMap((ordinal) => missingPods(group, role, ordinal, [])),
  ]
}

function missingPods(group: number, role: Wanted['roles'][number], replica: number, pods: readonly PodFacts[]): Move[] {
  const finished = pods.filter((pod) => pod.finished)
  const taken = new Set(pods.map((pod) => pod.position.index))
  const creations = freeOrdinals(taken, role.workerReplicas + 1 - taken.size)
    .filter((index) => index <= role.workerReplicas)
    .map((index): Move => ({ do: 'create', position: { group, role: role.name, replica, index } }))
  return [...removePods(finished, 'recovery'), ...creations]
}

function removeGroup(group: Group, reason: MoveReason): Move[] {
  return group.replicas.flatMap((replica) => removePods(replica.pods, reason))
}

function removePods(pods: readonly PodFacts[], reason: MoveReason): Move[] {
  return pods.filter((pod) => !pod.deleting).map((pod) => ({ do: 'remove', pod, reason }))
}

/** What a scale-down weighs: those that do not serve go first, then the cheapest, then the highest ordinal. */
interface Standing {
  readonly ready: boolean
  readonly cost: number
  readonly ordinal: number
}

const groupStanding = (group: Group): Standing => ({
  ready: group.ready,
  cost: costOf(group.replicas.flatMap((replica) => replica.pods)),
  ordinal: group.ordinal,
})

const replicaStanding = (replica: Replica): Standing => ({
  ready: replica.phase === 'Running',
  cost: costOf(replica.pods),
  ordinal: replica.ordinal,
})

const costOf = (pods: readonly PodFacts[]): number => pods.reduce((sum, pod) => sum + pod.deletionCost, 0)

function leastWanted<T>(candidates: readonly T[], count: number, standingOf: (candidate: T) => Standing): T[] {
  if (count <= 0) return []
  return candidates
    .map((candidate) => ({ candidate, ...standingOf(candidate) }))
    .sort((a, b) => Number(a.ready) - Number(b.ready) || a.cost - b.cost || b.ordinal - a.ordinal)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}
