/**
 * The templates that a ModelServing has had: each is kept as a ControllerRevision, a snapshot that is written before any
 * pod of it and never changed. So a unit can be made again just as it was, whatever the template is by now.
 *
 * Snapshots and pods of another implementation of this API count as they are: their labels name revisions, and whether
 * a snapshot is the present template is decided by what is in it. Nothing is hashed again that has a name.
 */
import type { ControllerRevision } from '#api/core/types.generated.ts'
import type { ModelServing } from '#api/model-serving.ts'
import { isObject } from '#base/json.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { podLabelsOf } from './dialect.ts'
import { ownerReference } from './render-pod.ts'
import { type RoleTemplate, revisionOf, roleRevisionOf, templatesOf } from './revision.ts'

export interface Snapshot {
  readonly object: ControllerRevision
  readonly revision: string
  /** Grows with every change of the template; a template that comes back gets the highest again. */
  readonly number: number
  readonly roles: readonly RoleTemplate[]
}

export interface History {
  /** Revision of the present template. */
  readonly update: string
  /** Oldest first. */
  readonly snapshots: readonly Snapshot[]
  /** Templates of the roles; `undefined` for a revision that nobody keeps. */
  rolesOf(revision: string | undefined): readonly RoleTemplate[] | undefined
  /** Names the template of one role of a revision; two revisions that share it need not replace its pods. */
  roleHashOf(revision: string | undefined, role: string): string | undefined
}

export function historyOf(serving: ModelServing, revisions: readonly ControllerRevision[]): History {
  const snapshots = revisions
    .map((object) => snapshotIn(serving, object))
    .filter((snapshot) => snapshot !== undefined)
    .sort((a, b) => a.number - b.number || a.revision.localeCompare(b.revision))
  const update = updateRevision(serving, snapshots)
  const known = new Map(snapshots.map(({ revision, roles }) => [revision, roles]))
  known.set(update, templatesOf(serving))
  const rolesOf = (revision: string | undefined) => (revision === undefined ? undefined : known.get(revision))
  return {
    update,
    snapshots,
    rolesOf,
    roleHashOf(revision, name) {
      const role = rolesOf(revision)?.find((each) => each.name === name)
      return role === undefined ? undefined : roleRevisionOf(role)
    },
  }
}

function updateRevision(serving: ModelServing, snapshots: readonly Snapshot[]): string {
  const own = revisionOf(templatesOf(serving))
  const same = snapshots.findLast(({ roles }) => revisionOf(roles) === own)
  if (same !== undefined) return same.revision
  // Another implementation may have told the revision of this very generation without a snapshot of it.
  const { status, metadata } = serving
  const told = status?.observedGeneration === metadata.generation ? status?.updateRevision : undefined
  return told !== undefined && !snapshots.some(({ revision }) => revision === told) ? told : own
}

function snapshotIn(serving: ModelServing, object: ControllerRevision): Snapshot | undefined {
  const { name = '', labels } = object.metadata
  const prefix = `${serving.metadata.name}-`
  const podLabels = podLabelsOf(serving)
  const revision = labels?.[podLabels.revision] ?? (name.startsWith(prefix) ? name.slice(prefix.length) : undefined)
  const roles = rolesIn(object)
  return revision === undefined || roles === undefined
    ? undefined
    : { object, revision, number: object.revision ?? 0, roles }
}

const read = new WeakMap<ControllerRevision, readonly RoleTemplate[]>()

/** Ours hold `roles`; those of others a list, or a list below `data`. Counts that they hold are not looked at. */
function rolesIn(object: ControllerRevision): readonly RoleTemplate[] | undefined {
  let roles = read.get(object)
  if (roles !== undefined) return roles
  const data: unknown = object.data
  const list = isObject(data) ? (data['roles'] ?? data['data']) : data
  if (!Array.isArray(list) || !list.every(isRole)) return undefined
  roles = list.map(({ name, workerReplicas, entryTemplate, workerTemplate }) => ({
    name,
    workerReplicas: workerReplicas ?? 0,
    entryTemplate,
    ...(isObject(workerTemplate) && { workerTemplate }),
  }))
  read.set(object, roles)
  return roles
}

/** A role as programs with other ways to write nothing may have stored it. */
interface StoredRole extends Pick<RoleTemplate, 'name' | 'entryTemplate'> {
  readonly workerReplicas?: number | null
  readonly workerTemplate?: RoleTemplate['entryTemplate'] | null
}

function isRole(value: unknown): value is StoredRole {
  return isObject(value) && typeof value['name'] === 'string' && isObject(value['entryTemplate'])
}

/** The number that the next change of the template gets. */
export const nextNumber = ({ snapshots }: History): number => (snapshots.at(-1)?.number ?? 0) + 1

export function renderSnapshot(serving: ModelServing, history: History): AnyResource {
  const { name = '', namespace = '' } = serving.metadata
  const podLabels = podLabelsOf(serving)
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${history.update}`,
      namespace,
      labels: { [podLabels.name]: name, [podLabels.revision]: history.update },
      ownerReferences: [ownerReference(serving)],
    },
    data: { roles: templatesOf(serving) },
    revision: nextNumber(history),
  }
}
