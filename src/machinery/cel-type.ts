import type { Environment } from '@marcbachmann/cel-js'
import { equalJson } from '#base/json.ts'
import { escapeName } from './cel-value.ts'
import { resourceSchemaOf } from './object-meta-schema.ts'
import type { StructuralSchema } from './structural-schema.ts'

interface Uses {
  /** The words of the rule. What members that it does not name are, it cannot tell, and a whole PodSpec is not declared for it. */
  readonly named: ReadonlySet<string>
  /** Whether the schema is that of a whole object. */
  readonly resource: boolean
}

/**
 * Declares in `env` what values of a schema are in CEL for a rule, and returns the type's name; `undefined` for what CEL
 * cannot see. Source: apiserver, `pkg/cel/common/schemas.go`.
 */
export function declareType(env: Environment, schema: StructuralSchema, { named, resource }: Uses): string | undefined {
  let count = 0
  return typeOf(schema, [], resource)

  function typeOf(schema: StructuralSchema, above: readonly StructuralSchema[], resource = false): string | undefined {
    // Of a nullable value little can be said: it may be compared with null.
    if (schema['x-kubernetes-int-or-string'] === true || schema.nullable === true) return 'dyn'
    if (above.includes(schema)) return 'dyn'
    const inside = [...above, schema]
    switch (schema.type) {
      case 'boolean':
        return 'bool'
      case 'integer':
        return 'int'
      case 'number':
        return 'double'
      case 'string':
        return stringType(schema.format)
      case 'array': {
        const item = schema.items === undefined ? undefined : typeOf(schema.items, inside)
        return item === undefined ? undefined : `list<${item}>`
      }
      case 'object': {
        if (typeof schema.additionalProperties === 'object') {
          const value = typeOf(schema.additionalProperties, inside)
          return value === undefined ? undefined : `map<string, ${value}>`
        }
        const whole = resource || schema['x-kubernetes-embedded-resource'] === true
        return objectType(whole ? resourceSchemaOf(schema) : schema, inside, whole)
      }
      default:
        return undefined
    }
  }

  function objectType(schema: StructuralSchema, inside: readonly StructuralSchema[], resource: boolean): string {
    const fields: Record<string, string> = {}
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      const celName = escapeName(name)
      if (celName === undefined || !named.has(celName)) continue
      const type = resource && name === 'metadata' ? metadataType() : typeOf(member, inside)
      if (type !== undefined) fields[celName] = type
    }
    return register(fields)
  }

  /** Of the metadata, rules may read only the names. */
  function metadataType(): string {
    return register({ name: 'string', generateName: 'string' })
  }

  function register(fields: Record<string, string>): string {
    const name = `object.T${count++}`
    env.registerType(name, { fields })
    // The library compares objects but does not say so of types that were declared.
    env.registerOperator(`${name} == ${name}`, (a: unknown, b: unknown) => equalJson(a, b))
    return name
  }
}

function stringType(format: string | undefined): string {
  switch (format) {
    case 'date':
    case 'date-time':
    case 'datetime':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    case 'byte':
      return 'bytes'
    default:
      return 'string'
  }
}
