/**
 * How many instances the load asks for, as the Kubernetes HorizontalPodAutoscaler reckons it: the mean over the pods that
 * answered, against the target of one; what did not answer counts so that it can only slow a change down.
 * Source: kubernetes, pkg/controller/podautoscaler/replica_calculator.go.
 */
import type { Bounds } from './scaling-target.ts'

/** What was measured of one metric. */
export type Reading =
  /** Of each pod. Weights and values are those of a pod divided by the pods of one instance. */
  | {
      readonly kind: 'pods'
      readonly samples: readonly Sample[]
      /** Weight of pods that are ready and gave no value. */
      readonly missing: number
      /** Weight of pods that are not ready, or not there yet. */
      readonly unready: number
      /** Why some gave none. */
      readonly silence?: string
    }
  /** Of all instances together. */
  | { readonly kind: 'total'; readonly value: number }
  /** An average or a ratio, however many instances there are. */
  | { readonly kind: 'ratio'; readonly value: number }
  | { readonly kind: 'none'; readonly why: string }

export interface Sample {
  readonly value: number
  readonly weight: number
}

export interface MeasuredMetric {
  readonly name: string
  readonly target: number
  readonly reading: Reading
}

export interface Situation extends Bounds {
  readonly current: number
  readonly toleranceRatio: number
  readonly metrics: readonly MeasuredMetric[]
}

/** What one metric asks for. */
export interface MetricVerdict {
  readonly name: string
  readonly target: number
  /** Of one instance: what is compared with the target; undefined when nothing usable was measured. */
  readonly value: number | undefined
  readonly proposal: number | undefined
  /** Why there is no value, or why the value changes nothing. */
  readonly why: string | undefined
  /** Why it is the value of some pods only. */
  readonly silence: string | undefined
}

export const recommendRules = [
  'BelowMinimum',
  'AboveMaximum',
  'Fixed',
  'NoMetrics',
  'PartialMetrics',
  'WithinTolerance',
  'Load',
] as const
export type RecommendRule = (typeof recommendRules)[number]

export interface Recommendation {
  /** Within the bounds; undefined when nothing is known. */
  readonly replicas: number | undefined
  /** Before the bounds cut it. */
  readonly uncut: number | undefined
  readonly rule: RecommendRule
  readonly metrics: readonly MetricVerdict[]
}

/** Beyond this no number of instances makes sense. */
const mostReplicas = 1_000_000_000

/** The metric that asks for most wins; on part of the metrics nothing is taken away. Monotone in every value. */
export function recommend(situation: Situation): Recommendation {
  const { current, min, max } = situation
  const metrics = situation.metrics.map((metric) => verdictOn(metric, situation))
  const told = (rule: RecommendRule, uncut: number | undefined): Recommendation => ({
    replicas: uncut === undefined ? undefined : Math.min(Math.max(uncut, min), max),
    uncut,
    rule,
    metrics,
  })
  if (current < min) return told('BelowMinimum', min)
  if (current > max) return told('AboveMaximum', max)
  if (min === max) return told('Fixed', min)
  const proposals = metrics.flatMap(({ proposal }) => (proposal === undefined ? [] : [proposal]))
  if (proposals.length === 0) return told('NoMetrics', undefined)
  const most = Math.max(...proposals)
  if (most < current && proposals.length < metrics.length) return told('PartialMetrics', current)
  return told(most === current ? 'WithinTolerance' : 'Load', most)
}

function verdictOn({ name, target, reading }: MeasuredMetric, situation: Situation): MetricVerdict {
  const { value, proposal, why } = propose(reading, target, situation)
  return { name, target, value, proposal, why, silence: reading.kind === 'pods' ? reading.silence : undefined }
}

type Proposal = Pick<MetricVerdict, 'value' | 'proposal' | 'why'>

function propose(reading: Reading, target: number, { current, toleranceRatio }: Situation): Proposal {
  switch (reading.kind) {
    case 'none':
      return { value: undefined, proposal: undefined, why: reading.why }
    case 'total': {
      const demand = reading.value / target
      const value = current === 0 ? reading.value : reading.value / current
      const within = current > 0 && isNear(demand / current, toleranceRatio)
      return within ? tolerated(value, current) : { value, proposal: wholeUp(demand), why: undefined }
    }
    case 'ratio': {
      const { value } = reading
      if (isNear(value / target, toleranceRatio)) return tolerated(value, current)
      return { value, proposal: wholeUp((Math.max(current, value > 0 ? 1 : 0) * value) / target), why: undefined }
    }
    case 'pods':
      return proposeFromPods(reading, target, { current, toleranceRatio })
  }
}

function proposeFromPods(
  { samples, missing, unready }: Extract<Reading, { kind: 'pods' }>,
  target: number,
  { current, toleranceRatio }: Pick<Situation, 'current' | 'toleranceRatio'>,
): Proposal {
  const sum = samples.reduce((total, { value }) => total + value, 0)
  const weight = samples.reduce((total, sample) => total + sample.weight, 0)
  if (weight === 0) return { value: undefined, proposal: undefined, why: 'no pod gave a value' }
  const value = sum / weight
  const rises = value >= target
  // Going up, what did not answer is idle; going down, what did not answer is just at its target.
  const absent = missing + (rises ? unready : 0)
  const demand = sum / target + (rises ? 0 : missing)
  const ratio = demand / (weight + absent)
  if (isNear(ratio, toleranceRatio)) return tolerated(value, current)
  const proposal = wholeUp(demand)
  if (ratio >= 1 !== rises || proposal >= current !== rises) {
    return { value, proposal: current, why: 'pods that did not answer could make up for it' }
  }
  return { value, proposal, why: undefined }
}

function isNear(ratio: number, toleranceRatio: number): boolean {
  return Math.abs(ratio - 1) <= toleranceRatio + 1e-9
}

const tolerated = (value: number, current: number): Proposal => ({
  value,
  proposal: current,
  why: 'within the tolerance',
})

/** Rounded up, past what floats add; 0 for what is no number. */
function wholeUp(demand: number): number {
  if (Number.isNaN(demand)) return 0
  return Math.min(Math.max(Math.ceil(demand - 1e-9), 0), mostReplicas)
}
