import { timestamp } from '#base/clock.ts'
import type { CustomResourceDefinition } from '#api/core/kinds.ts'
import { equalJson } from '#base/json.ts'
import { trackUpdate } from '#machinery/managed-fields.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Context } from './context.ts'
import { definitionsResource } from './custom-kinds.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn, storedText } from './stored-object.ts'

/** As Go writes a status that nobody has written yet. */
const newStatus = { conditions: null, acceptedNames: { plural: '', kind: '' } }

/** A definition with the versions that it was ever stored in. Pure. */
export function withStoredVersions(object: AnyResource, isNew: boolean): AnyResource {
  const { spec, status } = object as AnyResource & Pick<CustomResourceDefinition, 'spec' | 'status'>
  const before = isNew ? [] : (status?.storedVersions ?? [])
  const stored = (spec?.versions ?? []).find(({ storage }) => storage)?.name
  const storedVersions = stored === undefined || before.includes(stored) ? before : [...before, stored]
  const known = isNew ? newStatus : status
  return {
    ...object,
    status: { ...known, storedVersions: storedVersions.length === 0 ? null : storedVersions },
  }
}

/**
 * What follows in a cluster when its controllers see a definition: its names are accepted, and its kind is served. Here it
 * follows at once. Resolves when it is on disk.
 */
export async function acceptDefinition(
  { store, clock }: Context,
  served: ServedKind,
  object: AnyResource,
): Promise<Entry | undefined> {
  if (served.resource !== definitionsResource || object.metadata.deletionTimestamp !== undefined) return undefined
  const now = timestamp(clock.now())
  const updated = accepted(object, now)
  if (equalJson(updated, object)) return undefined
  const next = trackUpdate({
    live: object,
    updated,
    schema: served.kind.schema(),
    manager: 'kube-apiserver',
    subresource: 'status',
    apiVersion: served.apiVersion,
    now,
  }) as AnyResource // the same definition
  return store.put(keyIn(served, '', object.metadata.name ?? ''), (revision) => storedText(next, served, revision))
}

function accepted(object: AnyResource, now: string): AnyResource {
  const { spec, status } = object as AnyResource & Pick<CustomResourceDefinition, 'spec' | 'status'>
  const before = (status?.conditions ?? []) as Condition[]
  const conditions = [
    condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
    condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ...before.filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established'),
  ]
  return { ...object, status: { ...status, conditions, acceptedNames: spec.names } }

  function condition(type: string, reason: string, message: string): Condition {
    const held = before.find((old) => old.type === type && old.status === 'True')
    return held ?? { lastTransitionTime: now, message, reason, status: 'True', type }
  }
}
