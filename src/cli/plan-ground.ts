/** What a plan is compared with: nothing, other files, or a cluster. */
import { isBooster } from '#api/family-kinds.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { Fault } from '#base/fault.ts'
import { afterApply } from '#controller/would-change.ts'
import { type Kind, placeOf } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { fieldManager } from './field-manager.ts'
import { readDocuments, type UserDocument } from './documents.ts'
import { ImaginedCluster } from './imagined-cluster.ts'
import { errorsOf, inspect, lineOf } from './inspect.ts'
import { kindOfObject } from './known-kinds.ts'
import { controllerOf, planChildren } from './planned.ts'
import { offlineUid } from './render.ts'

export interface Ground extends AsyncDisposable {
  /** In words. */
  readonly against: string
  /** The object as it is, and as it would be. */
  apply(document: CheckedDocument, kind: Kind): Promise<{ before: Resource | undefined; after: Resource }>
  surroundings(booster: ModelBooster): Promise<Surroundings>
  /** What these objects need and do not find, in sentences. */
  warnings(children: readonly Resource[]): Promise<readonly string[]>
}

/** All that the planner of a booster may want to see. */
export interface Surroundings {
  readonly cluster: ImaginedCluster
  /** Namespace of the ConfigMap with the platform's images, where one was found. */
  readonly home: string | undefined
}

export interface CheckedDocument extends UserDocument {
  /** With defaults. */
  readonly complete: AnyResource
}

/** Throws all that is wrong with the documents, each with its place. */
export function checkedDocuments(files: readonly string[]): CheckedDocument[] {
  const inspected = readDocuments(files).map((document) => ({ document, found: inspect(document) }))
  const errors = inspected.flatMap(({ found }) => errorsOf(found.findings))
  if (errors.length > 0) throw new Fault('invalid', 'InvalidObject', errors.map(lineOf).join('\n  '))
  return inspected.map(({ document, found }) => ({ ...document, complete: found.object }))
}

/** The ModelBoosters of files, as a server would keep them. */
export function boostersIn(files: readonly string[]): ModelBooster[] {
  const boosters = checkedDocuments(files)
    .map(({ complete: object }): Resource => {
      const metadata = { namespace: 'default', uid: offlineUid, generation: 1, ...object.metadata }
      return { ...object, metadata }
    })
    .filter((object) => isBooster(object))
  if (boosters.length === 0) throw new Fault('invalid', 'NoBooster', `no ModelBooster in ${files.join(', ')}`)
  return boosters
}

/** Without `files` nothing is there; else what they hold was applied, and acted on. */
export function offlineGround(files: readonly string[]): Ground {
  const cluster = new ImaginedCluster()
  for (const document of files.length === 0 ? [] : checkedDocuments(files)) settleIn(cluster, document)
  return {
    against:
      files.length === 0 ? 'offline, as if nothing were there' : `offline, as if ${files.join(', ')} were applied`,
    apply(document, kind) {
      const object = placed(document, kind)
      const before = cluster.get(kind, placeOf(object))
      const after = before === undefined ? object : known(afterApply(kind, before, object, byUser))
      return Promise.resolve({ before, after })
    },
    surroundings: () => Promise.resolve({ cluster, home: undefined }),
    warnings: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

const byUser = { manager: fieldManager } as const

/** Leaves the object in the cluster with all that becomes of it, as a server would have them: with who wrote what. */
function settleIn(cluster: ImaginedCluster, document: CheckedDocument): void {
  const kind = kindOfObject(document.object)
  if (kind === undefined) return
  const object = known(afterApply(kind, undefined, placed(document, kind), byUser))
  cluster.put(object)
  if (!isBooster(object)) return
  for (const { object: child } of planChildren(object, cluster, undefined, 0).changes) {
    const childKind = kindOfObject(child)
    if (childKind !== undefined) cluster.put(afterApply(childKind, undefined, child, controllerOf(child)))
  }
}

/** With what a server would give it, and an apply leaves out. */
function known<T extends Resource>(object: T): T {
  const { namespace = '', name = '' } = object.metadata
  return { ...object, metadata: { ...object.metadata, uid: `${offlineUid}-${namespace}-${name}`, generation: 1 } }
}

function placed({ complete }: CheckedDocument, kind: Kind): AnyResource {
  const { metadata } = complete
  const namespace = kind.namespaced ? { namespace: metadata.namespace ?? 'default' } : {}
  return known({ ...complete, metadata: { ...metadata, ...namespace } })
}
