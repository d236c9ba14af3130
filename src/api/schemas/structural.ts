import { z } from 'zod'
import type { UnresolvedSchema } from '../generated-schema.ts'

type Json = Record<string, unknown>

/** The structural schema of a zod schema as an author may write it: defaulted members are not required. */
export function structuralSchema(schema: z.ZodType): UnresolvedSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => override(zodSchema, jsonSchema as Json),
  }) as Json
  return json
}

/** Changes in place what zod writes and Kubernetes refuses. */
function override({ _zod: { def } }: z.core.$ZodTypes, json: Json): void {
  if (def.type === 'record') delete json.propertyNames
  if (def.type === 'object' || json['x-kubernetes-preserve-unknown-fields'] === true) delete json.additionalProperties
  if (json.format === 'date-time') delete json.pattern
  if (def.type === 'number') {
    const int32 = (def as { format?: string }).format === 'int32' // only on whole numbers
    const [least, most] = int32 ? [-(2 ** 31), 2 ** 31 - 1] : [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
    if (json.minimum === least) delete json.minimum
    if (json.maximum === most) delete json.maximum
    json.format = int32 ? 'int32' : 'int64'
  }
}
