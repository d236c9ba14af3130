/** What the status says in words: each condition is one question, answered from the same observation as the plan. */
import type { ModelServing, ModelServingStatus } from '#api/model-serving.ts'
import { isFault, messageOf } from '#base/fault.ts'
import type { Outcome } from '#controller/domain.ts'
import { failureText } from '#controller/failures.ts'
import { findCondition, setCondition } from '#machinery/conditions.ts'
import type { Condition } from '#machinery/meta.ts'
import type { Failing } from './failing.ts'
import { asksForGang, topologyOf } from './gang.ts'
import { pluginErrors } from './plugins/chain.ts'
import type { Volcano } from './volcano.ts'

export interface Counts {
  readonly wanted: number
  /** Ready groups that the rollout has done with. */
  readonly serving: number
  readonly outdated: readonly number[]
  readonly unready: readonly number[]
  readonly paused: boolean
}

interface Findings {
  readonly counts: Counts
  readonly failing: Failing | undefined
  readonly outcome: Outcome
  readonly volcano: Volcano
  /** A pod that no PodGroup holds. */
  readonly alone: string | undefined
}

type Verdict = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

export function conditionsOf(serving: ModelServing, findings: Findings, nowMs: number): Condition[] {
  const verdicts = [
    availability(findings),
    progress(findings),
    update(findings),
    podFailure(findings),
    nameConflict(serving, findings),
    gang(serving, findings),
    plugins(serving),
  ]
  return withVerdicts(
    serving,
    verdicts.filter((verdict) => verdict !== undefined),
    nowMs,
  )
}

/** An API server that lacks our rules may let this through. */
export function withoutSpec(serving: ModelServing, nowMs: number): ModelServingStatus {
  const message = 'spec.template.roles: is missing; write at least one role with an entryTemplate'
  const verdict: Verdict = { type: 'Available', status: 'False', reason: 'InvalidSpec', message }
  return {
    observedGeneration: serving.metadata.generation ?? 0,
    conditions: withVerdicts(serving, [verdict], nowMs),
  }
}

function withVerdicts({ metadata, status }: ModelServing, verdicts: readonly Verdict[], nowMs: number): Condition[] {
  const observedGeneration = metadata.generation ?? 0
  return verdicts.reduce<Condition[]>(
    (conditions, verdict) => setCondition(conditions, { ...verdict, observedGeneration }, nowMs),
    status?.conditions ?? [],
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
  if (counts.outdated.length > 0) {
    const message = 'an update is not over yet, see UpdateInProgress'
    return { type: 'Progressing', status: 'False', reason: 'GroupsUpdating', message }
  }
  return counts.serving < counts.wanted
    ? {
        type: 'Progressing',
        status: 'True',
        reason: 'GroupProgressing',
        message: `groups not ready: ${listOf(counts.unready)}`,
      }
    : { type: 'Progressing', status: 'False', reason: 'GroupsSettled', message: 'nothing to do' }
}

function update({ counts }: Findings): Verdict {
  return counts.outdated.length > 0
    ? {
        type: 'UpdateInProgress',
        status: 'True',
        reason: counts.paused ? 'RolloutPaused' : 'GroupsUpdating',
        message: `groups of an earlier template: ${listOf(counts.outdated)}${counts.paused ? '; the rollout is paused' : ''}`,
      }
    : {
        type: 'UpdateInProgress',
        status: 'False',
        reason: 'GroupsUpdated',
        message: 'all groups have the template that they shall have',
      }
}

/** `Unknown` stands for a container that may only need time. */
function podFailure({ failing }: Findings): Verdict {
  if (failing === undefined)
    return { type: 'PodsFailing', status: 'False', reason: 'NoFailure', message: 'no pod fails' }
  const { reason, message, definite } = failing
  return { type: 'PodsFailing', status: definite ? 'True' : 'Unknown', reason, message }
}

/** Two servings can give their pods the same name: `a` with a role `b-0-c`, and `a-0-b` with `c`. */
function nameConflict({ status }: ModelServing, { outcome }: Findings): Verdict | undefined {
  const failure = outcome.failures.find(({ error }) => isFault(error, 'conflict') && error.code === 'NameConflict')
  if (failure !== undefined) {
    return { type: 'NameConflict', status: 'True', reason: 'NameConflict', message: messageOf(failure.error) }
  }
  return findCondition(status?.conditions, 'NameConflict') === undefined
    ? undefined
    : { type: 'NameConflict', status: 'False', reason: 'NoConflict', message: 'all names are ours' }
}

/** Told only while it is so, or was. */
function plugins(serving: ModelServing): Verdict | undefined {
  const type = 'PluginsInvalid'
  const errors = pluginErrors(serving)
  if (errors.length > 0) {
    return { type, status: 'True', reason: 'PluginsInvalid', message: `no pod can be made: ${errors.join('; ')}` }
  }
  return findCondition(serving.status?.conditions, type) === undefined
    ? undefined
    : { type, status: 'False', reason: 'PluginsValid', message: 'all plugins can be used' }
}

/** Told only where a gang is asked for, or was. */
function gang(serving: ModelServing, { volcano, alone }: Findings): Verdict | undefined {
  const type = 'GangUnavailable'
  if (!asksForGang(serving)) {
    const message = 'neither gangPolicy nor networkTopology is set'
    const told = findCondition(serving.status?.conditions, type) !== undefined
    return told ? { type, status: 'False', reason: 'NotAskedFor', message } : undefined
  }
  if (volcano === 'absent') {
    const message =
      'pods are placed one by one: there are no PodGroups in this cluster; install Volcano (https://volcano.sh), then `fairlead rollout restart`'
    return { type, status: 'True', reason: 'VolcanoNotInstalled', message }
  }
  if (volcano === 'plain' && topologyOf(serving.spec.template.networkTopology).role !== undefined) {
    const message =
      'networkTopology.rolePolicy has no effect: the installed Volcano knows no subGroupPolicy; install 1.14 or newer'
    return { type, status: 'True', reason: 'SubGroupsNotSupported', message }
  }
  if (alone !== undefined) {
    const message = `pod ${alone} was made before there was Volcano, and is in no gang; \`fairlead rollout restart\` makes it anew`
    return { type, status: 'True', reason: 'PodsOutsideGang', message }
  }
  return { type, status: 'False', reason: 'PodGroupsApplied', message: 'the pods of each group are placed all or none' }
}

const ofGroups = ({ serving, wanted }: Counts): string => `${serving} of ${wanted} groups`

const listOf = (ordinals: readonly number[]): string => (ordinals.length === 0 ? 'not made yet' : ordinals.join(', '))

/** The first write that the server refused. */
function refusal({ failures }: Outcome): string | undefined {
  const first = failures[0]
  return first && `cannot ${first.step.do} ${failureText(first)}`
}
