/**
 * From what the load asks for to what is done about it: stabilise, limit the pace, clamp.
 *
 *     recommended ──▶ stabilised ──▶ limited ──▶ desired
 *                 window         pace        bounds
 *
 * While load jumps (panic) windows don't count and nothing is taken away; for one more hold after it, what is too much
 * goes by halves.
 */
import type { Behavior, Pace } from './behavior.ts'
import { levelsWithin, type Memory, type Range, recommendedWithin } from './memory.ts'
import type { Bounds } from './scaling-target.ts'

export interface CorrectionInput extends Bounds {
  readonly current: number
  readonly recommended: number
  readonly behavior: Behavior
  readonly memory: Memory
  readonly nowMs: number
}

export const correctionRules = [
  'ScaleUpStabilized',
  'ScaleDownStabilized',
  'ScaleUpLimited',
  'ScaleDownLimited',
  'PanicLimited',
  'PanicHold',
  'PanicRamp',
] as const
export type CorrectionRule = (typeof correctionRules)[number]

export interface Correction {
  readonly mode: 'Stable' | 'Panic'
  readonly stabilized: number
  readonly limited: number
  readonly desired: number
  /** What the pace allows in this pass, within the bounds. */
  readonly allowed: Range
  /** Of the last stage that held the number back; undefined when none did. */
  readonly rule: CorrectionRule | undefined
  readonly panicUntilMs: number | undefined
}

export function correct(input: CorrectionInput): Correction {
  const { current, recommended, min, max } = input
  const panicUntilMs = panicEnd(input)
  const panics = panicUntilMs !== undefined && input.nowMs < panicUntilMs
  const stabilized = panics ? recommended : stabilize(input)
  const { least, most, leastRule, mostRule } = allowedBy(input, panicUntilMs, panics)
  const limited = stabilized > current ? Math.min(stabilized, most) : Math.max(stabilized, least)
  return {
    mode: panics ? 'Panic' : 'Stable',
    stabilized,
    limited,
    desired: clamp(limited, { min, max }),
    allowed: { least: clamp(least, { min, max }), most: clamp(most, { min, max }) },
    rule:
      limited !== stabilized
        ? limited > stabilized
          ? leastRule
          : mostRule
        : stabilized === recommended
          ? undefined
          : recommended > current
            ? 'ScaleUpStabilized'
            : 'ScaleDownStabilized',
    panicUntilMs,
  }
}

export function clamp(value: number, { min, max }: Bounds): number {
  return Math.min(Math.max(value, min), max)
}

/** When panic ends or ended; every cause moves it on. */
function panicEnd({ current, recommended, behavior: { panic }, memory, nowMs }: CorrectionInput): number | undefined {
  if (panic === undefined) return undefined
  const jumps = recommended > current && recommended * 100 >= current * panic.thresholdPercent
  return jumps ? nowMs + panic.holdMs : memory.panicUntilMs
}

/** Down to the most that the window saw, up to the least. Who waits at zero is not kept waiting. */
function stabilize({ current, recommended, behavior, memory, nowMs }: CorrectionInput): number {
  if (recommended < current) {
    const seen = recommendedWithin(memory, behavior.down.windowMs, nowMs)
    return Math.min(Math.max(recommended, seen?.most ?? 0), current)
  }
  if (recommended === current || current === 0) return recommended
  const seen = recommendedWithin(memory, behavior.up.windowMs, nowMs)
  return Math.max(Math.min(recommended, seen?.least ?? Infinity), current)
}

interface Allowed extends Range {
  readonly leastRule: CorrectionRule
  readonly mostRule: CorrectionRule
}

function allowedBy(input: CorrectionInput, panicUntilMs: number | undefined, panics: boolean): Allowed {
  const { current, behavior, memory, nowMs } = input
  const { up, down, panic } = behavior
  const levelsOf = (periodMs: number): Range => levelsWithin(memory, current, periodMs, nowMs)
  if (panics && panic !== undefined) {
    const base = levelsOf(panic.periodMs).least
    // One at least: load that is never followed would keep panic up for ever.
    const step = Math.max(1, share(base, panic.percent))
    const most = panic.periodMs === 0 || base === 0 ? Infinity : base + step
    return { least: current, most: Math.max(most, current), leastRule: 'PanicHold', mostRule: 'PanicLimited' }
  }
  const from = levelsOf(up.periodMs).least
  const to = levelsOf(down.periodMs).most
  const most = from + stepOf(up, from)
  const least = to - stepOf(down, to)
  const ramps = panic !== undefined && panicUntilMs !== undefined && nowMs < panicUntilMs + panic.holdMs
  const half = ramps ? Math.floor(to / 2) : 0
  return {
    least: Math.min(Math.max(least, half, 0), current),
    // From nothing, one can always be started: a percentage of nothing would never get anywhere.
    most: Math.max(from === 0 ? Math.max(most, 1) : most, current),
    leastRule: half > least ? 'PanicRamp' : 'ScaleDownLimited',
    mostRule: 'ScaleUpLimited',
  }
}

/** Instances that may come or go in one period. */
function stepOf({ instances, percent, periodMs, select }: Pace, base: number): number {
  if (periodMs === 0) return Infinity
  return select === 'Or' ? Math.max(instances, share(base, percent)) : Math.min(instances, share(base, percent))
}

/** Rounded up: ten percent of five is one, not none. */
function share(base: number, percent: number): number {
  return Math.ceil((base * percent) / 100)
}
