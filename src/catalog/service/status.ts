import type { AimStatus, ResolvedReference } from '#api/aim-fields.ts'
import type { AIMService, AIMServiceStatus, AimServiceStatus } from '#api/aim-service.ts'
import { isFault } from '#base/fault.ts'
import type { Outcome } from '#controller/domain.ts'
import { isLeftAlone } from '../paused.ts'
import { type Component, rollUp } from '../rollup.ts'
import { modelReference } from '../template/lookup.ts'
import { writeFailures } from '../write-failures.ts'
import { judge } from './judge.ts'
import type { Observed } from './observe.ts'
import { routedName, workloadName } from './render.ts'
import type { Candidate } from './selection.ts'

export function status(
  service: AIMService,
  observed: Observed,
  outcome: Outcome,
  nowMs: number,
): AIMServiceStatus | undefined {
  if (isLeftAlone(service)) return undefined
  const { components, problems } = judge(service, observed)
  const generation = service.metadata.generation ?? 0
  const rolled = rollUp(
    { components: [...components, ...unwritten(outcome)], problems },
    { conditions: service.status?.conditions, generation, nowMs },
  )
  const { config, model, template, serving, route, canonical } = observed
  const candidates = template.selection?.candidates
  const runtime = serving && runtimeOf(observed)
  return {
    status: wordOf(rolled.status, serving !== undefined),
    observedGeneration: generation,
    conditions: rolled.conditions,
    ...(config.reference !== undefined && { resolvedRuntimeConfig: config.reference }),
    ...(model.found !== undefined && { resolvedModel: modelReference(model.found) }),
    ...(template.found?.template.status?.status === 'Ready'
      ? { resolvedTemplate: templateReference(template.found) }
      : service.status?.resolvedTemplate !== undefined && serving !== undefined
        ? { resolvedTemplate: service.status.resolvedTemplate }
        : {}),
    ...(candidates !== undefined && { templateCandidates: [...candidates] }),
    ...(route !== undefined && { routing: { path: '/v1', modelName: routedName(service) } }),
    runtime: { backend: 'ModelServing', workloadName: workloadName(canonical), ...runtime },
  }
}

/** A name that is taken stays so until somebody does something about it. */
function unwritten(outcome: Outcome): Component[] {
  const isTaken = outcome.failures.some(({ error }) => isFault(error) && error.code === 'NameConflict')
  const parts = writeFailures(outcome, { type: 'ChildrenWritten', reason: isTaken ? 'NameConflict' : 'WriteFailed' })
  return isTaken ? parts.map((part) => ({ ...part, state: 'Failed' })) : parts
}

/** A GPU that is missing is something to wait for, until pods are there that would need it. */
function wordOf(state: AimStatus, hasWorkload: boolean): AimServiceStatus {
  switch (state) {
    case 'Ready':
      return 'Running'
    case 'Progressing':
      return 'Starting'
    case 'NotAvailable':
      return hasWorkload ? 'Degraded' : 'Pending'
    default:
      return state
  }
}

function runtimeOf({ serving, canonical }: Observed) {
  const { availableReplicas = 0 } = serving?.status ?? {}
  const { replicas } = canonical
  return {
    currentReplicas: availableReplicas,
    desiredReplicas: serving?.spec.replicas ?? replicas,
    minReplicas: replicas,
    maxReplicas: replicas,
    replicas: String(replicas),
  }
}

function templateReference({ template, scope }: Candidate): ResolvedReference {
  const { kind, metadata } = template
  const { name, namespace, uid } = metadata
  return { name, ...(namespace !== undefined && { namespace }), scope, kind, uid }
}
