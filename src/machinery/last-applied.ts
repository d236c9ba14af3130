import { isObject } from '#base/json.ts'
import { difference, type FieldSet, noFields, union } from './field-set.ts'
import type { FieldType } from './field-type.ts'
import { compareFields, fieldsOf } from './field-walk.ts'
import type { Resource } from './meta.ts'

/** `kubectl apply` without `--server-side` keeps here what it applied last. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'
/** Its manager with `--server-side`. */
export const kubectlManager = 'kubectl'

/** Fields that still are as client-side apply left them; server-side apply by the same tool may take them over. */
export function lastAppliedFields(live: Resource, type: FieldType, apiVersion: string): FieldSet {
  const text = live.metadata.annotations?.[lastAppliedAnnotation]
  const last = text === undefined ? undefined : parseJson(text)
  if (!isObject(last) || last['apiVersion'] !== apiVersion) return noFields
  const { added, modified, removed } = compareFields(last, live, type)
  return difference(fieldsOf(last, type), union(union(added, modified), removed))
}

/** Keeps the annotation of client-side apply, where there is one, in step with what was applied. */
export function withLastApplied(object: Resource, applied: Resource): Resource {
  const { annotations } = object.metadata
  if (!annotations?.[lastAppliedAnnotation]) return object
  const text = `${JSON.stringify(sorted(withoutLastApplied(applied)))}\n`
  if (annotations[lastAppliedAnnotation] === text) return object
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } } }
}

/** The annotation holds the whole object, the values of a Secret too. */
export function withoutLastApplied<T extends Resource>(object: T): T {
  const { annotations: { [lastAppliedAnnotation]: _, ...others } = {}, ...metadata } = object.metadata
  return { ...object, metadata: Object.keys(others).length === 0 ? metadata : { ...metadata, annotations: others } }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
