import type { LeaderWorkerSet, LeaderWorkerSetStatus } from '#api/leader-worker-set.ts'
import { messageOf } from '#base/fault.ts'
import type { Outcome } from '#controller/domain.ts'
import { findCondition, setCondition } from '#machinery/conditions.ts'
import { isOwn, type Observed } from './plan.ts'

/** How the ModelServing is, in the words of a LeaderWorkerSet. */
export function status(
  set: LeaderWorkerSet,
  { serving }: Observed,
  outcome: Outcome,
  nowMs: number,
): LeaderWorkerSetStatus | undefined {
  if (set.metadata.deletionTimestamp !== undefined) return undefined
  const own = isOwn(set, serving) ? serving.status : undefined
  const available = findCondition(own?.conditions, 'Available')
  const refused = outcome.failures[0]
  const condition = {
    type: 'Available',
    status: refused === undefined ? (available?.status ?? ('False' as const)) : ('False' as const),
    reason: refused === undefined ? (available?.reason ?? 'NotLookedAtYet') : 'ModelServingRefused',
    message: refused === undefined ? (available?.message ?? '') : messageOf(refused.error),
    observedGeneration: set.metadata.generation ?? 0,
  }
  return {
    replicas: own?.replicas ?? 0,
    readyReplicas: own?.availableReplicas ?? 0,
    updatedReplicas: own?.updatedReplicas ?? 0,
    hpaPodSelector: own?.labelSelector ?? '',
    conditions: setCondition(set.status?.conditions, condition, nowMs),
  }
}
