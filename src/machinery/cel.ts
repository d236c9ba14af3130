import { Environment, EvaluationError, Optional, type ParseResult } from '@marcbachmann/cel-js'
import { isObject, equalJson } from '#base/json.ts'
import { addKubernetesLibrary, guardedMatches } from './cel-library.ts'
import { declareType } from './cel-type.ts'
import { celValue } from './cel-value.ts'
import type { FieldError } from './field-error.ts'
import { childPath } from './field-path.ts'
import { keysOf } from './list-type.ts'
import { resourceSchemaOf } from './object-meta-schema.ts'
import { memberSchema } from './schema-prune.ts'
import type { StructuralSchema, ValidationRule } from './structural-schema.ts'

/**
 * `x-kubernetes-validations`. Rules see values through their schema (`cel-value.ts`) and are compiled once per text.
 * At run time all is dynamically typed; `checkRule` types a rule against its schema, at build.
 * Source: apiextensions-apiserver, `pkg/apiserver/schema/cel/validation.go`.
 */

/** All rules of the schema and below that `value` breaks. A rule that fails to run is an error of its field. */
export function ruleErrors(value: unknown, old: unknown, schema: StructuralSchema): FieldError[] {
  const errors: FieldError[] = []
  walk({ value, old, schema, path: '' }, errors)
  return errors
}

/** Whether the schema or anything in it carries a rule. */
export function hasRules(schema: StructuralSchema): boolean {
  let known = ruled.get(schema)
  if (known === undefined) {
    ruled.set(schema, false) // for a schema that contains itself
    known =
      (schema['x-kubernetes-validations']?.length ?? 0) > 0 || childSchemas(schema).some((child) => hasRules(child))
    ruled.set(schema, known)
  }
  return known
}

const ruled = new WeakMap<StructuralSchema, boolean>()

function childSchemas(schema: StructuralSchema): StructuralSchema[] {
  const { items, additionalProperties, properties = {} } = schema
  return [
    items,
    typeof additionalProperties === 'object' ? additionalProperties : undefined,
    ...Object.values(properties),
  ].filter((child) => child !== undefined)
}

interface Spot {
  readonly value: unknown
  /** The value that this one replaces; `undefined` where there is none or none can be told. */
  readonly old: unknown
  readonly schema: StructuralSchema
  readonly path: string
}

function walk(spot: Spot, errors: FieldError[]): void {
  const { value, old, schema, path } = spot
  if (value === null || value === undefined || !hasRules(schema)) return
  if (value === old && typeof value === 'object') return // the very same was judged when it came
  if (schema['x-kubernetes-validations'] !== undefined) runRules(spot, schema['x-kubernetes-validations'], errors)
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined || !hasRules(items)) return
    const former = formerItems(old, schema)
    for (const [i, item] of value.entries()) {
      walk({ value: item, old: former(item), schema: items, path: `${path}[${i}]` }, errors)
    }
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      const below = memberSchema(schema, name)
      if (below === undefined) continue
      const declared = Object.hasOwn(schema.properties ?? {}, name)
      const former = isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined
      walk(
        { value: member, old: former, schema: below, path: declared ? childPath(path, name) : `${path}[${name}]` },
        errors,
      )
    }
  }
}

/** Only the items of a list-map can be told from one another. */
function formerItems(old: unknown, schema: StructuralSchema): (item: unknown) => unknown {
  const names = schema['x-kubernetes-list-map-keys']
  if (!Array.isArray(old) || schema['x-kubernetes-list-type'] !== 'map' || names === undefined) return () => undefined
  const items: unknown[] = old
  return (item) => items.find((one) => equalJson(keysOf(one, names), keysOf(item, names)))
}

function runRules({ value, old, schema, path }: Spot, rules: readonly ValidationRule[], errors: FieldError[]): void {
  const hasOld = old !== undefined && old !== null
  const members = membersUsed(schema, rules)
  const self = celValue(value, schema, members)
  let oldSelf: unknown
  for (const rule of rules) {
    const program = compile(rule.rule)
    const usesOld = /\boldSelf\b/.test(rule.rule)
    if (usesOld && !hasOld && rule.optionalOldSelf !== true) continue
    if (usesOld && hasOld) oldSelf ??= celValue(old, schema, members)
    const context = {
      self,
      oldSelf: rule.optionalOldSelf === true ? (hasOld ? Optional.of(oldSelf) : Optional.none()) : (oldSelf ?? null),
    }
    const outcome = evaluate(program, context)
    if ('error' in outcome) {
      const detail = `${outcome.error} evaluating rule: ${(rule.message ?? rule.rule).trim()}`
      errors.push({ field: path, type: 'FieldValueInvalid', value: schema.type ?? '', detail })
    } else if (outcome.result !== true) {
      errors.push(broken(rule, { value, path, context }))
    }
  }
}

const used = new WeakMap<StructuralSchema, ReadonlySet<string> | undefined>()

/**
 * The members of an object that its rules name, so that a rule on a whole resource that asks for its name does not
 * convert the rest. `undefined` stands for all: where a rule uses the object in any other way than by `self.member`.
 */
