import { type Kind, keyOf } from '#machinery/kind.ts'
import type { OwnerReference, Resource } from '#machinery/meta.ts'
import type { Watch } from './controller.ts'

/** The one owner that manages an object, if it has one. */
export function controllerOf(object: Resource): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)
}

/** What a child says of the object that manages it. */
export function controllerReference({ apiVersion, kind, metadata }: Resource): OwnerReference {
  return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', controller: true }
}

/** Wakes the object of `kind` that controls the one that changed. Any version of the kind will do. */
export function keysOfController(kind: Kind): Watch['keysOf'] {
  return (object) => {
    const owner = controllerOf(object)
    if (owner?.kind !== kind.kind || groupOf(owner.apiVersion) !== kind.group) return []
    return [keyOf({ namespace: kind.namespaced ? object.metadata.namespace : undefined, name: owner.name })]
  }
}

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? '' : apiVersion.slice(0, slash)
}
