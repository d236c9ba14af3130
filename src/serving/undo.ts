import { servingAnnotations } from '#api/labels.ts'
import type { ModelServing, ModelServingRole } from '#api/model-serving.ts'
import { Fault } from '#base/fault.ts'
import type { History, Snapshot } from './history.ts'

/** The snapshot to go back to: the one with this number, or the newest that is not the present template. */
export function snapshotToUndo(history: History, number: number | undefined): Snapshot {
  const others = history.snapshots.filter(({ revision }) => revision !== history.update)
  const found = number === undefined ? others.at(-1) : history.snapshots.find((each) => each.number === number)
  if (found !== undefined) return found
  const known = history.snapshots.map((each) => each.number).join(', ')
  const message =
    number === undefined
      ? 'there is no former template to go back to'
      : `there is no revision ${number}; there are ${known === '' ? 'none' : known}`
  throw new Fault('missing', 'RevisionNotFound', message)
}

/**
 * A merge patch that brings the template of the snapshot back. Counts and pace stay as they are by now, for they
 * are no part of it. The mark of a restart is in the templates of a snapshot, so that on the object goes.
 */
export function undoPatch({ metadata, spec }: ModelServing, { roles }: Snapshot): Record<string, unknown> {
  const restored = roles.map((role): Partial<ModelServingRole> => {
    const { replicas, maxUnavailable, maxSurge, partition } =
      spec.template.roles.find(({ name }) => name === role.name) ?? {}
    return { replicas, maxUnavailable, maxSurge, partition, ...role } as Partial<ModelServingRole>
  })
  return {
    metadata: { resourceVersion: metadata.resourceVersion, annotations: { [servingAnnotations.restartedAt]: null } },
    spec: { template: { roles: restored } },
  }
}
