import { isObject } from '#base/json.ts'
import { decodeFields, encodeFields, type FieldSet, isEmpty, noFields, union } from './field-set.ts'
import type { ManagedFieldsEntry } from './meta.ts'

const maxUpdateManagers = 10

/** One manager's hold on an object. `entry` is its form on the wire while `fields` and time are unchanged. */
export interface Holder {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string | undefined
  readonly fields: FieldSet
  readonly time: string | undefined
  readonly entry?: ManagedFieldsEntry
}
export type Holders = ReadonlyMap<string, Holder>

/** An applier is the same manager whatever version it applies; an updater has an entry for each. */
export function keyOf({ manager, operation, apiVersion, subresource }: Holder): string {
  return JSON.stringify([operation, manager, subresource ?? '', operation === 'Apply' ? '' : apiVersion])
}

export function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value
}

/** `undefined` when any entry is malformed: half of the managers would be worse than none. */
export function holdersOf(entries: unknown): Map<string, Holder> | undefined {
  if (!Array.isArray(entries)) return undefined
  const holders = new Map<string, Holder>()
  for (const entry of entries as unknown[]) {
    if (!isObject(entry)) return undefined
    const { manager, operation, apiVersion, time, subresource, fieldsType } = entry as Partial<ManagedFieldsEntry>
    const fields = decodeFields(entry['fieldsV1'] ?? {})
    if (
      (operation !== 'Apply' && operation !== 'Update') ||
      !apiVersion ||
      fieldsType !== 'FieldsV1' ||
      fields === undefined
    )
      return undefined
    const holder = {
      manager: manager ?? '',
      operation,
      apiVersion,
      subresource: nonEmpty(subresource),
      fields,
      time,
      entry: entry as unknown as ManagedFieldsEntry,
    }
    holders.set(keyOf(holder), holder)
  }
  return holders
}

export function encodeHolders(holders: Holders): ManagedFieldsEntry[] {
  const entries: ManagedFieldsEntry[] = []
  for (const holder of holders.values()) {
    if (isEmpty(holder.fields)) continue
    entries.push(holder.entry ?? encodeHolder(holder))
  }
  return entries.sort(
    (a, b) =>
      order(a.operation, b.operation) ||
      order(a.time ?? '', b.time ?? '') ||
      order(a.manager, b.manager) ||
      order(a.apiVersion, b.apiVersion) ||
      order(a.subresource ?? '', b.subresource ?? ''),
  )
}

function encodeHolder({ manager, operation, apiVersion, time, fields, subresource }: Holder): ManagedFieldsEntry {
  return {
    manager,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(fields),
    ...(subresource === undefined ? {} : { subresource }),
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Joins the oldest updaters of a version, so that an object touched by ever new managers does not grow for ever. */
export function capUpdaters(holders: Map<string, Holder>): Holders {
  const updaters = [...holders].filter(([, holder]) => holder.operation === 'Update')
  if (updaters.length <= maxUpdateManagers) return holders
  updaters.sort(([a, x], [b, y]) => order(x.time ?? '', y.time ?? '') || order(a, b))
  let excess = updaters.length - maxUpdateManagers
  const first = new Map<string, string>()
  for (const [key, holder] of updaters) {
    if (excess === 0) break
    const { apiVersion } = holder
    const earlier = first.get(apiVersion)
    if (earlier === undefined) {
      first.set(apiVersion, key)
      continue
    }
    const bucket: Holder = {
      manager: 'ancient-changes',
      operation: 'Update',
      apiVersion,
      subresource: undefined,
      fields: noFields,
      time: holder.time,
    }
    const bucketKey = keyOf(bucket)
    const base = holders.get(bucketKey) ?? holders.get(earlier)
    if (key === bucketKey) continue
    if (!holders.has(bucketKey)) holders.delete(earlier)
    holders.delete(key)
    holders.set(bucketKey, { ...bucket, fields: union(base?.fields ?? noFields, holder.fields) })
    excess--
  }
  return holders
}
