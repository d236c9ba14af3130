import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { Job } from '#api/core/kinds.ts'
import type { Plan, Why } from '#controller/domain.ts'
import { isLeftAlone } from '../paused.ts'
import { discoveryJobName, renderDiscoveryJob } from './discovery-job.ts'
import { judge } from './judge.ts'
import type { Observed } from './observe.ts'

/** Makes the Job of an attempt when its time has come; nothing else is ever written beside the status. */
export function plan(template: AIMServiceTemplate, observed: Observed, nowMs: number): Plan {
  if (isLeftAlone(template)) return { stages: [] }
  const { startsJob, recheckAfterMs, found } = judge(template, observed, nowMs)
  const { asking } = observed
  const recheck = recheckAfterMs === undefined ? {} : { recheckAfterMs }
  const notes: Why[] =
    found === undefined ? [] : [{ reason: 'DiscoverySucceeded', note: 'the image has told its profile' }]
  if (!startsJob || asking === undefined) return { stages: [], notes, ...recheck }
  const why: Why = { reason: 'DiscoveryJobCreated', note: `created Job ${discoveryJobName(template, asking)}` }
  return {
    stages: [[{ do: 'create', kind: Job, object: renderDiscoveryJob(template, asking), why }]],
    notes,
    ...recheck,
  }
}
