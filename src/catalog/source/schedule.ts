/** When registries are asked: once in an interval, and after a failure sooner, but ever less so. Pure. */
import type { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { parseDuration } from '#machinery/duration.ts'
import type { Observed } from './observe.ts'

const minuteMs = 60_000
const defaultIntervalMs = 60 * minuteMs
const longestRetryMs = 15 * minuteMs

export interface Schedule {
  readonly nextMs: number
  /** In a row, this one included. */
  readonly failedSyncs: number
}

export interface Seen extends Pick<Observed, 'sync'> {
  /** Whether all models that were missing could be made; they could by default. */
  readonly isWritten?: boolean
}

export function nextSync(
  { spec, status = {} }: AIMClusterModelSource,
  { sync, isWritten = true }: Seen,
  nowMs: number,
): Schedule {
  const { failedSyncs = 0 } = status
  if (sync === undefined) return { nextMs: Date.parse(status.nextSyncTime ?? '') || nowMs, failedSyncs }
  const intervalMs = Math.max(minuteMs, parseDuration(spec.syncInterval) ?? defaultIntervalMs)
  const failed = sync.results.filter(({ problems }) => problems.length > 0)
  if (failed.length === 0 && isWritten) return { nextMs: nowMs + intervalMs, failedSyncs: 0 }
  const askedMs = Math.max(0, ...failed.map(({ retryAfterMs }) => retryAfterMs))
  const backoffMs = Math.min(longestRetryMs, minuteMs * 2 ** failedSyncs, intervalMs)
  return { nextMs: nowMs + Math.max(askedMs, backoffMs), failedSyncs: failedSyncs + 1 }
}
