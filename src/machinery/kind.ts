import type { FieldError } from './field-error.ts'
import type { Place, Resource } from './meta.ts'
import type { StructuralSchema } from './structural-schema.ts'

/**
 * All that client and server must know of one kind. `api/` defines ours and Kubernetes' own; an API server
 * makes one for each version of a CustomResourceDefinition.
 */
export interface Kind<T extends Resource = Resource> {
  /** API group; empty for Kubernetes' core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** Whether `/status` is a subresource of its own. */
  readonly status: boolean
  readonly scale?: ScalePaths
  readonly columns: readonly PrinterColumn[]
  /** Part of Kubernetes itself, so no CustomResourceDefinition of it exists and strategic merge patch applies. */
  readonly builtin: boolean
  /** Objects are read as their metadata and nothing else; see `metadataOf`. */
  readonly metadataOnly?: true
  /** Schema of the whole object; built at first use. */
  readonly schema: () => StructuralSchema
  /** Rules that one object can break and CEL cannot say; lists all that is wrong, with paths. Pure. */
  check?(object: T, old?: T): FieldError[] // a method, so that a `Kind<Pod>` is also a `Kind`
  /** The same for a write of the status alone. */
  checkStatus?(object: T, old: T): FieldError[]
  /** Things that work but are probably not meant. Pure. */
  warn?(object: T): FieldError[]
}

/** Simple JSON paths such as `.spec.replicas`. */
export interface ScalePaths {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath?: string
}

export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly jsonPath: string
  readonly description?: string
  readonly format?: string
  /** 0 is shown always, greater only with `-o wide`. */
  readonly priority?: number
}

/** The same kind, of whose objects only the metadata is to be read: the rest does not even cross the line. */
export function metadataOf(kind: Kind): Kind {
  return { ...kind, metadataOnly: true }
}

/** Names one object of a known kind. */
export interface Ref extends Place {
  readonly kind: Kind
}

/** `v1`, or `group/version`. */
export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
}

/** Names a kind's definition, `plural.group`, or as kubectl does those of the core group, `plural`. */
export function resourceName({ plural, group }: Pick<Kind, 'plural' | 'group'>): string {
  return group === '' ? plural : `${plural}.${group}`
}

/** The path below which objects of this kind are served. */
export function collectionPath(kind: Kind, namespace?: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  return namespace === undefined || !kind.namespaced
    ? `${root}/${kind.plural}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`
}

/** `namespace/name`, or `name` for a cluster-scoped object: the key of caches and queues. */
export function keyOf(place: Place): string {
  return place.namespace === undefined || place.namespace === '' ? place.name : `${place.namespace}/${place.name}`
}

export function placeOf(object: Resource): Place {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' }
}

export function isOfKind<T extends Resource>(object: Resource, kind: Kind<T>): object is T {
  return object.kind === kind.kind && object.apiVersion === apiVersionOf(kind)
}
