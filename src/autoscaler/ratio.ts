import { clamp } from './correct.ts'
import type { Bounds, RatioConstraint } from './scaling-target.ts'

export interface RatioInput {
  readonly numerator: Bounds & { readonly replicas: number }
  readonly denominator: Bounds & { readonly replicas: number }
  readonly range: Pick<RatioConstraint, 'min' | 'max'>
}

export interface RatioResult {
  readonly numerator: number
  readonly denominator: number
  readonly adjusted: boolean
  /** Undefined while there is nothing of either. */
  readonly ratio: number | undefined
  /** The bounds leave no numbers near these that satisfy the range. */
  readonly violated: boolean
}

/** Raises what is too few for the other, or, where its bounds forbid that, lowers the other. Both are zero, or neither. */
export function enforceRatio({ numerator, denominator, range }: RatioInput): RatioResult {
  const before = [clamp(numerator.replicas, numerator), clamp(denominator.replicas, denominator)] as const
  const [n, d] = balanced(before, numerator, denominator, range)
  const ratio = d === 0 ? undefined : n / d
  const violated = n === 0 && d === 0 ? false : ratio === undefined || n === 0 || !within(ratio, range)
  return { numerator: n, denominator: d, adjusted: n !== before[0] || d !== before[1], ratio, violated }
}

type Pair = readonly [numerator: number, denominator: number]

function balanced(pair: Pair, top: Bounds, bottom: Bounds, range: RatioInput['range']): Pair {
  const [n, d] = pair
  if (n === 0 && d === 0) return pair
  if (n === 0) return balanced([1, d], top, bottom, range)
  if (d === 0) return balanced([n, 1], top, bottom, range)
  if (n / d < range.min - 1e-9) {
    const raised = wholeUp(range.min * d)
    return raised <= top.max ? [raised, d] : [top.max, clamp(wholeDown(top.max / range.min), bottom)]
  }
  if (n / d > range.max + 1e-9) {
    const raised = wholeUp(n / range.max)
    return raised <= bottom.max ? [n, raised] : [clamp(wholeDown(range.max * bottom.max), top), bottom.max]
  }
  return pair
}

function within(ratio: number, { min, max }: RatioInput['range']): boolean {
  return ratio >= min - 1e-9 && ratio <= max + 1e-9
}

const wholeUp = (value: number): number => Math.ceil(value - 1e-9)
const wholeDown = (value: number): number => Math.floor(value + 1e-9)
