/** What a model wants, in one spelling. Never written back. */
import type { ModelSource } from '#api/aim-fields.ts'
import type { AIMModel } from '#api/aim-model.ts'
import { canonicalSource } from '../model-source.ts'

export interface CanonicalModel {
  readonly name: string
  /** `undefined` for a model of the cluster. */
  readonly namespace: string | undefined
  readonly image: string
  /** Unset where the runtime config decides. */
  readonly extract: boolean | undefined
  readonly create: boolean | undefined
  /** Weights come from elsewhere. */
  readonly custom: boolean
  readonly sources: readonly ModelSource[]
  readonly errors: readonly string[]
}

export function canonicalModel({ metadata, spec }: AIMModel): CanonicalModel {
  const given = spec.modelSources ?? []
  const sources = given.map(canonicalSource)
  const errors = sources.flatMap((source, i) =>
    source === undefined
      ? [`spec.modelSources[${i}].modelId: cannot be told from ${given[i]?.sourceUri}; write organisation/model`]
      : [],
  )
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace,
    image: spec.image,
    extract: spec.discovery?.extractMetadata,
    create: spec.discovery?.createServiceTemplates ?? spec.discovery?.createTemplates,
    custom: given.length > 0,
    sources: sources.flatMap((source) => source ?? []),
    errors,
  }
}
