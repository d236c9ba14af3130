/** The kinds of each dialect. Those of an older one are ours under other names, without what it had not. */
import { isOfKind, type Kind, resourceName } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { AutoscalingPolicy } from './autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from './autoscaling-policy-binding.ts'
import { type Dialect, type DialectKind, dialectOf, kthena, matrixinfer } from './dialects.ts'
import { generatedSchema } from './generated-schema.ts'
import { ModelBooster } from './model-booster.ts'
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

const legacy: FamilyKinds = {
  booster: renamed(matrixinfer, 'booster', ModelBooster, 'models'),
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
  const group = dialect.groups[role]
  return {
    ...kind,
    group,
    kind: name,
    plural,
    singular: name.toLowerCase(),
    listKind: `${name}List`,
    schema: generatedSchema(resourceName({ plural, group })),
  }
}
