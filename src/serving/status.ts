import type { ModelServing, ModelServingStatus } from '#api/model-serving.ts'
import { servingLabels } from '#api/labels.ts'
import type { Outcome } from '#controller/domain.ts'
import { messageOf } from '#base/fault.ts'
import { setCondition } from '#machinery/conditions.ts'
import type { Condition } from '#machinery/meta.ts'
import { type Failing, failingOf } from './failing.ts'
import type { Group } from './groups.ts'
import { replicaName } from './names.ts'
import type { Observed } from './observe.ts'
import { groupsIn, wantedBy } from './plan.ts'

export function status(
  serving: ModelServing,
  observed: Observed,
  outcome: Outcome,
  nowMs: number,
): ModelServingStatus | undefined {
  if (serving.metadata.deletionTimestamp !== undefined) return undefined
  // The pods just made wake this key: the first status waits for them instead of telling that there are none yet.
  if (serving.status === undefined && outcome.complete && outcome.written > 0) return undefined
  const { replicas, revision } = wantedBy(serving)
  const groups = groupsIn(serving, observed, nowMs).filter((group) => group.replicas.length > 0)
  const present = groups.filter((group) => !group.deleting)
  const updated = present.filter((group) => group.revision === revision)
  const former = currentRevision(serving, present, revision)
  const failing = failingOf(observed.pods, nowMs)
  const counts: Counts = {
    wanted: replicas,
    serving: updated.filter((group) => group.ready).length,
    outdated: present.filter((group) => group.revision !== revision).map((group) => group.ordinal),
    unready: groups.filter((group) => !group.ready || group.deleting).map((group) => group.ordinal),
  }
  return {
    observedGeneration: serving.metadata.generation ?? 0,
    replicas: groups.length,
    updatedReplicas: updated.length,
    currentReplicas: present.filter((group) => group.revision === former).length,
    availableReplicas: present.filter((group) => group.ready).length,
    currentRevision: former,
    updateRevision: revision,
    labelSelector: scaleSelector(serving),
    groups: groups.map((group) => ({
      ordinal: group.ordinal,
      ...(group.revision !== undefined && { revision: group.revision }),
      roles: group.replicas.map(({ role, ordinal, phase }) => ({ name: replicaName(role, ordinal), phase })),
    })),
    conditions: conditionsOf(serving, { counts, failing, outcome }, nowMs),
  }
}

/** The revision that is being left: kept while any group is on it. */
function currentRevision(serving: ModelServing, present: readonly Group[], update: string): string {
  const former = serving.status?.currentRevision
  if (former !== undefined && present.some((group) => group.revision === former)) return former
  return present.find((group) => group.revision !== undefined && group.revision !== update)?.revision ?? update
}

/** Selects one pod a group, so that an autoscaler that averages over pods averages over groups. */
function scaleSelector({ metadata, spec }: ModelServing): string {
  const role = spec.template.roles[0]?.name ?? ''
  return Object.entries({
    [servingLabels.entry]: 'true',
    [servingLabels.name]: metadata.name ?? '',
    [servingLabels.role]: role,
    [servingLabels.roleId]: replicaName(role, 0),
  })
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

interface Counts {
  readonly wanted: number
  /** Ready groups of the present template. */
  readonly serving: number
  readonly outdated: readonly number[]
  readonly unready: readonly number[]
}

interface Findings {
  readonly counts: Counts
  readonly failing: Failing | undefined
  readonly outcome: Outcome
}

type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

function conditionsOf(serving: ModelServing, findings: Findings, nowMs: number): Condition[] {
  const verdicts = [availability(findings), progress(findings), update(findings), podFailure(findings), gang(serving)]
  return verdicts
    .filter((verdict) => verdict !== undefined)
    .reduce<Condition[]>(
      (conditions, verdict) =>
        setCondition(conditions, { ...verdict, observedGeneration: serving.metadata.generation ?? 0 }, nowMs),
      serving.status?.conditions ?? [],
    )
}

function availability({ counts, failing, outcome }: Findings): Verdict {
  const available = counts.serving >= counts.wanted
  if (available) {
    return { type: 'Available', status: 'True', reason: 'AllGroupsReady', message: `${ofGroups(counts)} ready` }
  }
  const cause = failing?.message ?? refusal(outcome)
  const message = `${ofGroups(counts)} ready${cause === undefined ? '' : `: ${cause}`}`
  return { type: 'Available', status: 'False', reason: 'GroupsNotReady', message }
}

function progress({ counts, outcome }: Findings): Verdict {
  const cause = refusal(outcome)
  if (cause !== undefined) return { type: 'Progressing', status: 'False', reason: 'WriteFailed', message: cause }
  const moving = counts.serving < counts.wanted && counts.outdated.length === 0
  const message = moving ? `groups not ready: ${listOf(counts.unready)}` : 'nothing to do'
  return moving
    ? { type: 'Progressing', status: 'True', reason: 'GroupProgressing', message }
    : { type: 'Progressing', status: 'False', reason: 'GroupsSettled', message }
}

function update({ counts }: Findings): Verdict {
  return counts.outdated.length > 0
    ? {
        type: 'UpdateInProgress',
        status: 'True',
        reason: 'GroupsUpdating',
        message: `groups of an earlier template: ${listOf(counts.outdated)}`,
      }
    : {
        type: 'UpdateInProgress',
        status: 'False',
        reason: 'GroupsUpdated',
        message: 'all groups have the present template',
      }
}

/** `Unknown` stands for a container that may only need time. */
function podFailure({ failing }: Findings): Verdict {
  if (failing === undefined)
    return { type: 'PodsFailing', status: 'False', reason: 'NoFailure', message: 'no pod fails' }
  const { reason, message, definite } = failing
  return { type: 'PodsFailing', status: definite ? 'True' : 'Unknown', reason, message }
}

/** Nothing acts on these yet, so nobody shall believe that it does. */
function gang({ spec }: ModelServing): Verdict | undefined {
  if (spec.template.gangPolicy === undefined && spec.template.networkTopology === undefined) return undefined
  return {
    type: 'GangUnavailable',
    status: 'True',
    reason: 'NotImplemented',
    message: 'gangPolicy and networkTopology are stored but not acted on yet: pods are placed one by one',
  }
}

const ofGroups = ({ serving, wanted }: Counts): string => `${serving} of ${wanted} groups`

const listOf = (ordinals: readonly number[]): string => (ordinals.length === 0 ? 'not made yet' : ordinals.join(', '))

/** The first write that the server refused. */
function refusal({ failures }: Outcome): string | undefined {
  const first = failures[0]
  if (first === undefined) return undefined
  const { step } = first
  const name =
    'ref' in step ? `${step.ref.kind.kind} ${step.ref.name}` : `${step.kind.kind} ${step.object.metadata.name}`
  return `cannot ${step.do} ${name}: ${messageOf(first.error)}`
}
