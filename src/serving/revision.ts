/**
 * What makes pods what they are, and its name. A revision changes exactly when pods must be replaced: counts and
 * rollout settings are left out, since they move pods without changing any. It is never worked out anew for what
 * exists: labels and snapshots tell.
 */
import type { PodTemplateSpec } from '#api/core/types.generated.ts'
import { servingAnnotations } from '#api/labels.ts'
import type { ModelServing, ModelServingRole } from '#api/model-serving.ts'
import { isObject, revisionHash } from '#base/json.ts'
import { tryParseQuantity } from '#machinery/quantity.ts'

/** A role without its counts. */
export type RoleTemplate = Pick<ModelServingRole, 'name' | 'workerReplicas' | 'entryTemplate' | 'workerTemplate'>

/** The present template of all roles, with the mark of the last restart that somebody asked for. */
export function templatesOf(serving: ModelServing): readonly RoleTemplate[] {
  let templates = known.get(serving)
  if (templates === undefined) known.set(serving, (templates = templatesIn(serving)))
  return templates
}

function templatesIn({ metadata, spec }: ModelServing): RoleTemplate[] {
  const restartedAt = metadata.annotations?.[servingAnnotations.restartedAt]
  const marked = <T extends PodTemplateSpec | undefined>(template: T): T =>
    restartedAt === undefined || template === undefined ? template : withMark(template, restartedAt)
  return spec.template.roles.map(({ name, workerReplicas, entryTemplate, workerTemplate }) => ({
    name,
    workerReplicas,
    entryTemplate: marked(entryTemplate),
    ...(workerTemplate !== undefined && { workerTemplate: marked(workerTemplate) }),
  }))
}

function withMark<T extends PodTemplateSpec>(template: T, restartedAt: string): T {
  const annotations = { ...template.metadata?.annotations, [servingAnnotations.restartedAt]: restartedAt }
  return { ...template, metadata: { ...template.metadata, annotations } }
}

/** A pass asks several times for those of one cached object, which nobody changes. */
const known = new WeakMap<ModelServing, readonly RoleTemplate[]>()

export function revisionOf(roles: readonly RoleTemplate[]): string {
  let revision = hashes.get(roles)
  if (revision === undefined) hashes.set(roles, (revision = revisionHash(roles.map(meaningOf))))
  return revision
}

/** The same for one role alone. */
export function roleRevisionOf(role: RoleTemplate): string {
  let revision = hashes.get(role)
  if (revision === undefined) hashes.set(role, (revision = revisionHash(meaningOf(role))))
  return revision
}

const hashes = new WeakMap<object, string>()

/** Two spellings of one quantity mean the same, and restart nothing. */
function meaningOf({ name, workerReplicas, entryTemplate, workerTemplate }: RoleTemplate): unknown {
  return meaning({ name, workerReplicas, entryTemplate, workerTemplate })
}

const quantityMaps = new Set(['requests', 'limits', 'overhead'])
const quantities = new Set(['sizeLimit', 'divisor'])

function meaning(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(meaning)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (quantityMaps.has(name) && isObject(member)) {
        return [name, Object.fromEntries(Object.entries(member).map(([key, amount]) => [key, amountOf(amount)]))]
      }
      return [name, quantities.has(name) ? amountOf(member) : meaning(member)]
    }),
  )
}

function amountOf(value: unknown): unknown {
  if (typeof value !== 'string' && typeof value !== 'number') return value
  const quantity = tryParseQuantity(String(value))
  return quantity === undefined ? value : `${quantity.nanos}n`
}
