import { ageOf } from '#machinery/table.ts'

/**
 * What the tables of Kubernetes' own kinds show, as its printers compute it. Source: Kubernetes,
 * pkg/printers/internalversion/printers.go.
 */
export interface Columns {
  /** No name leads the row: it has a column of its own, or none. */
  readonly nameless?: true
  readonly columns: readonly ColumnSource[]
  /** Without the leading name. Events are given in the words of the core group. */
  readonly cells: (object: never, nowMs: number) => readonly unknown[]
  readonly conditions?: (object: never) => readonly object[] | undefined
}

export interface ColumnSource {
  readonly name: string
  /** A property of the OpenAPI document, such as `core.v1.PodStatus.podIP`, or the description itself. */
  readonly about: string
  /** Default: a text. */
  readonly type?: 'date'
  readonly format?: string
  /** 1: only with `-o wide`. */
  readonly priority?: 1
}

export const named = 'ObjectMeta.name'
export const created = 'ObjectMeta.creationTimestamp'
export const age: ColumnSource = { name: 'Age', about: created }

export function wide(name: string, about: string): ColumnSource {
  return { name, priority: 1, about }
}

/** The time since, as a cluster shows it. */
export function since(timestamp: string | null | undefined, nowMs: number): string {
  return ageOf(timestamp ?? undefined, nowMs)
}

/** A few of many. */
export function shortened(texts: readonly string[], max = 3): string {
  const shown = texts.slice(0, max).join(',')
  return texts.length > max ? `${shown} + ${texts.length - max} more...` : shown || '<unset>'
}

/** Labels as a selector that asks for all of them. */
export function equalities(labels: Readonly<Record<string, string>> = {}): string {
  const terms = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return terms.sort().join(',') || '<none>'
}

export function holds(
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean {
  return conditions?.find((condition) => condition.type === type)?.status === 'True'
}
