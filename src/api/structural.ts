import { z } from 'zod'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { embeddedSchema } from './core/schemas.ts'

type Json = Record<string, unknown>

/** The structural schema of a zod schema as an author may write it: defaulted members are not required. */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => override(zodSchema._zod.def.type, jsonSchema as Json),
  }) as Json
  return json as StructuralSchema
}

/** Changes in place what zod writes and Kubernetes refuses. */
function override(type: string, json: Json): void {
  const definition = json.coreDefinition
  if (typeof definition === 'string') {
    delete json.coreDefinition
    Object.assign(json, { ...embeddedSchema(definition), ...json })
  }
  if (json['x-kubernetes-preserve-unknown-fields'] === true) delete json.additionalProperties
  if (type === 'record') delete json.propertyNames
  if (type === 'object') delete json.additionalProperties
  if (json.type === 'integer') {
    const int32 = json.minimum === -2147483648 || json.maximum === 2147483647
    if (json.minimum === -2147483648 || json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum
    if (json.maximum === 2147483647 || json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum
    json.format = int32 ? 'int32' : 'int64'
  }
}
