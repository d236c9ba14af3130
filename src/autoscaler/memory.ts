/**
 * What scaling must know of the past: which numbers were recommended, and which were there. Both as spans that begin when
 * something changes, so that a quiet hour is one entry, and nothing is to be written while nothing changes:
 *
 *     recommendations   ├─ 10 ──────┤├─ 4 ─────────────────────▶ now
 *     levels            ├─ 10 ─────────────────────────────────▶ now
 *
 * A span ends where the next one begins. It counts while its end lies less than the window back.
 */
export interface Memory {
  readonly recommendations: readonly Span[]
  readonly levels: readonly Level[]
  readonly panicUntilMs?: number
  /** For each member, since when it could do without its last instance. */
  readonly idleSinceMs: Readonly<Record<string, number>>
}

/** Numbers between `least` and `most` were recommended from this moment on. */
export interface Span {
  readonly atMs: number
  readonly least: number
  readonly most: number
}

/** So many were there from this moment on. */
export interface Level {
  readonly atMs: number
  readonly replicas: number
}

export interface Range {
  readonly least: number
  readonly most: number
}

export const noMemory: Memory = { recommendations: [], levels: [], idleSinceMs: {} }

/** Spans of a look-back; changes that come faster share one, which then says from where to where they went. */
const spansEach = 32

/**
 * What is known when a pass begins. With an empty memory, and after an absence that may have missed something, what is
 * there now counts as what was recommended: no window is over before it has begun.
 */
export function recall(memory: Memory, current: number, { nowMs, lookBackMs, tickMs, returning }: Moment): Memory {
  const last = memory.recommendations.at(-1)
  const quietMs = nowMs - Math.max(last?.atMs ?? 0, memory.levels.at(-1)?.atMs ?? 0)
  // A recommendation that differs from what is there is followed once its window is over. This one was not: we were away.
  const missed = returning && last?.most !== current && quietMs > lookBackMs + 2 * tickMs
  const recommendations =
    last === undefined || missed
      ? [...memory.recommendations, { atMs: nowMs, least: current, most: current }]
      : memory.recommendations
  return { ...memory, recommendations }
}

export interface Moment {
  readonly nowMs: number
  readonly lookBackMs: number
  /** How often passes come. */
  readonly tickMs: number
  /** Whether this is the first pass since this process began: there may have been a time without any. */
  readonly returning: boolean
}

/** All that was recommended within the window; undefined when the window is 0. */
export function recommendedWithin({ recommendations }: Memory, windowMs: number, nowMs: number): Range | undefined {
  if (windowMs === 0) return undefined
  return rangeOf(fresh(recommendations, windowMs, nowMs))
}

/** From where to where the number went within the period. */
export function levelsWithin({ levels }: Memory, current: number, periodMs: number, nowMs: number): Range {
  const spans = fresh(levels, periodMs, nowMs).map(({ replicas }) => ({ least: replicas, most: replicas }))
  return rangeOf([...spans, { least: current, most: current }]) ?? { least: current, most: current }
}

/** The memory after a pass. `undefined` as the recommendation: nobody could tell, so what is there is to stay. */
export function remember(
  memory: Memory,
  { recommended, current, desired }: { recommended: number | undefined; current: number; desired: number },
  { nowMs, lookBackMs }: Pick<Moment, 'nowMs' | 'lookBackMs'>,
): Memory {
  const number = recommended ?? current
  return {
    ...memory,
    recommendations: withSpan(fresh(memory.recommendations, lookBackMs, nowMs), number, nowMs, lookBackMs / spansEach),
    levels: [current, desired].reduce(
      (levels, replicas) => withLevel(levels, replicas, nowMs),
      fresh(memory.levels, lookBackMs, nowMs),
    ),
  }
}

function fresh<T extends { readonly atMs: number }>(
  spans: readonly T[],
  windowMs: number,
  nowMs: number,
): readonly T[] {
  return spans.filter((_, i) => (spans[i + 1]?.atMs ?? Infinity) + windowMs > nowMs)
}

function rangeOf(spans: readonly Range[]): Range | undefined {
  if (spans.length === 0) return undefined
  return { least: Math.min(...spans.map(({ least }) => least)), most: Math.max(...spans.map(({ most }) => most)) }
}

function withSpan(spans: readonly Span[], number: number, nowMs: number, shortestMs: number): readonly Span[] {
  const last = spans.at(-1)
  if (last?.least === number && last.most === number) return spans
  if (last === undefined || nowMs - last.atMs >= shortestMs) {
    return [...spans, { atMs: nowMs, least: number, most: number }]
  }
  const both = { atMs: last.atMs, least: Math.min(last.least, number), most: Math.max(last.most, number) }
  return [...spans.slice(0, -1), both]
}

function withLevel(levels: readonly Level[], replicas: number, nowMs: number): readonly Level[] {
  return levels.at(-1)?.replicas === replicas ? levels : [...levels, { atMs: nowMs, replicas }]
}
