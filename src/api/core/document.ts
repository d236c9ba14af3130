import { readFileSync } from 'node:fs'
import type { StructuralSchema } from '#machinery/structural-schema.ts'

/** The definitions that we use of Kubernetes' published OpenAPI v2 document, unchanged but for what is free-form. */
export interface CoreDocument {
  readonly source: string
  /** The release that the document describes, such as `v1.37.2`; what the embedded API server reports. */
  readonly kubernetesVersion: string
  /** By full name, such as `io.k8s.api.core.v1.Pod`. */
  readonly definitions: Readonly<Record<string, CoreDefinition>>
}

export type CoreDefinition = Omit<StructuralSchema, 'properties' | 'items' | 'additionalProperties'> & {
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, CoreDefinition>>
  readonly items?: CoreDefinition
  readonly additionalProperties?: CoreDefinition
  readonly 'x-kubernetes-unions'?: unknown
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string
    readonly version: string
    readonly kind: string
  }[]
}

let cached: CoreDocument | undefined

/** Read and parsed at first use: most commands never need it. */
export function coreDocument(): CoreDocument {
  cached ??= JSON.parse(readFileSync(new URL('./openapi.generated.json', import.meta.url), 'utf8')) as CoreDocument
  return cached
}

export function coreDefinition(name: string): CoreDefinition {
  const definition = coreDocument().definitions[name]
  if (definition === undefined) throw new Error(`the pinned OpenAPI document has no definition ${name}`)
  return definition
}

/** The full name that a `$ref` points to. */
export function refTarget(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}
