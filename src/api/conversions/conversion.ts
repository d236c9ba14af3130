import type { AnyResource } from '#machinery/meta.ts'

/** Objects in another shape, and what of the former shape they could not carry. */
export interface Conversion {
  readonly objects: readonly AnyResource[]
  readonly losses: readonly Loss[]
}

export interface Loss {
  /** `Kind/name` of the object that had it. */
  readonly object: string
  /** Of the object as it was. */
  readonly field: string
  /** Why it is gone, or what is there instead. */
  readonly detail: string
}

type Json = Readonly<Record<string, unknown>>

export function jsonOf(value: unknown): Json {
  return (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}) as Json
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Notes of one object. */
export function lossesOf({ kind, metadata }: AnyResource): {
  list: Loss[]
  lost: (field: string, detail: string) => void
} {
  const list: Loss[] = []
  return { list, lost: (field, detail) => list.push({ object: `${kind}/${metadata.name}`, field, detail }) }
}

/** Without members that are `undefined`. */
export function compact(value: Json): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}
