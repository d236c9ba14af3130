/** The kinds of each dialect. Those of an older one are ours under other names, without what it had not. */
import { isObject } from '#base/json.ts'
import { isOfKind, type Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import type { StructuralSchema, ValidationRule } from '#machinery/structural-schema.ts'
import { AutoscalingPolicy } from './autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from './autoscaling-policy-binding.ts'
import { type Dialect, type DialectKind, dialectOf, kthena, matrixinfer } from './dialects.ts'
import { ModelBooster } from './model-booster.ts'
import { backendOptions, modelOptions } from './model-booster-options.ts'
import { ModelRoute } from './model-route.ts'
import { ModelServer } from './model-server.ts'
import { ModelServing } from './model-serving.ts'

export interface FamilyKinds {
  readonly booster: Kind<ModelBooster>
  readonly serving: Kind<ModelServing>
  readonly server: Kind<ModelServer>
  readonly route: Kind<ModelRoute>
  readonly policy: Kind<AutoscalingPolicy>
  readonly binding: Kind<AutoscalingPolicyBinding>
}

const ours: FamilyKinds = {
  booster: ModelBooster,
  serving: ModelServing,
  server: ModelServer,
  route: ModelRoute,
  policy: AutoscalingPolicy,
  binding: AutoscalingPolicyBinding,
}

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

const legacy: FamilyKinds = {
  booster: { ...renamed(matrixinfer, 'booster', ModelBooster, 'models'), schema: once(modelSchema) },
  serving: renamed(matrixinfer, 'serving', ModelServing, 'modelinfers'),
  server: renamed(matrixinfer, 'server', ModelServer),
  route: renamed(matrixinfer, 'route', ModelRoute),
  policy: renamed(matrixinfer, 'policy', AutoscalingPolicy),
  binding: renamed(matrixinfer, 'binding', AutoscalingPolicyBinding),
}

export const Model: Kind<ModelBooster> = legacy.booster
export const ModelInfer: Kind<ModelServing> = legacy.serving

/** Kinds that are served where somebody asks for them. */
export const legacyKinds: readonly Kind[] = Object.values(legacy) as Kind[]

export function kindsOf(dialect: Dialect): FamilyKinds {
  return dialect === matrixinfer ? legacy : ours
}

/** The kinds of the family that an object belongs to. */
export function familyOf(object: Resource): FamilyKinds {
  return kindsOf(dialectOf(object))
}

/** Ours first. */
export const families: readonly FamilyKinds[] = [kthena, matrixinfer].map(kindsOf)

const parts = new Map<Kind, DialectKind>(
  families.flatMap((family) =>
    (Object.entries(family) as [DialectKind, Kind][]).map(([part, kind]): [Kind, DialectKind] => [kind, part]),
  ),
)

/** What a kind is in its family. */
export function partOf(kind: Kind): DialectKind | undefined {
  return parts.get(kind)
}

export function isBooster(object: Resource): object is ModelBooster {
  return families.some(({ booster }) => isOfKind(object, booster))
}

export function isServing(object: Resource | undefined): object is ModelServing {
  return object !== undefined && families.some(({ serving }) => isOfKind(object, serving))
}

export function isRoute(object: Resource | undefined): object is ModelRoute {
  return object !== undefined && families.some(({ route }) => isOfKind(object, route))
}

export function isBinding(object: Resource | undefined): object is AutoscalingPolicyBinding {
  return object !== undefined && families.some(({ binding }) => isOfKind(object, binding))
}

function renamed<T extends Resource>(
  dialect: Dialect,
  role: DialectKind,
  kind: Kind<T>,
  plural = kind.plural,
): Kind<T> {
  const name = role === 'booster' ? dialect.boosterKind : role === 'serving' ? dialect.servingKind : kind.kind
  return {
    ...kind,
    group: dialect.groups[role],
    kind: name,
    plural,
    singular: name.toLowerCase(),
    listKind: `${name}List`,
    schema: once(() => respelled(kind.schema(), dialect) as StructuralSchema),
  }
}

/** All texts of a schema (values, defaults, rules, descriptions) in the words of a dialect; the same object where none changes. */
function respelled(value: unknown, dialect: Dialect): unknown {
  if (typeof value === 'string') {
    const words = [
      ...dialect.spellings,
      ['ModelServing', dialect.servingKind],
      ['ModelBooster', dialect.boosterKind],
    ] as const
    return words.reduce((text, [from, to]) => text.replaceAll(from, to), value)
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => respelled(item, dialect))
    return items.some((item, i) => item !== value[i]) ? items : value
  }
  if (!isObject(value)) return value
  const members = Object.entries(value).map(([key, member]) => [key, respelled(member, dialect)] as const)
  return members.some(([key, member]) => member !== value[key]) ? Object.fromEntries(members) : value
}

function modelSchema(): StructuralSchema {
  const schema = respelled(ModelBooster.schema(), matrixinfer) as StructuralSchema
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

function changed(schema: StructuralSchema, name: string, value: StructuralSchema): StructuralSchema {
  return { ...schema, properties: { ...schema.properties, [name]: value } }
}

/** The schema without some members, and without the rules that speak of them or of others that are gone `below`. */
function without(
  schema: StructuralSchema | undefined,
  names: readonly string[],
  below: readonly string[] = [],
): StructuralSchema {
  if (schema === undefined) throw new TypeError(`no schema to take ${names.join()} from`)
  const properties = Object.entries(schema.properties ?? {}).filter(([name]) => !names.includes(name))
  return {
    ...schema,
    properties: Object.fromEntries(properties),
    'x-kubernetes-validations': rulesWithout(schema, [...names, ...below]),
  }
}

function rulesWithout(schema: StructuralSchema, names: readonly string[]): readonly ValidationRule[] {
  const mentions = new RegExp(`\\.(${names.join('|')})\\b`)
  return (schema['x-kubernetes-validations'] ?? []).filter(({ rule }) => !mentions.test(rule))
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
