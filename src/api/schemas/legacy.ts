/** The schemas of an older dialect: ours in its words, without what it had not. */
import { isObject } from '#base/json.ts'
import type { ValidationRule } from '#machinery/structural-schema.ts'
import { mapValues } from '../core/schemas.ts'
import type { Dialect } from '../dialects.ts'
import type { UnresolvedSchema } from '../generated-schema.ts'
import { backendOptions, modelOptions } from './model-booster-options.ts'

/** Of a backend and of a model, what came after the first family. */
const later = {
  spec: ['backend', ...Object.keys(modelOptions)],
  backend: [
    'replicas',
    'schedulerName',
    'runtimeClassName',
    'serviceAccountName',
    'imagePullSecrets',
    'gangPolicy',
    'networkTopology',
    ...Object.keys(backendOptions),
  ],
  worker: ['tolerations', 'nodeSelector'],
} as const

/** All texts of a schema (values, defaults, rules, descriptions) in the words of a dialect. */
export function respelled(schema: UnresolvedSchema, dialect: Dialect): UnresolvedSchema {
  const words = [
    ...dialect.spellings,
    ['ModelServing', dialect.servingKind],
    ['ModelBooster', dialect.boosterKind],
  ] as const
  const inWords = (value: unknown): unknown => {
    if (typeof value === 'string') return words.reduce((text, [from, to]) => text.replaceAll(from, to), value)
    if (Array.isArray(value)) return value.map(inWords)
    return isObject(value) ? mapValues(value, inWords) : value
  }
  return inWords(schema) as UnresolvedSchema
}

/** Of a `Model`, from what a ModelBooster is in its words. */
export function modelSchema(schema: UnresolvedSchema): UnresolvedSchema {
  const spec = without(schema.properties?.['spec'], later.spec, later.backend)
  const backends = spec.properties?.['backends']
  const backend = without(backends?.items, later.backend)
  const workers = backend.properties?.['workers']
  const worker = without(workers?.items, later.worker)
  const required = [...(backend.required ?? []), 'minReplicas', 'maxReplicas']
  const withWorkers = { ...changed(backend, 'workers', { ...workers, items: worker }), required }
  const withBackends = changed(spec, 'backends', { ...backends, items: withWorkers })
  return {
    ...changed(schema, 'spec', { ...withBackends, required: ['backends'] }),
    'x-kubernetes-validations': rulesWithout(schema, [...later.spec, ...later.backend]),
  }
}

function changed(schema: UnresolvedSchema, name: string, value: UnresolvedSchema): UnresolvedSchema {
  return { ...schema, properties: { ...schema.properties, [name]: value } }
}

/** The schema without some members, and without the rules that speak of them or of others that are gone `below`. */
function without(
  schema: UnresolvedSchema | undefined,
  names: readonly string[],
  below: readonly string[] = [],
): UnresolvedSchema {
  if (schema === undefined) throw new TypeError(`no schema to take ${names.join()} from`)
  const properties = Object.entries(schema.properties ?? {}).filter(([name]) => !names.includes(name))
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    'x-kubernetes-validations': rulesWithout(schema, [...names, ...below]),
  }
}

function rulesWithout(schema: UnresolvedSchema, names: readonly string[]): readonly ValidationRule[] {
  const mentions = new RegExp(`\\.(${names.join('|')})\\b`)
  return (schema['x-kubernetes-validations'] ?? []).filter(({ rule }) => !mentions.test(rule))
}
