/* Small targets and facts for the tests of this folder. */
import { type Behavior, effectiveBehavior, type Pace } from './behavior.ts'
import { decide, type Decision, type Memories } from './decide.ts'
import type { MemberFacts, MemberReading, PoolFacts } from './measure.ts'
import type { Member, MetricSpec, Pool, ScalingTarget } from './scaling-target.ts'

export const podMetric = (name = 'load', target = 10): MetricSpec => ({
  name,
  target,
  source: { kind: 'pod', metric: name, path: '/metrics', port: 8000, selector: [], merge: 'Sum' },
})

export function member(change: Partial<Member> = {}): Member {
  return {
    name: 'chat',
    ref: { apiVersion: 'workload.serving.volcano.sh/v1alpha1', kind: 'ModelServing', name: change.name ?? 'chat' },
    cost: 0,
    capacity: 1,
    min: 1,
    max: 100,
    zeroGraceMs: 30_000,
    metrics: [podMetric()],
    ...change,
  }
}

export function scalingTarget(change: Partial<ScalingTarget> = {}): ScalingTarget {
  return {
    shape: 'homogeneous',
    toleranceRatio: 0.1,
    behavior: effectiveBehavior(undefined),
    pools: [pool([member()])],
    costExpansionRatePercent: 200,
    ...change,
  }
}

export function pool(members: readonly Member[]): Pool {
  return { name: members.length === 1 ? (members[0]?.name ?? '') : 'pool', members }
}

/** As the defaults have it, but for what is given; windows and periods of 0 unless given. */
export function pace(change: Partial<Pace> = {}): Pace {
  return { instances: 0, percent: 100, periodMs: 60_000, select: 'Or', windowMs: 0, ...change }
}

export const free: Behavior = { up: pace({ periodMs: 0 }), down: pace({ periodMs: 0 }) }

export function pods(values: readonly number[], change: { missing?: number; unready?: number } = {}): MemberReading {
  return { kind: 'pods', values, additive: true, missing: 0, unready: 0, ...change }
}

export function facts(
  current: number,
  readings: Readonly<Record<string, MemberReading>>,
  change: Partial<MemberFacts> = {},
): MemberFacts {
  return { current, podsEach: 1, readings, demand: undefined, ...change }
}

/** `total` spread evenly over the instances that are there. */
export function spread(current: number, total: number): MemberReading {
  return pods(Array.from({ length: current }, () => total / current))
}

export interface Replay {
  readonly target: ScalingTarget
  readonly start: number
  /** The load of each tick. */
  readonly loads: readonly (number | undefined)[]
  readonly tickMs?: number
  readonly memories?: Memories
  /** What the members find; default the load spread over the pods of the one member. */
  readonly factsOf?: (current: number, load: number | undefined) => PoolFacts
}

/** The decisions of a target that follows them at once. */
export function replay({ target, start, loads, tickMs = 15_000, memories = {}, factsOf = chatFacts }: Replay) {
  const decisions: Decision[] = []
  let current = start
  let memory = memories
  loads.forEach((load, i) => {
    const verdict = decide({
      target,
      facts: factsOf(current, load),
      memories: memory,
      nowMs: i * tickMs,
      tickMs,
      returning: i === 0,
    })
    const [decision] = verdict.decisions
    if (decision === undefined) throw new Error('a target without pools')
    decisions.push(decision)
    memory = verdict.memories
    current = decision.desired
  })
  return { decisions, memories: memory, counts: decisions.map(({ desired }) => desired) }
}

function chatFacts(current: number, load: number | undefined): PoolFacts {
  const reading: MemberReading = load === undefined ? { kind: 'none', why: 'gone' } : spread(current, load)
  return { chat: facts(current, { load: reading }) }
}
