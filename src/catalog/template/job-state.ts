/** How a discovery Job and its pods are. */
import type { Job, Pod } from '#api/core/kinds.ts'

export type JobState =
  | { readonly at: 'running' }
  | { readonly at: 'succeeded' }
  | { readonly at: 'failed'; readonly reason: string; readonly message: string; readonly endedAt: string | undefined }

export function jobStateOf({ metadata, status }: Job): JobState {
  const conditions = status?.conditions ?? []
  const holds = (type: string) => conditions.find((condition) => condition.type === type && condition.status === 'True')
  if (holds('Complete') !== undefined) return { at: 'succeeded' }
  const failed = holds('Failed')
  if (failed === undefined) return { at: 'running' }
  const reason = reasons[failed.reason ?? ''] ?? 'JobFailed'
  const message = `Job ${metadata.name}: ${failed.message ?? failed.reason ?? 'it failed'}`
  return { at: 'failed', reason, message, endedAt: failed.lastTransitionTime }
}

const reasons: Readonly<Record<string, string>> = {
  BackoffLimitExceeded: 'JobBackoffLimitExceeded',
  DeadlineExceeded: 'JobDeadlineExceeded',
  Evicted: 'JobEvicted',
}

export function isFinished(job: Job): boolean {
  return jobStateOf(job).at !== 'running'
}

export interface PodTrouble {
  readonly reason: string
  readonly message: string
}

const inOrder: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing'])
const ended: Readonly<Record<string, string>> = { OOMKilled: 'PodOOMKilled', DeadlineExceeded: 'PodDeadlineExceeded' }

const pulling: ReadonlySet<string> = new Set(['ErrImagePull', 'ImagePullBackOff'])
/** As container runtimes put it; whose access is denied is told that the image may not exist, so that comes first. */
const pullReasons = [
  ['ImagePullAuthFailure', /access denied|authorization failed|failed to authorize|401 Unauthorized|403 Forbidden/i],
  ['ImageNotFound', /: not found|manifest unknown|name unknown/i],
] as const

function pullReason(message: string): string {
  return pullReasons.find(([, pattern]) => pattern.test(message))?.[0] ?? 'ImagePullBackOff'
}

/** The first pod that cannot start or did not end well. */
export function podTroubleOf(pods: readonly Pod[]): PodTrouble | undefined {
  return pods.map(troubleOf).find((trouble) => trouble !== undefined)
}

function troubleOf({ metadata, status }: Pod): PodTrouble | undefined {
  const name = `pod ${metadata.name}`
  const unscheduled = status?.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  )
  if (unscheduled !== undefined) return { reason: 'FailedScheduling', message: `${name}: ${unscheduled.message ?? ''}` }
  for (const { state } of status?.containerStatuses ?? []) {
    const { waiting, terminated } = state ?? {}
    if (waiting?.reason !== undefined && !inOrder.has(waiting.reason)) {
      const { reason, message = reason } = waiting
      return { reason: pulling.has(reason) ? pullReason(message) : reason, message: `${name}: ${message}` }
    }
    if (terminated !== undefined && terminated.exitCode !== 0) {
      const reason = ended[terminated.reason ?? ''] ?? (status?.reason === 'Evicted' ? 'PodEvicted' : 'PodFailed')
      return { reason, message: `${name} ended with exit code ${terminated.exitCode}; its log says why` }
    }
  }
  return status?.phase === 'Failed'
    ? { reason: 'PodFailed', message: `${name}: ${status.message ?? 'it failed'}` }
    : undefined
}
