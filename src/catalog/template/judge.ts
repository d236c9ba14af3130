/**
 * How a template is and what comes next, from the first thing that is not as it should be:
 *
 *     config, model, references  →  GPU  →  weights that are named  →  a profile that was found
 *                                →  the Job of this attempt  →  wait for the next  →  make the Job
 */
import { timestamp } from '#base/clock.ts'
import type { AIMServiceTemplate, Discovery } from '#api/aim-service-template.ts'
import type { Component, Problem, Telling } from '../rollup.ts'
import { configComponent } from '../runtime-config.ts'
import type { Found } from './discovery-output.ts'
import { type JobState, jobStateOf } from './job-state.ts'
import { modelComponent } from './lookup.ts'
import type { Observed } from './observe.ts'

export interface Judgement {
  readonly components: readonly Component[]
  readonly problems: readonly Problem[]
  /** Whether credentials do is known once the image has told its profile. */
  readonly undecided: readonly Problem['category'][]
  readonly discovered: Omit<Telling, 'type'>
  readonly discovery: Discovery | undefined
  /** A profile that has just been read. */
  readonly found: Found | undefined
  readonly startsJob: boolean
  readonly recheckAfterMs: number | undefined
}

/** Room may come free without anything of ours changing. */
const fullRecheckMs = 5_000
const unreadableRecheckMs = 5_000
const jobType = 'DiscoveryJobReady'
const podsType = 'DiscoveryPodsReady'

export function judge(template: AIMServiceTemplate, observed: Observed, nowMs: number): Judgement {
  const { scope, config, model, gpu, missing, sources } = observed
  const parts = [configComponent(config), modelComponent(model, scope, template.spec.modelName)]
  const [configPart, modelPart] = parts
  const missingParts = [config.missing ? configPart : undefined, model === undefined ? modelPart : undefined]
  const problems = [...missingParts.flatMap((part) => part?.message ?? []), ...missing].map(
    (message): Problem => ({ category: 'reference', message }),
  )
  const so = (own: Partial<Judgement>): Judgement => ({
    components: parts,
    problems,
    undecided: ['auth'],
    discovered: formerDiscovered(template),
    discovery: template.status?.discovery,
    found: undefined,
    startsJob: false,
    recheckAfterMs: undefined,
    ...own,
    ...(own.components !== undefined && { components: [...parts, ...own.components] }),
  })
  if (problems.length > 0 || parts.some(({ state }) => state !== 'Ready')) return so({})
  const gpuParts: Component[] =
    gpu === undefined
      ? []
      : [
          {
            type: 'GPUReady',
            state: gpu.available ? 'Ready' : 'NotAvailable',
            reason: gpu.reason,
            message: gpu.message,
          },
        ]
  if (gpu?.available === false) return so({ components: gpuParts })
  if (sources.length > 0) {
    const discovered = told('True', 'InlineModelSources', 'the template names its weights')
    return so({ components: gpuParts, discovered, undecided: [] })
  }
  const next = discoveryOf(template, observed, nowMs)
  return so({ ...next, components: [...gpuParts, ...(next.components ?? [])] })
}

function discoveryOf(template: AIMServiceTemplate, observed: Observed, nowMs: number): Partial<Judgement> {
  const { asking, job, admitted } = observed
  const former = template.status?.discovery
  const hash = asking?.specHash ?? ''
  if (former?.completedSpecHash === hash) {
    const message = 'the image has told its profile'
    return {
      components: [jobComponent('Ready', 'DiscoveryComplete', message)],
      discovered: told('True', 'DiscoveryComplete', message),
      undecided: [],
    }
  }
  if (job !== undefined) return jobOutcome(observed, jobStateOf(job), { template, hash, nowMs })
  const isSame = former?.specHash === hash
  const waitMs = isSame && former.nextAttemptTime !== undefined ? Date.parse(former.nextAttemptTime) - nowMs : 0
  if (waitMs > 0) {
    const pods = lastPods(template)
    const message = `attempt ${former?.attempts} failed: ${former?.lastFailureReason}; the next is at ${former?.nextAttemptTime}`
    return {
      components: [jobComponent('Failed', lastReason(template), message), ...pods],
      problems: pods.flatMap(credentialProblem),
      discovered: told('False', 'DiscoveryFailed', message),
      recheckAfterMs: waitMs,
    }
  }
  if (!admitted) {
    const message = 'as many discovery Jobs as may run at once are running'
    return {
      components: [jobComponent('Pending', 'JobNotCreated', message)],
      discovered: awaiting(message),
      recheckAfterMs: fullRecheckMs,
    }
  }
  const message = 'the image is to be asked for its profile'
  return {
    components: [jobComponent('Progressing', 'JobNotCreated', message)],
    discovered: awaiting(message),
    startsJob: true,
  }
}

const underWay: ReadonlySet<string> = new Set(['JobRunning', 'JobNotCreated', 'DiscoveryComplete'])

