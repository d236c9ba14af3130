/**
 * Runs Jobs that want a pod to end well so many times: what a cluster's own Job controller does, without indexes, policies
 * for pods' ends, or suspension.
 */
import { Job, Pod } from '#api/core/kinds.ts'
import { timestamp } from '#base/clock.ts'
import { revisionHash } from '#base/json.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import type { Plan, Step } from '#controller/domain.ts'
import { keysOfController, controllerReference } from '#controller/owned.ts'
import { apiVersionOf, placeOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'

type JobStatus = NonNullable<Job['status']>
type JobCondition = NonNullable<JobStatus['conditions']>[number]

export const jobController: ControllerDefinition<Job, readonly Pod[], JobStatus> = {
  name: 'job-controller',
  kind: Job,
  domain: {
    observe: (job, read) =>
      read.list(Pod, { namespace: job.metadata.namespace, controllerUid: job.metadata.uid ?? '' }),
    plan,
    status,
  },
  watches: [{ kind: Pod, keysOf: keysOfController(Job) }],
}

interface Counts {
  readonly active: readonly Pod[]
  readonly succeeded: number
  readonly failed: number
}

function countsOf(pods: readonly Pod[]): Counts {
  const ended = (phase: string) => pods.filter(({ status }) => status?.phase === phase).length
  const active = pods.filter(
    ({ status, metadata }) =>
      status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && metadata.deletionTimestamp === undefined,
  )
  return { active, succeeded: ended('Succeeded'), failed: ended('Failed') }
}

function plan(job: Job, pods: readonly Pod[], nowMs: number): Plan {
  if (job.metadata.deletionTimestamp !== undefined) return { stages: [] }
  const ended = endOf(job)
  if (ended !== undefined) return cleanUp(job, pods, { endedMs: Date.parse(ended.lastTransitionTime ?? ''), nowMs })
  const counts = countsOf(pods)
  const verdict = verdictOf(job, counts, nowMs)
  const stages = verdict === undefined ? [nextPods(job, counts, pods)] : [counts.active.map(deletion)]
  const deadlineMs = deadlineOf(job)
  return {
    stages: stages.filter((steps) => steps.length > 0),
    ...(deadlineMs !== undefined && deadlineMs > nowMs && { recheckAfterMs: deadlineMs - nowMs }),
  }
}

function nextPods(job: Job, { active, succeeded }: Counts, pods: readonly Pod[]): Step[] {
  const { parallelism = 1, completions = 1 } = job.spec ?? {}
  const more = Math.max(0, Math.min(parallelism, completions - succeeded) - active.length)
  const taken = new Set(pods.map(({ metadata }) => metadata.name))
  // Of so many names at least `more` are free: pods may have been deleted from among the others.
  const names = Array.from({ length: pods.length + more }, (_, ordinal) => podName(job, ordinal))
  const free = names.filter((name) => !taken.has(name))
  return free.slice(0, more).map((name) => {
    const pod = podOf(job, name)
    const why = { reason: 'SuccessfulCreate', note: `Created pod: ${pod.metadata.name}` }
    return { do: 'create', kind: Pod, object: pod, why }
  })
}

/** The same at every look, so that no pod is made twice. */
function podName({ metadata: { name = '', uid = '' } }: Job, ordinal: number): string {
  return `${name.slice(0, 57)}-${revisionHash([uid, ordinal]).slice(0, 5)}`
}

function podOf(job: Job, name: string): AnyResource {
  const { metadata, spec } = job
  const { namespace } = metadata
  return {
    apiVersion: apiVersionOf(Pod),
    kind: Pod.kind,
    metadata: {
      ...spec?.template.metadata,
      name,
      ...(namespace !== undefined && { namespace }),
      ownerReferences: [{ ...controllerReference(job), blockOwnerDeletion: true }],
    },
    spec: spec?.template.spec as Record<string, unknown>, // required by the schema
  }
}

function deletion(pod: Pod): Step {
  const why = { reason: 'SuccessfulDelete', note: `Deleted pod: ${pod.metadata.name}` }
  return { do: 'delete', ref: { kind: Pod, ...placeOf(pod) }, uid: pod.metadata.uid ?? '', why }
}

interface Ended {
  readonly endedMs: number
  readonly nowMs: number
}

/** Gone with its pods so long after its end, where it says so. */
function cleanUp(job: Job, pods: readonly Pod[], { endedMs, nowMs }: Ended): Plan {
  const { ttlSecondsAfterFinished: ttl } = job.spec ?? {}
  const left = countsOf(pods).active.map(deletion)
  const stages = left.length > 0 ? [left] : []
  if (ttl === undefined) return { stages }
  const waitMs = endedMs + ttl * 1000 - nowMs
  if (waitMs > 0) return { stages, recheckAfterMs: waitMs }
  const why = { reason: 'Expired', note: `deleted ${ttl} s after its end` }
  return { stages: [[{ do: 'delete', ref: { kind: Job, ...placeOf(job) }, uid: job.metadata.uid ?? '', why }]] }
}

function status(job: Job, pods: readonly Pod[], _outcome: unknown, nowMs: number): JobStatus | undefined {
  if (job.metadata.deletionTimestamp !== undefined || endOf(job) !== undefined) return undefined
  const counts = countsOf(pods)
  const verdict = verdictOf(job, counts, nowMs)
  const startTime = job.status?.startTime ?? timestamp(nowMs)
  const { succeeded, failed } = counts
  const ended = { startTime, ...(succeeded > 0 && { succeeded }), ...(failed > 0 && { failed }) }
  if (verdict === undefined) {
    const active = counts.active.length
    return { ...ended, ...(active > 0 && { active }) }
  }
  const time = timestamp(nowMs)
  const conditions = (verdict.complete ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed']).map(
    (type): JobCondition => ({
      type,
      status: 'True',
      reason: verdict.reason,
      message: verdict.message,
      lastProbeTime: time,
      lastTransitionTime: time,
    }),
  )
  return { ...ended, ...(verdict.complete && { completionTime: time }), conditions }
}

interface Verdict {
  readonly complete: boolean
  readonly reason: string
  readonly message: string
}

function verdictOf(job: Job, { succeeded, failed }: Counts, nowMs: number): Verdict | undefined {
  const { completions = 1, backoffLimit = 6 } = job.spec ?? {}
  if (succeeded >= completions) {
    return { complete: true, reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
  }
  if (failed > backoffLimit) {
    const message = 'Job has reached the specified backoff limit'
    return { complete: false, reason: 'BackoffLimitExceeded', message }
  }
  const deadlineMs = deadlineOf(job)
  if (deadlineMs === undefined || deadlineMs > nowMs) return undefined
  return { complete: false, reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
}

function deadlineOf({ spec, status }: Job): number | undefined {
  const { activeDeadlineSeconds: seconds } = spec ?? {}
  if (seconds === undefined || status?.startTime === undefined) return undefined
  return Date.parse(status.startTime) + seconds * 1000
}

function endOf({ status }: Job): JobCondition | undefined {
  return status?.conditions?.find(
    ({ type, status: value }) => ['Complete', 'Failed'].includes(type) && value === 'True',
  )
}
