import { type IntOrString, resolveIntOrPercent } from '#machinery/int-or-string.ts'
import type { Pace } from './moves.ts'

export interface Pacing {
  readonly maxUnavailable?: IntOrString | undefined
  readonly maxSurge?: IntOrString | undefined
  readonly partition?: IntOrString | undefined
}

/**
 * What the settings come to for so many replicas. A percentage that comes to nothing is one all the same: replicas are
 * scaled without a look at it, and an update shall not stand still for that.
 */
export function paceOf({ maxUnavailable = 1, maxSurge = 0, partition = 0 }: Pacing, replicas: number): Pace {
  const surge = resolveIntOrPercent(maxSurge, replicas, 'up')
  const missing = resolveIntOrPercent(maxUnavailable, replicas, 'down')
  return {
    maxSurge: surge,
    maxUnavailable: surge === 0 ? Math.max(1, missing) : missing,
    partition: resolveIntOrPercent(partition, replicas, 'up'),
  }
}
