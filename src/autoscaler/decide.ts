/**
 * From what was measured to what is done, stage by stage, and why. Pure: a recorded hour of metrics replays as a test, and
 * what is kept of the past is an argument.
 *
 *     measure → recommend → stabilise → limit → clamp → (ratio of roles) → share among members → last instance
 */
import { lookBackMs } from './behavior.ts'
import { blocksOf, distribute } from './cost-order.ts'
import { correct, type Correction, type CorrectionRule } from './correct.ts'
import { type Demand, demandOf, measure, type PoolFacts, sumOf } from './measure.ts'
import { type Memory, type Moment, noMemory, recall, remember } from './memory.ts'
import { enforceRatio } from './ratio.ts'
import { type MetricVerdict, recommend, type RecommendRule, type Recommendation } from './recommend.ts'
import type { Member, Pool, RatioConstraint, ScalingTarget } from './scaling-target.ts'

export type Rule =
  | RecommendRule
  | CorrectionRule
  | 'MaximumReached'
  | 'MinimumReached'
  | 'Ratio'
  | 'Waking'
  | 'AtZero'
  | ZeroRule

/** Why the last instance stays. */
type ZeroRule = 'Busy' | 'IdleGrace' | 'NoWakeSignal'

/** One pool's number, and how it came about. Numbers are instances, those of the weakest member in a pool with capacities. */
export interface Decision {
  readonly pool: string
  readonly atMs: number
  readonly current: number
  /** Within the bounds; undefined when nothing usable was measured. */
  readonly recommended: number | undefined
  readonly stabilized: number
  readonly limited: number
  readonly desired: number
  readonly mode: Correction['mode']
  /** The last rule that made a difference. */
  readonly rule: Rule
  readonly metrics: readonly MetricVerdict[]
  readonly members: readonly MemberDecision[]
}

export interface MemberDecision {
  readonly name: string
  readonly current: number
  readonly desired: number
}

export interface Verdict {
  readonly decisions: readonly Decision[]
  /** By the name of the pool; what the next pass must know. */
  readonly memories: Memories
  readonly ratio?: RatioVerdict
}

export interface RatioVerdict {
  readonly ratio: number | undefined
  readonly adjusted: boolean
  readonly violated: boolean
}

export type Memories = Readonly<Record<string, Memory>>

export interface DecideInput extends Omit<Moment, 'lookBackMs'> {
  readonly target: ScalingTarget
  /** Of every member of every pool, by its name. */
  readonly facts: PoolFacts
  readonly memories: Memories
}

export function decide({ target, facts, memories, ...times }: DecideInput): Verdict {
  const moment = { ...times, lookBackMs: lookBackMs(target.behavior) }
  const drafts = target.pools.map((pool) => draft(target, pool, facts, memories[pool.name] ?? noMemory, moment))
  const { balanced, ratio } = balance(target.ratio, drafts)
  const settled = balanced.map((each) => settle(target, each, facts, moment))
  return {
    decisions: settled.map(({ decision }) => decision),
    memories: Object.fromEntries(settled.map(({ decision, memory }) => [decision.pool, memory])),
    ...(ratio !== undefined && { ratio }),
  }
}

/** One pool by itself, in units of its weakest member. */
interface Draft {
  readonly pool: Pool
  readonly memory: Memory
  readonly current: number
  readonly recommendation: Recommendation
  readonly correction: Correction
  readonly desired: number
  readonly rule: Rule
}

function draft(target: ScalingTarget, pool: Pool, facts: PoolFacts, former: Memory, moment: Moment): Draft {
  const sum = (of: (member: Member) => number) => pool.members.reduce((total, m) => total + of(m) * m.capacity, 0)
  const current = sum(({ name }) => facts[name]?.current ?? 0)
  const [min, max] = [sum((member) => member.min), sum((member) => member.max)]
  const memory = recall(former, current, moment)
  const { toleranceRatio, behavior } = target
  const metrics = measure(pool, facts)
  const recommendation = recommend({ current, min, max, toleranceRatio, metrics })
  const waking = current === 0 && max > 0 && (demandOf(pool, facts)?.waiting ?? 0) > 0
  const recommended = Math.max(recommendation.replicas ?? current, waking ? 1 : 0)
  const correction = correct({ current, recommended, min, max, behavior, memory, nowMs: moment.nowMs })
  const rule =
    waking && (recommendation.replicas ?? 0) <= 1 ? 'Waking' : ruleOf({ recommendation, correction, min, max, current })
  return { pool, memory, current, recommendation, correction, desired: correction.desired, rule }
}

function ruleOf(stages: {
  readonly recommendation: Recommendation
  readonly correction: Correction
  readonly min: number
  readonly max: number
  readonly current: number
}): Rule {
  const { recommendation, correction, min, max, current } = stages
  const { uncut, rule } = recommendation
  if (rule === 'BelowMinimum' || rule === 'AboveMaximum' || rule === 'Fixed') return rule
  if (correction.rule !== undefined) return correction.rule
  if (uncut === undefined) return current === 0 ? 'AtZero' : rule
  if (uncut > max) return 'MaximumReached'
  return uncut < min ? 'MinimumReached' : rule
}

