import type { AIMModel, AIMModelStatus } from '#api/aim-model.ts'
import type { ImageMetadata } from '#api/aim-fields.ts'
import type { Outcome } from '#controller/domain.ts'
import { isLeftAlone } from '../paused.ts'
import { rollUp } from '../rollup.ts'
import { writeFailures } from '../write-failures.ts'
import { judge } from './judge.ts'
import type { Observed } from './observe.ts'

export function status(
  object: AIMModel,
  observed: Observed,
  outcome: Outcome,
  nowMs: number,
): AIMModelStatus | undefined {
  if (isLeftAlone(object)) return undefined
  const { components, problems, further, undecided } = judge(object, observed, nowMs)
  const generation = object.metadata.generation ?? 0
  const parts = {
    components: [...components, ...writeFailures(outcome, { type: 'TemplatesWritten', reason: 'TemplateWriteFailed' })],
    problems,
    further,
    undecided,
  }
  const rolled = rollUp(parts, { conditions: object.status?.conditions, generation, nowMs })
  const { config, inspected, model } = observed
  const metadata = shownMetadata(object, observed)
  return {
    status: rolled.status,
    observedGeneration: generation,
    conditions: rolled.conditions,
    ...(config.reference !== undefined && { resolvedRuntimeConfig: config.reference }),
    ...(metadata !== undefined && { imageMetadata: metadata }),
    sourceType: model.custom ? 'Custom' : 'Image',
    ...(inspected.inspection !== undefined && { inspection: inspected.inspection }),
  }
}

/** That of an image that was stays to look at while the present one is not known. */
function shownMetadata({ status: former }: AIMModel, { inspected }: Observed): ImageMetadata | undefined {
  return inspected.state === 'unknown' ? former?.imageMetadata : inspected.metadata
}
