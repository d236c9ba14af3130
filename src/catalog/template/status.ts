import type { HardwareRequirements, Profile } from '#api/aim-fields.ts'
import type { AIMServiceTemplate, AIMServiceTemplateStatus } from '#api/aim-service-template.ts'
import { Job } from '#api/core/kinds.ts'
import type { Outcome } from '#controller/domain.ts'
import { affinityOf } from '../gpu/availability.ts'
import { hardwareOf, hardwareSummary, withResource } from '../hardware.ts'
import { isLeftAlone } from '../paused.ts'
import { rollUp } from '../rollup.ts'
import { writeFailures } from '../write-failures.ts'
import { discoveryJobName } from './discovery-job.ts'
import { judge, type Judgement } from './judge.ts'
import { modelReference } from './lookup.ts'
import type { Observed } from './observe.ts'

export function status(
  template: AIMServiceTemplate,
  observed: Observed,
  outcome: Outcome,
  nowMs: number,
): AIMServiceTemplateStatus | undefined {
  if (isLeftAlone(template)) return undefined
  const judgement = judge(template, observed, nowMs)
  const generation = template.metadata.generation ?? 0
  const { status: former } = template
  const { config, model, inventory, sources, asking, job } = observed
  const rolled = rollUp(
    {
      components: [
        ...judgement.components,
        ...writeFailures(outcome, { type: 'DiscoveryJobWritten', reason: 'JobNotCreated' }),
      ],
      problems: judgement.problems,
      undecided: judgement.undecided,
      further: [{ type: 'Discovered', ...judgement.discovered }],
    },
    { conditions: former?.conditions, generation, nowMs },
  )
  const profile = profileOf(template, observed, judgement)
  const hardware = resolvedHardware(hardwareOf(template.spec), sources.length > 0 ? undefined : profile)
  const affinity = affinityOf(hardware?.gpu, inventory)
  const modelSources = sources.length > 0 ? [...sources] : (judgement.found?.modelSources ?? former?.modelSources)
  const startedJob = judgement.startsJob && outcome.complete && asking ? discoveryJobName(template, asking) : undefined
  const jobName = job?.metadata.name ?? startedJob
  return {
    status: rolled.status,
    observedGeneration: generation,
    conditions: rolled.conditions,
    ...(config.reference !== undefined && { resolvedRuntimeConfig: config.reference }),
    ...(model !== undefined && { resolvedModel: modelReference(model) }),
    ...(hardware !== undefined && { resolvedHardware: hardware }),
    ...(affinity !== undefined && { resolvedNodeAffinity: affinity }),
    hardwareSummary: hardwareSummary(hardware),
    ...(modelSources !== undefined && { modelSources: [...modelSources] }),
    ...(profile !== undefined && { profile }),
    ...(jobName !== undefined && {
      discoveryJob: { name: jobName, namespace: asking?.namespace, scope: 'Namespace', kind: Job.kind },
    }),
    ...(judgement.discovery !== undefined && { discovery: judgement.discovery }),
  }
}

function profileOf(
  { spec, status }: AIMServiceTemplate,
  { sources }: Observed,
  { found }: Judgement,
): Profile | undefined {
  if (sources.length === 0) {
    const profile = found?.profile ?? status?.profile
    return profile === undefined || spec.type === undefined
      ? profile
      : { ...profile, metadata: { ...profile.metadata, type: spec.type } }
  }
  const { requests, model } = hardwareOf(spec)?.gpu ?? {}
  const { metric, precision, type } = spec
  return {
    metadata: {
      ...(model !== undefined && { gpu: model }),
      ...(requests !== undefined && { gpuCount: requests }),
      ...(metric !== undefined && { metric }),
      ...(precision !== undefined && { precision }),
      ...(type !== undefined && { type }),
    },
  }
}

/** What was found out over what was asked for; a model and a least memory never stand together. */
function resolvedHardware(
  wanted: HardwareRequirements | undefined,
  profile: Profile | undefined,
): HardwareRequirements | undefined {
  const { gpu: foundModel = '', gpuCount } = profile?.metadata ?? {}
  const { model = '', minVram, requests, ...rest } = wanted?.gpu ?? {}
  const count = gpuCount ?? requests
  const name = minVram === undefined ? foundModel || model : ''
  const isEmpty = wanted?.gpu === undefined && (count ?? 0) === 0 && name === ''
  const gpu = {
    ...rest,
    ...(count !== undefined && { requests: count }),
    ...(name !== '' && { model: name }),
    ...(minVram !== undefined && { minVram }),
  }
  const { cpu } = wanted ?? {}
  if (isEmpty && cpu === undefined) return undefined
  return withResource({ ...(!isEmpty && { gpu }), ...(cpu !== undefined && { cpu }) })
}