/** The ratio moves a number no further than the pace allows in this pass. */
function balance(
  constraint: RatioConstraint | undefined,
  drafts: readonly Draft[],
): { readonly balanced: readonly Draft[]; readonly ratio?: RatioVerdict } {
  const top = drafts.find(({ pool }) => pool.name === constraint?.numerator)
  const bottom = drafts.find(({ pool }) => pool.name === constraint?.denominator)
  if (constraint === undefined || top === undefined || bottom === undefined) return { balanced: drafts }
  const side = ({ desired, correction: { allowed } }: Draft) => ({
    replicas: desired,
    // What its own rules made of it is always allowed.
    min: Math.min(allowed.least, desired),
    max: Math.max(allowed.most, desired),
  })
  const result = enforceRatio({ numerator: side(top), denominator: side(bottom), range: constraint })
  const moved = (each: Draft, desired: number): Draft =>
    desired === each.desired ? each : { ...each, desired, rule: 'Ratio' }
  return {
    balanced: drafts.map((each) =>
      each === top ? moved(each, result.numerator) : each === bottom ? moved(each, result.denominator) : each,
    ),
    ratio: { ratio: result.ratio, adjusted: result.adjusted, violated: result.violated },
  }
}

/** Shares the pool's number among its members; the last instance of one goes only when nobody can miss it. */
function settle(
  { costExpansionRatePercent, behavior }: ScalingTarget,
  { pool, memory, current, recommendation, correction, desired, rule }: Draft,
  facts: PoolFacts,
  moment: Moment,
): { readonly decision: Decision; readonly memory: Memory } {
  const { nowMs } = moment
  const { members } = pool
  const shares = distribute(members, blocksOf(members, costExpansionRatePercent), desired)
  const idleSinceMs: Record<string, number> = {}
  let zeroRule: Rule | undefined
  const counts = members.map((member, i) => {
    const share = shares[i] ?? member.min
    if (share > 0) return share
    const { busy, waiting } = useOf(member, pool, facts, shares)
    const now = facts[member.name]?.current ?? 0
    if (now === 0) {
      if (waiting) zeroRule = 'Waking'
      return waiting ? 1 : 0
    }
    if (!busy) idleSinceMs[member.name] = memory.idleSinceMs[member.name] ?? nowMs
    const held = holdAtOne(member, { busy, wakes: wakes(member, facts) || desired > 0, idleSinceMs, nowMs })
    if (held !== undefined) zeroRule = held
    return held === undefined ? 0 : 1
  })
  const total = members.reduce((sum, { capacity }, i) => sum + capacity * (counts[i] ?? 0), 0)
  const { mode, stabilized, limited, panicUntilMs } = correction
  const lasting = panicUntilMs !== undefined && nowMs < panicUntilMs + 2 * (behavior.panic?.holdMs ?? 0)
  const { panicUntilMs: _, ...rest } = memory
  return {
    decision: {
      pool: pool.name,
      atMs: nowMs,
      current,
      recommended: recommendation.replicas,
      stabilized,
      limited,
      desired: total,
      mode,
      rule: zeroRule ?? rule,
      metrics: recommendation.metrics,
      members: members.map(({ name }, i) => ({ name, current: facts[name]?.current ?? 0, desired: counts[i] ?? 0 })),
    },
    memory: {
      ...remember(rest, { recommended: recommendation.replicas, current, desired: total }, moment),
      idleSinceMs,
      ...(lasting && { panicUntilMs }),
    },
  }
}

/** What routers have for a member alone: a server that another member goes on serving says nothing of this one. */
function useOf(
  member: Member,
  { members }: Pool,
  facts: PoolFacts,
  shares: readonly number[],
): { readonly busy: boolean; readonly waiting: boolean } {
  const others = members.filter((other, i) => other !== member && (shares[i] ?? 0) > 0)
  const served = new Set(others.flatMap(({ name }) => Object.keys(facts[name]?.demand ?? {})))
  const own: Demand[] = Object.entries(facts[member.name]?.demand ?? {}).flatMap(([server, demand]) =>
    served.has(server) ? [] : [demand],
  )
  const { inFlight, waiting } = sumOf(own)
  return { busy: inFlight + waiting > 0, waiting: waiting > 0 }
}

/** Whether something would notice that the member is needed again. */
function wakes({ name, metrics }: Member, facts: PoolFacts): boolean {
  const { demand } = facts[name] ?? {}
  return Object.keys(demand ?? {}).length > 0 || metrics.some(({ source }) => source?.kind === 'prometheus')
}

function holdAtOne(
  { name, zeroGraceMs }: Member,
  state: {
    readonly busy: boolean
    readonly wakes: boolean
    readonly idleSinceMs: Readonly<Record<string, number>>
    readonly nowMs: number
  },
): ZeroRule | undefined {
  if (state.busy) return 'Busy'
  if (!state.wakes) return 'NoWakeSignal'
  const sinceMs = state.idleSinceMs[name] ?? state.nowMs
  return state.nowMs - sinceMs < zeroGraceMs ? 'IdleGrace' : undefined
}
