import type { AutoscalingBehavior } from '#api/autoscaling-policy.ts'
import { parseDuration } from '#machinery/duration.ts'

/** How fast instances come and go, with nothing left open. */
export interface Behavior {
  readonly up: Pace
  readonly down: Pace
  /** Absent: load that jumps is followed at the ordinary pace. */
  readonly panic?: PanicPace
}

export interface Pace {
  /** Instances that may come or go in one period. */
  readonly instances: number
  /** The same in percent of what was there; at least one instance unless it is 0. */
  readonly percent: number
  /** 0 lifts the limit. */
  readonly periodMs: number
  readonly select: 'Or' | 'And'
  /** How long a recommendation must last; 0: it is followed at once. */
  readonly windowMs: number
}

export interface PanicPace {
  readonly percent: number
  /** 0 lifts the limit. */
  readonly periodMs: number
  readonly thresholdPercent: number
  /** Above 0. */
  readonly holdMs: number
}

const minuteMs = 60_000
const defaults = {
  up: { instances: 4, percent: 100, periodMs: minuteMs, select: 'Or', windowMs: 0 },
  down: { instances: 0, percent: 100, periodMs: minuteMs, select: 'Or', windowMs: 5 * minuteMs },
  panic: { percent: 1000, thresholdPercent: 200, holdMs: minuteMs },
} as const satisfies { up: Pace; down: Pace; panic: object }

/** One set of defaults, leaf by leaf, however the policy was written: there are none in the schema. */
export function effectiveBehavior(given: AutoscalingBehavior | undefined): Behavior {
  const { scaleUp, scaleDown } = given ?? {}
  const paces = {
    up: paceOf(scaleUp?.stablePolicy, defaults.up),
    down: paceOf(scaleDown, defaults.down),
  }
  const panic = scaleUp?.panicPolicy
  if (panic === undefined) return paces
  const holdMs = msOf(panic.panicModeHold, defaults.panic.holdMs)
  if (holdMs === 0) return paces
  return {
    ...paces,
    panic: {
      percent: panic.percent ?? defaults.panic.percent,
      periodMs: msOf(panic.period, 0),
      thresholdPercent: panic.panicThresholdPercent ?? defaults.panic.thresholdPercent,
      holdMs,
    },
  }
}

/** The longest time that anything of this behavior looks back. */
export function lookBackMs({ up, down, panic }: Behavior): number {
  return Math.max(
    up.periodMs,
    up.windowMs,
    down.periodMs,
    down.windowMs,
    panic?.periodMs ?? 0,
    2 * (panic?.holdMs ?? 0),
  )
}

type GivenPace = NonNullable<AutoscalingBehavior['scaleDown']>

function paceOf(given: GivenPace | undefined, fallback: Pace): Pace {
  return {
    instances: given?.instances ?? fallback.instances,
    percent: given?.percent ?? fallback.percent,
    periodMs: msOf(given?.period, fallback.periodMs),
    select: given?.selectPolicy ?? fallback.select,
    windowMs: msOf(given?.stabilizationWindow, fallback.windowMs),
  }
}

function msOf(text: string | undefined, fallback: number): number {
  return text === undefined ? fallback : (parseDuration(text) ?? fallback)
}
