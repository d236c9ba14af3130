import { hasRules, ruleErrors } from './cel.ts'
import type { FieldError, FieldErrorType } from './field-error.ts'
import { resourceSchemaOf } from './object-meta-schema.ts'
import { defaultValue, fillValue } from './schema-default.ts'
import { pruneValue, type Unknown } from './schema-prune.ts'
import { checkOf } from './schema-validate.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * What an API server does with the schema of a kind, in this order: prune, default, validate. The schema is that of
 * the whole object; `apiVersion`, `kind` and `metadata` are known without it. No method changes its argument
 * or throws, whatever the JSON; results share with the argument all that stays the same.
 */
export interface CompiledSchema {
  /** Without what is not specified; `unknown` lists the paths of what was dropped, sorted, those in embedded metadata last. */
  prune<T>(value: T): { readonly value: T; readonly unknown: readonly string[] }
  /** With defaults filled in, and without nulls that the schema does not allow. */
  default<T>(value: T): T
  /** With defaults filled in where nothing is at all; nulls stay. */
  fill<T>(value: T): T
  /** All that is wrong, worded as by an API server. Transition rules run only where there is an `old`. */
  validate(value: unknown, old?: unknown): FieldError[]
  /** The first half: what is wrong with the value by its schema without its rules. */
  check(value: unknown, old?: unknown): FieldError[]
  /** The second: the rules that are broken, unless `errors` are in their way. */
  rules(value: unknown, old: unknown, errors: readonly FieldError[]): FieldError[]
}

const compiledSchemas = new WeakMap<StructuralSchema, CompiledSchema>()

/** Cheap, and cached by the schema's identity: what a schema node means is worked out when an object first needs it. */
export function compileSchema(schema: StructuralSchema): CompiledSchema {
  let compiled = compiledSchemas.get(schema)
  if (compiled === undefined) {
    compiled = compile(resourceSchemaOf(schema))
    compiledSchemas.set(schema, compiled)
  }
  return compiled
}

function compile(schema: StructuralSchema): CompiledSchema {
  return {
    prune<T>(value: T) {
      const unknown = { paths: [], embedded: [] } as Unknown
      const pruned = pruneValue(value, schema, '', unknown) as T // pruning takes members away, optional ones by type
      return { value: pruned, unknown: [...unknown.paths.sort(), ...unknown.embedded.sort()] }
    },
    default: <T>(value: T) => defaultValue(value, schema) as T, // defaulting only adds
    fill: <T>(value: T) => fillValue(value, schema) as T,
    validate(value, old) {
      const errors = check(value, old)
      return [...errors, ...rules(value, old, errors)]
    },
    check,
    rules,
  }

  function check(value: unknown, old: unknown): FieldError[] {
    const errors: FieldError[] = []
    checkOf(schema)(value, '', errors, old)
    // Sets and keyed lists are looked at last.
    const isTwice = ({ type }: FieldError): boolean => type === 'FieldValueDuplicate'
    return [...errors.filter((error) => !isTwice(error)), ...errors.filter(isTwice)]
  }

  function rules(value: unknown, old: unknown, errors: readonly FieldError[]): FieldError[] {
    if (!hasRules(schema)) return []
    // Rules may rely on the rest of the schema, so they do not run on what breaks it.
    return errors.some((error) => blocking.has(error.type)) ? [unchecked] : ruleErrors(value, old, schema)
  }
}

const blocking: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

const unchecked: FieldError = {
  field: '<nil>',
  type: 'FieldValueInvalid',
  value: null,
  detail:
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
}
