import type { AutoscalingPolicyStatus } from '#api/autoscaling-policy.ts'
import type { AutoscalingPolicyBindingStatus } from '#api/autoscaling-policy-binding.ts'
import type { ScalingDecision, ScalingHistory } from '#api/schemas/autoscaling-status.ts'
import { isFault, messageOf } from '#base/fault.ts'
import type { Outcome } from '#controller/domain.ts'
import { setCondition } from '#machinery/conditions.ts'
import type { Condition } from '#machinery/meta.ts'
import type { Decision, RatioVerdict, Verdict } from './decide.ts'
import { explain, shownNumber } from './explain.ts'
import { historyOf, timeOf } from './history.ts'
import type { Measured, Observed, Problem } from './observe.ts'
import { verdictOn } from './plan.ts'

/** Decisions that are kept, those of all pools together. */
const mostDecisions = 10

type UnitStatus = NonNullable<AutoscalingPolicyBindingStatus['targets']>[number]

/** What a policy and a binding have in common. */
export interface Told {
  readonly observedGeneration?: number | undefined
  readonly conditions?: Condition[] | undefined
  readonly decisions?: ScalingDecision[] | undefined
  readonly history?: ScalingHistory[] | undefined
}

export interface StatusInput<S extends Told> {
  readonly generation: number | undefined
  readonly former: S | undefined
  readonly observed: Observed
  readonly outcome: Outcome
  readonly nowMs: number
}

/** The status of a binding; undefined where there is nothing new to tell. */
export function bindingStatus(
  input: StatusInput<AutoscalingPolicyBindingStatus>,
): AutoscalingPolicyBindingStatus | undefined {
  const told = tell(input)
  if (told === undefined || told.verdict === undefined) return told?.status
  return { ...told.status, targets: unitsOf(told.verdict, input, input.former?.targets) }
}

/** The status of a policy that says itself what it scales, in the shape of its target. */
export function policyStatus(input: StatusInput<AutoscalingPolicyStatus>): AutoscalingPolicyStatus | undefined {
  const told = tell(input)
  const { former, observed } = input
  if (told === undefined || told.verdict === undefined || observed.kind !== 'measured') return told?.status
  const { status, verdict } = told
  switch (observed.target.shape) {
    case 'homogeneous': {
      const [homogeneousStatus] = unitsOf(verdict, input, former?.homogeneousStatus && [former.homogeneousStatus])
      return { ...status, ...(homogeneousStatus !== undefined && { homogeneousStatus }) }
    }
    case 'heterogeneous':
      return { ...status, heterogeneousStatus: unitsOf(verdict, input, former?.heterogeneousStatus) }
    case 'disaggregated':
      return {
        ...status,
        disaggregatedStatus: {
          roles: unitsOf(verdict, input, former?.disaggregatedStatus?.roles),
          ...ratioStatus(observed, verdict.ratio),
        },
      }
  }
}

function ratioStatus({ target }: Measured, verdict: RatioVerdict | undefined) {
  if (target.ratio === undefined || verdict === undefined) return {}
  const { numerator: numeratorRole, denominator: denominatorRole } = target.ratio
  return {
    ratioAdjusted: verdict.adjusted,
    ...(verdict.ratio !== undefined && {
      ratioStatus: { numeratorRole, denominatorRole, currentRatio: String(verdict.ratio) },
    }),
  }
}

/** Undefined: somebody wrote first, or it is not time yet. */
function tell<S extends Told>(input: StatusInput<S>): { readonly status: S; readonly verdict?: Verdict } | undefined {
  const { generation, former, observed, outcome, nowMs } = input
  if (observed.kind === 'not-due' || observed.kind === 'idle') return undefined
  const told = (conditions: readonly ToldCondition[], rest: Told): S => {
    const status = {
      ...former,
      ...rest,
      ...(generation !== undefined && { observedGeneration: generation }),
      conditions: conditionsOf(former?.conditions, conditions, generation, nowMs),
    }
    return status as S // what it had, with members that every such status has
  }
  if (observed.kind === 'refused') return { status: told(refused(observed.problem), {}) }
  const failures = outcome.failures.filter(({ error }) => !isFault(error, 'conflict'))
  if (failures.length > 0) {
    const message = failures.map(({ error }) => messageOf(error)).join('; ')
    return { status: told([{ type: 'Ready', status: 'False', reason: 'ReconcileFailed', message }, found], {}) }
  }
  if (!outcome.complete) return undefined
  const verdict = verdictOn(observed, nowMs)
  const rest = {
    decisions: decisionsOf(verdict.decisions, former?.decisions ?? []),
    history: historyOf(verdict.memories, former?.history),
  }
  return { status: told(measured(verdict), rest), verdict }
}

type ToldCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

const found: ToldCondition = {
  type: 'TargetFound',
  status: 'True',
  reason: 'TargetFound',
  message: 'every target is there',
}

/** Refusals that are not about the target. */
const elsewhere: ReadonlySet<string> = new Set(['PolicyNotFound', 'PolicyInvalid', 'Conflict'])

