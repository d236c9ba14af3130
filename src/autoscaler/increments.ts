/**
 * What counters and histograms gained of late. Each scrape is compared with the one before it, so that a reset costs no
 * more than what came between two scrapes:
 *
 *     scraped   100 ── 160 ── 20 ── 50        (the engine began anew before the third)
 *     gained        60     20    30
 */
import type { Buckets } from './exposition.ts'

export interface Counted {
  readonly atMs: number
  readonly counts: readonly number[]
  /** What the counts are of; another layout begins anew. */
  readonly layout: string
}

export interface Gain {
  readonly fromMs: number
  readonly toMs: number
  readonly counts: readonly number[]
}

/** Gains of this long are looked at together. */
const gainWindowMs = 60_000

export interface Gains {
  readonly last: Counted
  readonly gains: readonly Gain[]
}

/** With one more scrape. */
export function withCounts(former: Gains | undefined, counted: Counted): Gains {
  if (former === undefined || former.last.layout !== counted.layout) return { last: counted, gains: [] }
  const { last, gains } = former
  // All begin anew together: one that is below its former value tells of the others, too.
  const reset = counted.counts.some((count, i) => count < (last.counts[i] ?? 0))
  const counts = reset ? counted.counts : counted.counts.map((count, i) => count - (last.counts[i] ?? 0))
  const gain = { fromMs: last.atMs, toMs: counted.atMs, counts }
  return { last: counted, gains: [...gains, gain].filter(({ toMs }) => toMs > counted.atMs - gainWindowMs) }
}

/** Per second; undefined until two scrapes are there. */
export function rateOf({ gains }: Gains): number | undefined {
  const [first, latest] = [gains[0], gains.at(-1)]
  if (first === undefined || latest === undefined || latest.toMs === first.fromMs) return undefined
  const gained = gains.reduce((sum, { counts }) => sum + (counts[0] ?? 0), 0)
  return (gained * 1000) / (latest.toMs - first.fromMs)
}

/** The buckets of what was observed of late; undefined until two scrapes are there. */
export function observedOf({ last, gains }: Gains, bounds: readonly number[]): Buckets | undefined {
  if (gains.length === 0) return undefined
  return { bounds, counts: last.counts.map((_, i) => gains.reduce((sum, { counts }) => sum + (counts[i] ?? 0), 0)) }
}

/**
 * The value below which `percent` of the observations lie, evenly spread within a bucket. The last bucket, which has no
 * upper bound, is taken to reach to twice its lower one. Undefined where nothing was observed: no news is no latency of 0.
 */
export function quantile({ bounds, counts }: Buckets, percent: number): number | undefined {
  const whole = counts.at(-1) ?? 0
  if (whole <= 0) return undefined
  const rank = Math.ceil((whole * percent) / 100)
  const at = counts.findIndex((count) => count >= rank)
  const low = at <= 0 ? 0 : (bounds[at - 1] ?? 0)
  const bound = bounds[at] ?? Infinity
  const high = bound === Infinity ? 2 * low : bound
  const upTo = counts[at] ?? whole
  const inside = upTo - (at <= 0 ? 0 : (counts[at - 1] ?? 0))
  return high - ((upTo - rank) * (high - low)) / inside
}