/** Why the last attempt failed, which is so until the next. */
function lastReason({ status }: AIMServiceTemplate): string {
  const reason = status?.conditions?.find(({ type }) => type === jobType)?.reason ?? ''
  return reason === '' || underWay.has(reason) ? 'DiscoveryFailed' : reason
}

/** What its pods failed of, which is so until the next as well. */
function lastPods({ status }: AIMServiceTemplate): Component[] {
  const former = status?.conditions?.find(({ type }) => type === podsType)
  return former === undefined
    ? []
    : [{ type: podsType, state: 'Failed', reason: former.reason, message: former.message }]
}

function credentialProblem({ reason, message }: Component): Problem[] {
  return reason === 'AuthError' ? [{ category: 'auth', message }] : []
}

interface Attempt {
  readonly template: AIMServiceTemplate
  readonly hash: string
  readonly nowMs: number
}

function jobOutcome({ job, output, trouble, asking }: Observed, state: JobState, attempt: Attempt): Partial<Judgement> {
  const name = job?.metadata.name
  if (state.at === 'failed') {
    const reason = trouble?.reason ?? state.reason
    const message = trouble === undefined ? state.message : `${state.message}; ${trouble.message}`
    return failed(attempt, { reason: state.reason, message, podReason: reason, attempts: asking?.attempt ?? 0 })
  }
  if (state.at === 'running' || output === undefined) {
    const message = `Job ${name} asks the image for its profile`
    const pods: Component[] = trouble === undefined ? [] : [{ type: podsType, state: 'Progressing', ...trouble }]
    return {
      components: [jobComponent('Progressing', 'JobRunning', message), ...pods],
      discovered: awaiting(trouble?.message ?? message),
    }
  }
  switch (output.read) {
    case 'profile': {
      const { remarks } = output.found
      const message = ['the image has told its profile', ...remarks].join('; ')
      return {
        components: [jobComponent('Ready', 'DiscoveryComplete', message)],
        discovered: told('True', 'DiscoveryComplete', message),
        undecided: [],
        found: output.found,
        discovery: {
          specHash: attempt.hash,
          completedSpecHash: attempt.hash,
          lastAttemptTime: timestamp(attempt.nowMs),
        },
      }
    }
    case 'nonsense': {
      const message = `Job ${name} printed no profile that could be read`
      return failed(attempt, { reason: 'DiscoveryOutputInvalid', message, attempts: asking?.attempt ?? 0 })
    }
    case 'failed':
      return {
        components: [jobComponent('Progressing', 'JobRunning', output.message)],
        problems: [{ category: 'infra', message: output.message }],
        discovered: awaiting(output.message),
        recheckAfterMs: unreadableRecheckMs,
      }
  }
}

interface AttemptFailure {
  readonly reason: string
  readonly message: string
  readonly podReason?: string
  readonly attempts: number
}

function failed({ hash, nowMs, template }: Attempt, failure: AttemptFailure): Partial<Judgement> {
  const attempts = failure.attempts + 1
  const delayMs = retryDelayMs(attempts)
  const { completedSpecHash } = template.status?.discovery ?? {}
  const discovery: Discovery = {
    attempts,
    specHash: hash,
    lastAttemptTime: timestamp(nowMs),
    lastFailureReason: failure.message,
    nextAttemptTime: timestamp(nowMs + delayMs),
    ...(completedSpecHash !== undefined && { completedSpecHash }),
  }
  const message = `${failure.message}; the next attempt is at ${discovery.nextAttemptTime}`
  const pods: Component[] =
    failure.podReason === undefined
      ? []
      : [{ type: podsType, state: 'Failed', reason: failure.podReason, message: failure.message }]
  return {
    components: [jobComponent('Failed', failure.reason, message), ...pods],
    problems: pods.flatMap(credentialProblem),
    discovered: told('False', 'DiscoveryFailed', message),
    discovery,
    recheckAfterMs: delayMs,
  }
}

const firstDelayMs = 60_000
const longestDelayMs = 3_600_000

/** After so many failed attempts. */
export function retryDelayMs(attempts: number): number {
  return Math.min(firstDelayMs * 2 ** Math.min(attempts - 1, 10), longestDelayMs)
}

function jobComponent(state: Component['state'], reason: string, message: string): Component {
  return { type: jobType, state, reason, message }
}

function told(status: Telling['status'], reason: string, message: string): Omit<Telling, 'type'> {
  return { status, reason, message }
}

function awaiting(message: string): Omit<Telling, 'type'> {
  return told('False', 'AwaitingDiscovery', message)
}

function formerDiscovered({ status }: AIMServiceTemplate): Omit<Telling, 'type'> {
  const former = status?.conditions?.find(({ type }) => type === 'Discovered')
  return former === undefined ? awaiting('not looked at yet') : told(former.status, former.reason, former.message)
}
