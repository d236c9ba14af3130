/**
 * The moves to make now, from the units there are towards `replicas` units of the present template. A unit is a group,
 * or a replica of one role in a group: both are rolled, scaled and kept by the same rules.
 *
 * Pure and stateless: progress is read off the units, so a restarted controller goes on from here. Guarantees:
 *  - ready units are never taken below `replicas - maxUnavailable`, nor all units brought above `replicas + maxSurge`;
 *  - an ordinal below `partition` is never replaced, and what is missing there comes back as it was;
 *  - units of a template that has served already are given up for one that has not only within the same budget, so a
 *    broken template takes no more than its share, whatever else is lost meanwhile; one that never served is no loss;
 *  - an ordinal is used again only when all that had it is gone.
 */
import { freeOrdinals } from './names.ts'

export interface Unit {
  readonly ordinal: number
  readonly ready: boolean
  /** All of it is on its way out: it only holds its ordinal. */
  readonly deleting: boolean
  /** Of another template than the present one. */
  readonly outdated: boolean
  /** Of the template that has served last: unready, it may be expected back. */
  readonly proven: boolean
  /** Its endpoints are being emptied to be removed. */
  readonly draining: boolean
  /** Of the dearest the last to go. */
  readonly cost: number
}

export interface Limits {
  readonly replicas: number
  readonly maxUnavailable: number
  readonly maxSurge: number
  /** Ordinals below stay as they are. */
  readonly partition: number
  /** Everything stays as it is. */
  readonly paused: boolean
  /** There is a template that has served, and it is not the present one. */
  readonly unproven: boolean
}

export type UnitMove =
  | { readonly do: 'remove'; readonly ordinal: number; readonly reason: 'scale' | 'rollout' }
  /** `fresh`: of the present template; else as it was, or as the template that has served. */
  | { readonly do: 'create'; readonly ordinal: number; readonly fresh: boolean }

export function unitMoves(units: readonly Unit[], wanted: Limits): UnitMove[] {
  if (units.length === wanted.replicas && units.every((unit) => !unit.deleting && !unit.outdated)) return []
  const limits = wanted.paused ? { ...wanted, partition: Number.POSITIVE_INFINITY } : wanted
  const { replicas, partition } = limits
  const leaves = (unit: Unit) => unit.outdated && unit.ordinal >= partition
  const live = units.filter((unit) => !unit.deleting)
  const rolls = live.some(limits.paused ? (unit) => unit.outdated : leaves)
  const most = replicas + (rolls ? limits.maxSurge : 0)

  const scaled = leastWanted(live, live.length - most, partition)
  const staying = without(live, scaled)
  const kept = staying.filter((unit) => !leaves(unit))
  const surplus = limits.paused ? [] : leastWanted(kept, kept.length - replicas, partition)
  const settled = without(kept, surplus)
  const room = Math.min(replicas - settled.length, most - units.length)
  return [
    ...[...scaled, ...surplus].map((unit): UnitMove => ({ do: 'remove', ordinal: unit.ordinal, reason: 'scale' })),
    ...replaced(staying.filter(leaves), settled, limits).map(
      (unit): UnitMove => ({ do: 'remove', ordinal: unit.ordinal, reason: 'rollout' }),
    ),
    ...created(units, settled, room, limits),
  ]
}

/** Outdated units that may go now: first those that do not serve, then the highest ordinals. */
function replaced(outdated: readonly Unit[], settled: readonly Unit[], limits: Limits): Unit[] {
  const { replicas, maxUnavailable, maxSurge } = limits
  let spare = readyIn(outdated) + readyIn(settled) - (replicas - maxUnavailable)
  let open = Math.max(0, replicas - outdated.length - settled.length) + startingIn(settled, limits)
  return outdated.toSorted(byWorth).filter((unit) => {
    const risked = limits.unproven && unit.proven && open >= maxUnavailable + maxSurge
    if (unit.ready ? spare <= 0 : risked) return false
    if (unit.ready) spare--
    open++
    return true
  })
}

function created(units: readonly Unit[], settled: readonly Unit[], room: number, limits: Limits): UnitMove[] {
  const { partition, maxUnavailable, maxSurge, unproven } = limits
  let starting = startingIn(settled, limits)
  return freeOrdinals(new Set(units.map((unit) => unit.ordinal)), room).map((ordinal) => {
    const fresh = ordinal >= partition && (!unproven || starting < maxUnavailable + maxSurge)
    if (fresh) starting++
    return { do: 'create', ordinal, fresh }
  })
}

const readyIn = (units: readonly Unit[]): number => units.filter((unit) => unit.ready).length

/** Units of the present template that do not serve yet, and perhaps never will. */
const startingIn = (units: readonly Unit[], { partition }: Limits): number =>
  units.filter((unit) => !unit.ready && !unit.outdated && unit.ordinal >= partition).length

const without = (units: readonly Unit[], some: readonly Unit[]): readonly Unit[] =>
  some.length === 0 ? units : units.filter((unit) => !some.includes(unit))

const byWorth = (a: Unit, b: Unit): number =>
  Number(b.draining) - Number(a.draining) || Number(a.ready) - Number(b.ready) || b.ordinal - a.ordinal

/** Those to do without when there are too many: never a protected one before another, nor one that serves. */
function leastWanted(units: readonly Unit[], count: number, partition: number): Unit[] {
  if (count <= 0) return []
  return units
    .toSorted(
      (a, b) =>
        Number(a.ordinal < partition) - Number(b.ordinal < partition) ||
        Number(b.draining) - Number(a.draining) ||
        Number(a.ready) - Number(b.ready) ||
        Number(b.outdated) - Number(a.outdated) ||
        a.cost - b.cost ||
        b.ordinal - a.ordinal,
    )
    .slice(0, count)
}
