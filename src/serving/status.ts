import type { ModelServing, ModelServingStatus } from '#api/model-serving.ts'
import type { Pod } from '#api/core/types.generated.ts'
import { volcanoAnnotations } from '#api/volcano.ts'
import type { Outcome } from '#controller/domain.ts'
import { conditionsOf, type Counts, withoutSpec } from './conditions.ts'
import { podLabelsOf } from './dialect.ts'
import { failingOf } from './failing.ts'
import type { Group, Replica } from './groups.ts'
import type { Wanted } from './moves.ts'
import { replicaName } from './names.ts'
import type { Observed } from './observe.ts'
import { hasTemplate, toldOf, type View, viewOf } from './view.ts'

type GroupStatus = NonNullable<ModelServingStatus['groups']>[number]
type RoleStatus = NonNullable<ModelServingStatus['roles']>[number]

export function status(
  serving: ModelServing,
  observed: Observed,
  outcome: Outcome,
  nowMs: number,
): ModelServingStatus | undefined {
  if (serving.metadata.deletionTimestamp !== undefined) return undefined
  if (!hasTemplate(serving)) return withoutSpec(serving, nowMs)
  // The pods just made wake this key: the first status waits for them instead of telling that there are none yet.
  if (serving.status === undefined && outcome.complete && outcome.written > 0) return undefined
  const view = viewOf(serving, observed, nowMs)
  const { wanted, history } = view
  const groups = toldOf(view.groups, wanted)
  const present = groups.filter((group) => !group.deleting && !group.gone)
  const updated = present.filter((group) => group.revision === history.update)
  const failing = failingOf(observed.pods, nowMs)
  const outdated = present.filter((group) => awaitsUpdate(group, wanted))
  const counts: Counts = {
    wanted: wanted.replicas,
    serving: present.filter((group) => group.ready && !outdated.includes(group)).length,
    outdated: outdated.map((group) => group.ordinal),
    unready: groups.filter((group) => !group.ready || group.deleting).map((group) => group.ordinal),
    paused: wanted.paused,
  }
  return {
    observedGeneration: serving.metadata.generation ?? 0,
    replicas: present.length,
    updatedReplicas: updated.length,
    currentReplicas: present.filter((group) => group.revision === wanted.current).length,
    availableReplicas: present.filter((group) => group.ready).length,
    currentRevision: wanted.current,
    updateRevision: history.update,
    ...(wanted.served !== undefined && { servedRevision: wanted.served }),
    labelSelector: scaleSelector(serving, present),
    roles: serving.spec.template.roles.map(({ name }) => roleStatus(name, present, view)),
    groups: groups.map(groupStatus),
    conditions: conditionsOf(
      serving,
      { counts, failing, outcome, volcano: observed.volcano, alone: outsideGang(observed.pods) },
      nowMs,
    ),
  }
}

/** Whether the rollout is yet to come to the group, or to a part of it. */
function awaitsUpdate(group: Group, { rules, pace, paceOf }: Wanted): boolean {
  if (group.revision === rules.update || (!rules.byRole && group.ordinal < pace.partition)) return false
  return !rules.byRole || group.replicas.some((each) => each.outdated && each.ordinal >= paceOf(each.role).partition)
}

function outsideGang(pods: readonly Pod[]): string | undefined {
  return pods.find(({ metadata: { annotations, deletionTimestamp } }) => {
    return deletionTimestamp === undefined && annotations?.[volcanoAnnotations.groupName] === undefined
  })?.metadata.name
}

function groupStatus({ ordinal, revision, ready, replicas }: Group): GroupStatus {
  return {
    ordinal,
    ...(revision !== undefined && { revision }),
    ready,
    roles: replicas.map((replica) => ({
      name: replicaName(replica.role, replica.ordinal),
      phase: replica.phase,
      ...(replica.revision !== undefined && replica.revision !== revision && { revision: replica.revision }),
      ...(replica.incarnation > 1 && { incarnation: replica.incarnation }),
    })),
  }
}

function roleStatus(name: string, groups: readonly Group[], { history }: View): RoleStatus {
  const replicas = groups.flatMap((group) =>
    group.replicas.filter((each) => each.role === name && each.pods.length > 0),
  )
  return {
    name,
    replicas: replicas.length,
    readyReplicas: replicas.filter(({ phase }) => phase === 'Running').length,
    updatedReplicas: replicas.filter(({ outdated }) => !outdated).length,
    revision: history.roleHashOf(history.update, name) ?? '',
  }
}

/**
 * Selects one pod a group, so that an autoscaler that averages over pods averages over groups: the entry pod of the
 * instance that most groups have. The lowest ordinal may have gone in a scale-down.
 */
function scaleSelector(serving: ModelServing, groups: readonly Group[]): string {
  const { metadata, spec } = serving
  const podLabels = podLabelsOf(serving)
  const role = spec.template.roles.find(({ replicas }) => replicas > 0) ?? spec.template.roles[0]
  const name = role?.name ?? ''
  return Object.entries({
    [podLabels.entry]: 'true',
    [podLabels.name]: metadata.name ?? '',
    [podLabels.role]: name,
    [podLabels.roleId]: replicaName(
      name,
      commonest(
        groups.flatMap(({ replicas }) => replicas),
        name,
      ),
    ),
  })
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

function commonest(replicas: readonly Replica[], role: string): number {
  const counts = new Map<number, number>()
  for (const each of replicas) {
    if (each.role === role && each.phase !== 'Deleting') counts.set(each.ordinal, (counts.get(each.ordinal) ?? 0) + 1)
  }
  return [...counts].sort(([a, times], [b, others]) => others - times || a - b)[0]?.[0] ?? 0
}
