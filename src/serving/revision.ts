import type { ModelServingRole } from '#api/model-serving.ts'
import { revisionHash } from '#base/json.ts'

/**
 * The revision of a set of roles: changes exactly when pods must be replaced. Counts and rollout settings are
 * left out, since they move pods without changing any. Never recomputed for a pod that exists: its label tells.
 */
export function revisionOf(roles: readonly ModelServingRole[]): string {
  let revision = known.get(roles)
  if (revision === undefined) known.set(roles, (revision = revisionHash(roles.map(podsOf))))
  return revision
}

/** A pass asks several times for the roles of one cached object, which nobody changes. */
const known = new WeakMap<readonly ModelServingRole[], string>()

/** The same for one role alone. */
export function roleRevisionOf(role: ModelServingRole): string {
  return revisionHash(podsOf(role))
}

function podsOf({ name, workerReplicas, entryTemplate, workerTemplate }: ModelServingRole): unknown {
  return { name, workerReplicas, entryTemplate, workerTemplate }
}
