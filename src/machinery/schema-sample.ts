/** Values that a schema has room for: what a field could be instead, and what one that is absent could be. */
import { isObject } from '#base/json.ts'
import type { PathSegment } from './field-path.ts'
import { memberSchema } from './schema-prune.ts'
import type { StructuralSchema } from './structural-schema.ts'

/** The schema of what is at a path; `undefined` below what is free-form. */
export function schemaAt(
  schema: StructuralSchema | undefined,
  path: readonly PathSegment[],
): StructuralSchema | undefined {
  return path.reduce<StructuralSchema | undefined>(
    (above, segment) => (typeof segment === 'number' ? above?.items : memberSchema(above, segment)),
    schema,
  )
}

/** Another value of the same type, among those that the schema names where it names some. */
export function otherValue(value: unknown, schema: StructuralSchema | undefined): unknown {
  const other = schema?.enum?.find((each) => each !== value)
  if (other !== undefined) return other
  switch (typeof value) {
    case 'boolean':
      return !value
    case 'number':
      return value === schema?.maximum ? value - 1 : value + 1
    case 'string':
      return /\ds$/.test(value) && schema?.pattern !== undefined ? `1m${value}` : `${value}x`
    default:
      return Array.isArray(value) ? [sampleOf(schema?.items)] : { x: 'x' }
  }
}

/** Of objects all members, some levels deep; of lists one item. */
function sampleOf(schema: StructuralSchema | undefined, depth = 3): unknown {
  if (schema?.enum !== undefined) return schema.enum.find((each) => each !== schema.default)
  switch (schema?.type) {
    case 'boolean':
      return schema.default !== true
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, 1) + (typeof schema.default === 'number' ? schema.default : 0)
    case 'array':
      return [sampleOf(schema.items, depth - 1)]
    case 'object':
      return sampleObject(schema, depth)
    default:
      return texts.find((text) => schema?.pattern === undefined || new RegExp(schema.pattern).test(text)) ?? 'x'
  }
}

/** One of these is what any of our patterns takes. */
const texts = ['x', '1s', 'pvc://x', 'hf://x', 'https://x']

function sampleObject({ properties, additionalProperties }: StructuralSchema, depth: number): unknown {
  if (properties === undefined)
    return { x: typeof additionalProperties === 'object' ? sampleOf(additionalProperties, depth - 1) : 'x' }
  if (depth === 0) return {}
  return Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, sampleOf(member, depth - 1)]))
}

/** Members that the schema knows and the value does not have, on all levels that the value has, each with a sample. */
export function absentMembers(
  value: unknown,
  schema: StructuralSchema | undefined,
  path: readonly PathSegment[],
): { path: PathSegment[]; value: unknown }[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, i) => absentMembers(item, schema?.items, [...path, i]))
  }
  if (!isObject(value)) return []
  const absent = Object.entries(schema?.properties ?? {}).filter(([name]) => value[name] === undefined)
  return [
    ...absent.map(([name, member]) => ({ path: [...path, name], value: sampleOf(member) })),
    ...Object.entries(value).flatMap(([name, member]) =>
      absentMembers(member, memberSchema(schema, name), [...path, name]),
    ),
  ]
}
