import { hash } from 'node:crypto'
import { canonicalJson } from '#base/json.ts'
import type { EnvVar } from '#api/core/types.generated.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { hardwareOf } from '../hardware.ts'

/** Stands for all that a profile depends on: with another of these, the image is asked anew. */
export function specHash({ spec }: AIMServiceTemplate, image: string, env: readonly EnvVar[]): string {
  const { modelName, metric, precision, profileId } = spec
  const gpu = hardwareOf(spec)?.gpu
  const facts = { modelName, image, metric, precision, model: gpu?.model, requests: gpu?.requests, profileId, env }
  return hash('sha256', canonicalJson(facts), 'hex').slice(0, 16)
}