function membersUsed(schema: StructuralSchema, rules: readonly ValidationRule[]): ReadonlySet<string> | undefined {
  if (!used.has(schema)) used.set(schema, membersNamed(schema, rules))
  return used.get(schema)
}

function membersNamed(schema: StructuralSchema, rules: readonly ValidationRule[]): ReadonlySet<string> | undefined {
  if (schema.properties === undefined || rules.some((rule) => rule.optionalOldSelf === true)) return undefined
  const texts = rules.flatMap(({ rule, messageExpression = '' }) => [rule, messageExpression])
  const names = texts.flatMap((text) =>
    [...text.matchAll(/\b(?:self|oldSelf)\b(?:\.([A-Za-z_]\w*))?/g)].map(([, name]) => name),
  )
  return names.includes(undefined) ? undefined : new Set(names.filter((name) => name !== undefined))
}

type Context = Readonly<Record<'self' | 'oldSelf', unknown>>

function broken(
  rule: ValidationRule,
  { value, path, context }: { value: unknown; path: string; context: Context },
): FieldError {
  const at = rule.fieldPath ?? ''
  const below = at.replace(/\['([^']*)'\]/g, '[$1]')
  const shown = typeof value === 'object' ? {} : { value }
  return {
    field: path === '' ? below.replace(/^\./, '') : path + below,
    type: rule.reason ?? 'FieldValueInvalid',
    ...shown,
    detail: messageFrom(rule.messageExpression, context) ?? rule.message?.trim() ?? `failed rule: ${rule.rule.trim()}`,
  }
}

function messageFrom(expression: string | undefined, context: Context): string | undefined {
  if (expression === undefined || expression === '') return undefined
  const outcome = evaluate(compile(expression), context)
  if ('error' in outcome || typeof outcome.result !== 'string') return undefined
  const message = outcome.result.trim()
  return message === '' || message.includes('\n') || message.length > 5120 ? undefined : message
}

type Program = { readonly parsed: ParseResult } | { readonly error: string }

const programs = new Map<string, Program>()

function compile(rule: string): Program {
  let program = programs.get(rule)
  if (program === undefined) {
    try {
      program = { parsed: dynamicEnvironment().parse(guarded(rule)) }
    } catch (error) {
      program = { error: `rule compile error: ${summaryOf(error)}` }
    }
    if (programs.size > 5000) programs.clear() // rules of foreign definitions that came and went
    programs.set(rule, program)
  }
  return program
}

function evaluate(program: Program, context: Context): { readonly result: unknown } | { readonly error: string } {
  if ('error' in program) return program
  try {
    return { result: program.parsed({ ...context }) as unknown }
  } catch (error) {
    return { error: summaryOf(error).replace(/^No such key/, 'no such key') } // as Go's library says it
  }
}

/** Without the excerpt of the rule that the library appends. */
function summaryOf(error: unknown): string {
  if (error instanceof EvaluationError) return error.summary
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
}

const literalOrMatches =
  /([rR]?"""[\s\S]*?"""|[rR]?'''[\s\S]*?'''|[rR]"[^"]*"|[rR]'[^']*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\.\s*matches\s*\(/g

/** Sends `matches` to our own; strings stay as they are. */
function guarded(rule: string): string {
  return rule.replace(literalOrMatches, (_, literal: string | undefined) => literal ?? `.${guardedMatches}(`)
}

let base: Environment | undefined
let dynamic: Environment | undefined

function baseEnvironment(): Environment {
  if (base === undefined) {
    base = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
    addKubernetesLibrary(base)
  }
  return base
}

function dynamicEnvironment(): Environment {
  dynamic ??= baseEnvironment().clone().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn')
  return dynamic
}

/**
 * What is wrong with a rule on this schema, or with its `messageExpression`; `undefined` when nothing is.
 * `root` tells that the schema is that of a whole object.
 */
export function checkRule(schema: StructuralSchema, rule: ValidationRule, root = false): string | undefined {
  const env = baseEnvironment().clone()
  const named = new Set(`${rule.rule} ${rule.messageExpression ?? ''}`.match(/\w+/g))
  const type = declareType(env, root ? resourceSchemaOf(schema) : schema, { named, resource: root })
  if (type === undefined) return 'rule on a value that CEL cannot see'
  env.registerVariable('self', type)
  env.registerVariable('oldSelf', rule.optionalOldSelf === true ? `optional<${type}>` : type)
  const wrong = checkExpression(env, rule.rule, 'bool')
  if (wrong !== undefined || rule.messageExpression === undefined) return wrong
  const wrongMessage = checkExpression(env, rule.messageExpression, 'string')
  return wrongMessage === undefined ? undefined : `messageExpression: ${wrongMessage}`
}

function checkExpression(env: Environment, expression: string, wanted: string): string | undefined {
  const source = guarded(expression)
  const { valid, type, error } = env.check(source)
  if (!valid) return error?.message ?? 'does not compile'
  // The library does not look at the fields that `has` names.
  for (const [, selection = ''] of source.matchAll(/\bhas\(\s*((?:self|oldSelf)(?:\.\w+)+)\s*\)/g)) {
    const named = env.check(selection)
    if (!named.valid) return named.error?.message
  }
  return type === wanted || type === 'dyn' ? undefined : `must be ${wanted}, is ${type}`
}