function refused({ reason, message }: Problem): ToldCondition[] {
  const about: ToldCondition = { type: 'TargetFound', status: 'False', reason, message }
  return [
    { type: 'Ready', status: 'False', reason, message },
    ...(elsewhere.has(reason) ? [] : [about]),
    { type: 'ScalingActive', status: 'False', reason, message: 'nothing is scaled' },
  ]
}

function measured({ decisions, ratio }: Verdict): ToldCondition[] {
  const silent = decisions.filter(({ rule }) => rule === 'NoMetrics')
  const partial = decisions.filter(
    ({ metrics, rule }) => rule !== 'NoMetrics' && rule !== 'Fixed' && rule !== 'AtZero' && metrics.some(isSilent),
  )
  const about = (list: readonly Decision[]): string => list.map(silenceOf).join('; ')
  const active: ToldCondition =
    silent.length > 0
      ? { type: 'ScalingActive', status: 'False', reason: 'MetricsUnavailable', message: about(silent) }
      : partial.length > 0
        ? { type: 'ScalingActive', status: 'True', reason: 'MetricsPartial', message: about(partial) }
        : { type: 'ScalingActive', status: 'True', reason: 'MetricsValid', message: 'all metrics are there' }
  return [
    active.status === 'True'
      ? { type: 'Ready', status: 'True', reason: 'Reconciled', message: 'the numbers are as decided' }
      : { type: 'Ready', status: 'False', reason: active.reason, message: active.message },
    found,
    active,
    ...(ratio === undefined ? [] : [ratioCondition(ratio)]),
  ]
}

type Metric = Decision['metrics'][number]

const isSilent = ({ proposal, silence }: Metric): boolean => proposal === undefined || silence !== undefined

function silenceOf({ pool, metrics }: Decision): string {
  const silent = metrics.filter(isSilent).map(({ name, why, silence }) => `${name}: ${silence ?? why ?? 'no value'}`)
  return `${pool}: ${silent.join(', ') || 'it has no metric'}`
}

function ratioCondition({ violated }: RatioVerdict): ToldCondition {
  const type = 'RatioConstraintViolated'
  return violated
    ? {
        type,
        status: 'True',
        reason: 'Infeasible',
        message: 'no whole numbers within the bounds, and within the pace of this moment, have this ratio',
      }
    : { type, status: 'False', reason: 'Satisfied', message: 'the roles are in the ratio asked for' }
}

function conditionsOf(
  former: readonly Condition[] | undefined,
  told: readonly ToldCondition[],
  generation: number | undefined,
  nowMs: number,
): Condition[] {
  const observedGeneration = generation === undefined ? {} : { observedGeneration: generation }
  const own = (former ?? []).filter(({ type }) => told.some((each) => each.type === type))
  return told.reduce((list, condition) => setCondition(list, { ...condition, ...observedGeneration }, nowMs), own)
}

/**
 * The newest first. One with the same outcome as the last of its pool only brings its numbers up to date, and that only where
 * they ask for something else: metrics that waver are not worth a write.
 */
function decisionsOf(decisions: readonly Decision[], former: readonly ScalingDecision[]): ScalingDecision[] {
  return decisions
    .reduce((list: readonly ScalingDecision[], decision) => {
      const next = recordOf(decision)
      const at = list.findIndex(({ pool }) => pool === decision.pool)
      const last = list[at]
      if (last === undefined || !sameOutcome(last, next)) return [next, ...list]
      return sameStages(last, next) ? list : list.with(at, { ...next, time: last.time })
    }, former)
    .slice(0, mostDecisions)
}

function sameOutcome(a: ScalingDecision, b: ScalingDecision): boolean {
  return a.rule === b.rule && a.current === b.current && a.desired === b.desired && a.mode === b.mode
}

function sameStages(a: ScalingDecision, b: ScalingDecision): boolean {
  return a.recommended === b.recommended && a.stabilized === b.stabilized && a.limited === b.limited
}

function recordOf(decision: Decision): ScalingDecision {
  const { atMs, pool, current, recommended, stabilized, limited, desired, mode, rule, metrics } = decision
  return {
    time: timeOf(atMs),
    pool,
    current,
    ...(recommended !== undefined && { recommended }),
    stabilized,
    limited,
    desired,
    mode,
    rule,
    message: explain(decision),
    metrics: metrics.map(({ name, value, target, proposal, why }) => ({
      name,
      target: shownNumber(target),
      ...(value !== undefined && { value: shownNumber(value) }),
      ...(proposal !== undefined && { proposal }),
      ...(why !== undefined && { note: why }),
    })),
  }
}

function unitsOf<S extends Told>(
  { decisions }: Verdict,
  { nowMs }: StatusInput<S>,
  former: readonly UnitStatus[] | undefined,
): UnitStatus[] {
  return decisions.flatMap(({ mode, members }) =>
    members.map(({ name, current, desired }) => {
      const before = former?.find((unit) => unit.name === name)?.lastScaleTime
      const lastScaleTime = current === desired ? before : timeOf(nowMs)
      return {
        name,
        currentReplicas: current,
        desiredReplicas: desired,
        mode,
        ...(lastScaleTime !== undefined && { lastScaleTime }),
      }
    }),
  )
}
