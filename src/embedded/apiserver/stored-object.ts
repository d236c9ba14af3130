import type { AnyResource } from '#machinery/meta.ts'
import type { Entry, Key } from '#embedded/store/store.ts'
import type { ServedKind } from './served-kind.ts'

/**
 * Stored text begins with `apiVersion`, so that another version of a custom kind is served by replacing the first
 * member; the answer to a read is the stored text, unparsed.
 */
export function storedText(object: AnyResource, served: ServedKind, revision: number): string {
  const { apiVersion: _, kind: __, metadata, ...rest } = served.convert?.toStored(object) ?? object
  return JSON.stringify({
    apiVersion: served.storedApiVersion,
    kind: served.kind.kind,
    metadata: { ...metadata, resourceVersion: String(revision) },
    ...rest,
  })
}

export function servedText(entry: Entry, served: ServedKind): string {
  if (served.convert !== undefined) return JSON.stringify(servedObject(entry, served))
  if (served.apiVersion === served.storedApiVersion) return entry.text
  const head = `{"apiVersion":${JSON.stringify(served.storedApiVersion)}`
  return entry.text.startsWith(head)
    ? `{"apiVersion":${JSON.stringify(served.apiVersion)}${entry.text.slice(head.length)}`
    : JSON.stringify(servedObject(entry, served)) // written under a storage version that has changed since
}

export function servedObject(entry: Entry, served: ServedKind): AnyResource {
  const stored = JSON.parse(entry.text) as AnyResource
  return { ...(served.convert?.toServed(stored) ?? stored), apiVersion: served.apiVersion }
}

export function keyIn(served: ServedKind, namespace: string, name: string): Key {
  return { resource: served.resource, namespace, name }
}
