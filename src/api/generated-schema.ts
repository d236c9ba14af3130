import { readFileSync } from 'node:fs'
import { isObject } from '#base/json.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { embeddedSchema, mapValues } from './core/schemas.ts'

/** A structural schema but for the members that have a definition in Kubernetes' own OpenAPI document: those name it. */
export type UnresolvedSchema = Omit<StructuralSchema, 'properties' | 'items' | 'additionalProperties'> & {
  readonly coreDefinition?: string
  readonly properties?: Readonly<Record<string, UnresolvedSchema>>
  readonly items?: UnresolvedSchema
  readonly additionalProperties?: UnresolvedSchema
}

/** By `<plural>.<group>`. */
export type GeneratedSchemas = Readonly<Record<string, UnresolvedSchema>>

/** `npm run generate` writes it from `schemas/`. */
export const generatedFile = new URL('./schemas.generated.json', import.meta.url)

let cached: GeneratedSchemas | undefined

/** The schema of a kind of that name, read and put together at first use. */
export function generatedSchema(name: string): () => StructuralSchema {
  let schema: StructuralSchema | undefined
  return () => {
    if (schema !== undefined) return schema
    cached ??= JSON.parse(readFileSync(generatedFile, 'utf8')) as GeneratedSchemas
    const unresolved = cached[name]
    if (unresolved === undefined) throw new Error(`no schema was generated for ${name}; run \`npm run generate\``)
    return (schema = resolved(unresolved))
  }
}

/** With Kubernetes' own definitions where they are named. */
function resolved({
  coreDefinition,
  properties,
  items,
  additionalProperties,
  ...rest
}: UnresolvedSchema): StructuralSchema {
  return {
    ...(coreDefinition !== undefined && embeddedSchema(coreDefinition)),
    ...rest,
    ...(properties !== undefined && { properties: mapValues(properties, resolved) }),
    ...(items !== undefined && { items: resolved(items) }),
    ...(isObject(additionalProperties) && { additionalProperties: resolved(additionalProperties) }),
  }
}
