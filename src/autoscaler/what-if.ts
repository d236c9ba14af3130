/**
 * What a policy would do under a load that is only a table of numbers. The same decisions as in a cluster; made up are the
 * instances alone: they are ready so long after they were asked for, and share the load evenly.
 */
import { decide, type Decision, type Memories } from './decide.ts'
import type { MemberFacts, MemberReading, PoolFacts } from './measure.ts'
import type { Member, MetricSpec, Pool, ScalingTarget } from './scaling-target.ts'

/** The total of each metric from a moment on, by the name of the metric. */
export interface LoadPoint {
  readonly atMs: number
  readonly totals: Readonly<Record<string, number>>
}

export interface WhatIf {
  readonly target: ScalingTarget
  /** In the order of time, at least one. */
  readonly trace: readonly LoadPoint[]
  readonly tickMs: number
  /** From asking for an instance to its being ready. */
  readonly startMs: number
  /** Instances of each member to begin with, by name; by default its minimum. */
  readonly initial?: Readonly<Record<string, number>>
}

export interface WhatIfTick {
  readonly atMs: number
  readonly totals: Readonly<Record<string, number>>
  /** Instances that are ready, all pools together. */
  readonly ready: number
  readonly decisions: readonly Decision[]
}

/** For each member, when each of its instances is ready, the longest there first. */
type Fleet = Map<string, number[]>

/** One tick after another from the first point of the trace to the last. */
export function replay({ target, trace, tickMs, startMs, initial = {} }: WhatIf): WhatIfTick[] {
  const [first] = trace
  const last = trace.at(-1)
  if (first === undefined || last === undefined) return []
  const members = target.pools.flatMap((pool) => pool.members)
  const fleet: Fleet = new Map(
    members.map(({ name, min }) => [name, Array.from({ length: initial[name] ?? min }, () => first.atMs)]),
  )
  const ticks: WhatIfTick[] = []
  let memories: Memories = {}
  for (let nowMs = first.atMs; nowMs <= last.atMs; nowMs += tickMs) {
    const totals = totalsAt(trace, nowMs)
    const facts = factsOf(target, fleet, totals, nowMs)
    const verdict = decide({ target, facts, memories, nowMs, tickMs, returning: nowMs === first.atMs })
    memories = verdict.memories
    const ready = members.reduce((sum, { name }) => sum + readyOf(fleet, name, nowMs), 0)
    ticks.push({ atMs: nowMs, totals, ready, decisions: verdict.decisions })
    for (const { name, desired } of verdict.decisions.flatMap((decision) => decision.members)) {
      resize(fleet, name, desired, nowMs + startMs)
    }
  }
  return ticks
}

function totalsAt(trace: readonly LoadPoint[], nowMs: number): LoadPoint['totals'] {
  return trace.findLast(({ atMs }) => atMs <= nowMs)?.totals ?? {}
}

const readyOf = (fleet: Fleet, name: string, nowMs: number): number =>
  (fleet.get(name) ?? []).filter((readyMs) => readyMs <= nowMs).length

function resize(fleet: Fleet, name: string, desired: number, readyMs: number): void {
  const instances = fleet.get(name) ?? []
  const more = Array.from({ length: Math.max(0, desired - instances.length) }, () => readyMs)
  fleet.set(name, [...instances.slice(0, desired), ...more])
}

function factsOf(target: ScalingTarget, fleet: Fleet, totals: LoadPoint['totals'], nowMs: number): PoolFacts {
  return Object.fromEntries(
    target.pools.flatMap((pool) =>
      pool.members.map((member) => [member.name, memberFacts(pool, member, fleet, totals, nowMs)]),
    ),
  )
}

function memberFacts(
  pool: Pool,
  member: Member,
  fleet: Fleet,
  totals: LoadPoint['totals'],
  nowMs: number,
): MemberFacts {
  const capacity = pool.members.reduce((sum, each) => sum + readyOf(fleet, each.name, nowMs) * each.capacity, 0)
  const ready = readyOf(fleet, member.name, nowMs)
  const current = fleet.get(member.name)?.length ?? 0
  const load = Object.values(totals).some((total) => total > 0) ? 1 : 0
  const own = capacity === 0 ? 1 / pool.members.length : (ready * member.capacity) / capacity
  return {
    current,
    podsEach: 1,
    readings: Object.fromEntries(
      member.metrics.map((metric) => [
        metric.name,
        readingOf(metric, {
          ready,
          current,
          total: (totals[metric.name] ?? 0) * own,
          each: member.capacity / capacity,
          whole: totals[metric.name] ?? 0,
        }),
      ]),
    ),
    // One server before the whole pool.
    demand: { trace: { inFlight: capacity > 0 ? load : 0, waiting: capacity > 0 ? 0 : load } },
  }
}

interface Share {
  readonly ready: number
  readonly current: number
  /** The member's part of the total. */
  readonly total: number
  /** Part of the total that one instance takes. */
  readonly each: number
  readonly whole: number
}

function readingOf({ source }: MetricSpec, { ready, current, total, each, whole }: Share): MemberReading {
  if (source?.kind === 'prometheus' && source.type === 'AverageValue') return { kind: 'total', value: total }
  if (source?.kind === 'prometheus') return { kind: 'ratio', value: ready === 0 ? whole : whole * each }
  const values = Array.from({ length: ready }, () => whole * each)
  return { kind: 'pods', values, additive: true, missing: 0, unready: current - ready }
}
