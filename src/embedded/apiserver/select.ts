import { isObject } from '#base/json.ts'
import {
  type FieldRequirement,
  type Labels,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  type Requirement,
} from '#machinery/selector.ts'
import { parseLabelSelector } from '#machinery/selector-parse.ts'
import { badRequest } from '#machinery/status.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { ServedKind } from './served-kind.ts'

/** What a list or watch asks for of a range; `undefined` matches all of it. */
export type Selection = (entry: Entry) => boolean

interface Digest {
  readonly labels: Labels
  readonly fields: ReadonlyMap<string, string>
}

/** What selectors look at, kept as long as the entry is: a list of thousands must not parse them all again. */
const digests = new WeakMap<Entry, Digest>()

/** Faults: 400 for a selector that cannot be read or names a field that is not selectable. */
export function selection(query: URLSearchParams, served: ServedKind, name: string): Selection | undefined {
  const fieldText = query.get('fieldSelector') ?? ''
  const labelText = query.get('labelSelector') ?? ''
  if (fieldText === '' && labelText === '' && name === '') return undefined
  const labels = labelText === '' ? [] : parseLabelSelector(labelText)
  const fields = [
    ...parseFieldSelector(fieldText),
    ...(name === '' ? [] : [{ path: 'metadata.name', equal: true, value: name }]),
  ]
  const stored = fields.map((field) => ({ ...field, path: storedPath(field.path, served) }))
  return selectionOf(labels, stored, served)
}

/** Faults: 400. */
function storedPath(path: string, { kind, selectableFields }: ServedKind): string {
  if (path === 'metadata.name' || path === 'metadata.namespace') return path
  const stored = selectableFields.get(path)
  if (stored !== undefined) return stored
  throw badRequest(
    kind.builtin && selectableFields.size === 0
      ? `${JSON.stringify(path)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : `field label not supported: ${path}`,
  )
}

function selectionOf(
  labels: readonly Requirement[],
  fields: readonly FieldRequirement[],
  served: ServedKind,
): Selection {
  const own = fields.filter(({ path }) => path.startsWith('metadata.'))
  const deep = fields.filter(({ path }) => !path.startsWith('metadata.'))
  return (entry) => {
    if (!matchesFields(own, (path) => (path === 'metadata.name' ? entry.name : entry.namespace))) return false
    if (labels.length === 0 && deep.length === 0) return true
    const digest = digestOf(entry, served)
    return matchesLabels(labels, digest.labels) && matchesFields(deep, (path) => digest.fields.get(path) ?? '')
  }
}

function digestOf(entry: Entry, served: ServedKind): Digest {
  const known = digests.get(entry)
  if (known !== undefined && served.selectableFields.values().every((path) => known.fields.has(path))) return known
  const object: unknown = JSON.parse(entry.text)
  const labels = valueAt(object, ['metadata', 'labels'])
  const fields = new Map(served.selectableFields.values().map((path) => [path, textAt(object, path)]))
  const digest = { labels: (labels ?? {}) as Labels, fields } // as validated when it was written
  digests.set(entry, digest)
  return digest
}

/** Fields whose absence means something. */
const absent: Readonly<Record<string, string>> = { 'spec.hostNetwork': 'false', 'spec.unschedulable': 'false' }

function textAt(object: unknown, path: string): string {
  const value = valueAt(object, path === 'source' ? ['source', 'component'] : path.split('.'))
  return value === undefined || value === null ? (absent[path] ?? '') : String(value)
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    object,
  )
}
