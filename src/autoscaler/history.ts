/** What is remembered, as it stands in a status: a restart, or another manager, goes on from there. */
import type { ScalingHistory } from '#api/schemas/autoscaling-status.ts'
import { equalJson } from '#base/json.ts'
import type { Memories } from './decide.ts'
import type { Memory } from './memory.ts'

export function memoriesIn(history: readonly ScalingHistory[] | undefined): Memories {
  return Object.fromEntries((history ?? []).map((entry) => [entry.pool, memoryIn(entry)]))
}

function memoryIn({ recommendations, levels, panicUntil, idleSince = {} }: ScalingHistory): Memory {
  return {
    recommendations: recommendations.map(({ time, ...range }) => ({ atMs: Date.parse(time), ...range })),
    levels: levels.map(({ time, replicas }) => ({ atMs: Date.parse(time), replicas })),
    ...(panicUntil !== undefined && { panicUntilMs: Date.parse(panicUntil) }),
    idleSinceMs: Object.fromEntries(Object.entries(idleSince).map(([name, time]) => [name, Date.parse(time)])),
  }
}

/** An entry that only lost what is too old by now stays as it is: forgetting alone is not worth a write. */
export function historyOf(memories: Memories, former: readonly ScalingHistory[] | undefined): ScalingHistory[] {
  return Object.entries(memories).map(([pool, memory]) => {
    const entry = entryOf(pool, memory)
    const before = former?.find((each) => each.pool === pool)
    return before !== undefined && isSameButOlder(before, entry) ? before : entry
  })
}

function entryOf(pool: string, { recommendations, levels, panicUntilMs, idleSinceMs }: Memory): ScalingHistory {
  const idle = Object.entries(idleSinceMs)
  return {
    pool,
    recommendations: recommendations.map(({ atMs, least, most }) => ({ time: timeOf(atMs), least, most })),
    levels: levels.map(({ atMs, replicas }) => ({ time: timeOf(atMs), replicas })),
    ...(panicUntilMs !== undefined && { panicUntil: timeOf(panicUntilMs) }),
    ...(idle.length > 0 && { idleSince: Object.fromEntries(idle.map(([name, atMs]) => [name, timeOf(atMs)])) }),
  }
}

function isSameButOlder(before: ScalingHistory, now: ScalingHistory): boolean {
  const tail = <T>(list: readonly T[], length: number): readonly T[] => (length === 0 ? [] : list.slice(-length))
  return equalJson(now, {
    ...before,
    recommendations: tail(before.recommendations, now.recommendations.length),
    levels: tail(before.levels, now.levels.length),
  })
}

/** To the millisecond: windows are compared with it. */
export const timeOf = (ms: number): string => new Date(ms).toISOString()
