import { Duration } from '@marcbachmann/cel-js/evaluator'
import { isObject } from '#base/json.ts'
import { parseDuration } from './duration.ts'
import { memberSchema, setMember } from './schema-prune.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * How JSON looks to CEL: integers are 64-bit (`bigint` here), times and durations have types of their own, members
 * have escaped names, and what the schema does not specify is not there.
 * Source: https://kubernetes.io/docs/reference/using-api/cel/ and apiserver, `pkg/cel/common/values.go`.
 *
 * `only` are the names, in CEL, of the members that matter when the value is an object; the default is all.
 */
export function celValue(value: unknown, schema: StructuralSchema, only?: ReadonlySet<string>): unknown {
  if (value === null || isPlain(schema)) return value
  if (typeof value === 'number') return Number.isInteger(value) && schema.type !== 'number' ? BigInt(value) : value
  if (typeof value === 'string') return celString(value, schema.format)
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? value : value.map((item) => celValue(item, items))
  }
  return isObject(value) ? celObject(value, schema, only) : value
}

function celObject(
  value: Record<string, unknown>,
  schema: StructuralSchema,
  only: ReadonlySet<string> | undefined,
): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const below = memberSchema(schema, name)
    if (below === undefined || member === undefined) continue
    const celName = Object.hasOwn(schema.properties ?? {}, name) ? escapeName(name) : name
    if (celName === undefined || only?.has(celName) === false) continue
    setMember(object, celName, celValue(member, below))
  }
  return object
}

function celString(value: string, format: string | undefined): unknown {
  switch (format) {
    case 'date':
    case 'date-time':
    case 'datetime':
      return new Date(value)
    case 'duration':
      return Duration.fromMilliseconds(parseDuration(value) ?? 0)
    case 'byte':
      return Uint8Array.from(Buffer.from(value, 'base64'))
    default:
      return value
  }
}

const plain = new WeakMap<StructuralSchema, boolean>()

/** Whether JSON of this schema is CEL already, so that it need not be copied. */
function isPlain(schema: StructuralSchema): boolean {
  let known = plain.get(schema)
  if (known === undefined) {
    plain.set(schema, false) // for a schema that contains itself
    known = looksPlain(schema)
    plain.set(schema, known)
  }
  return known
}

function looksPlain(schema: StructuralSchema): boolean {
  switch (schema.type) {
    case 'boolean':
    case 'number':
      return true
    case 'string':
      return schema.format === undefined || typeof celString('', schema.format) === 'string'
    case 'array':
      return schema.items !== undefined && isPlain(schema.items)
    case 'object':
      return (
        schema.properties === undefined &&
        typeof schema.additionalProperties === 'object' &&
        isPlain(schema.additionalProperties)
      )
    default:
      return false
  }
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)
const escapes: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** The name of a member in CEL; `undefined` where CEL cannot name it. */
export function escapeName(name: string): string | undefined {
  if (reserved.has(name)) return `__${name}__`
  if (!/^[A-Za-z_./-][\w./-]*$/.test(name)) return undefined
  return name.replace(/__|[./-]/g, (part) => escapes[part] ?? part)
}
