import { isObject } from '#base/json.ts'
import { compileJsonPath } from './jsonpath.ts'
import type { JsonPath } from './jsonpath.ts'
import type { Kind, PrinterColumn } from './kind.ts'
import type { ListMeta, ObjectMeta, Resource } from './meta.ts'

/** `meta.k8s.io/v1` Table: what `kubectl get` prints. */
export interface Table {
  readonly kind: 'Table'
  readonly apiVersion: 'meta.k8s.io/v1'
  readonly metadata: ListMeta
  readonly columnDefinitions: readonly ColumnDefinition[]
  readonly rows: readonly TableRow[]
}

export interface ColumnDefinition {
  readonly name: string
  readonly type: string
  /** `name` marks the column that names the object. */
  readonly format: string
  readonly description: string
  /** 0 is shown always, greater only with `-o wide`. */
  readonly priority: number
}

export interface TableRow {
  readonly cells: readonly unknown[]
  /** What is to be known of a row at a glance, such as that a pod has ended. */
  readonly conditions?: readonly object[]
  readonly object: Resource | PartialObjectMetadata | null
}

export interface PartialObjectMetadata {
  readonly kind: 'PartialObjectMetadata'
  readonly apiVersion: 'meta.k8s.io/v1'
  readonly metadata: ObjectMeta
}

export interface TableOptions {
  readonly includeObject: 'None' | 'Metadata' | 'Object'
  readonly nowMs: number
  /** Of the list; of the object itself when it was asked for by name. */
  readonly metadata?: ListMeta
  /** Columns and their cells (without the leading name's) where JSON paths cannot say them, as for Pods. */
  readonly computed?: ComputedColumns
}

export interface ComputedColumns {
  /** No name leads the row: it has a column of its own, or none. */
  readonly nameless?: boolean
  readonly columns: readonly Omit<PrinterColumn, 'jsonPath'>[]
  readonly cells: (object: Resource, nowMs: number) => readonly unknown[]
  readonly conditions?: (object: Resource) => readonly object[] | undefined
}

export const nameColumn: ColumnDefinition = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
}

export const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
}

/** The columns that an API server gives for a kind, without the leading name. */
function columnsOf(kind: Kind): readonly PrinterColumn[] {
  return kind.columns.length === 0 ? [ageColumn] : kind.columns
}

/** A Table of objects, as an API server answers it; dates become ages in the cells, as they do there. Pure. */
export function tableOf(kind: Kind, objects: readonly Resource[], options: TableOptions): Table {
  const { includeObject, nowMs, metadata = {}, computed } = options
  const nameless = computed?.nameless === true
  const columns = columnsOf(kind)
  const readers = columns.map(({ type, jsonPath }) => ({ type, find: compileJsonPath(jsonPath) }))
  const cellsOf = computed
    ? (object: Resource) => computed.cells(object, nowMs)
    : (object: Resource) => readers.map(({ type, find }) => cell(find, type, object, nowMs))
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [...(nameless ? [] : [nameColumn]), ...(computed?.columns ?? columns).map(definition)],
    rows: objects.map((object) => ({
      cells: [...(nameless ? [] : [object.metadata.name ?? '']), ...cellsOf(object)],
      ...conditionsOf(object, computed),
      object: includeObject === 'None' ? null : includeObject === 'Object' ? object : partial(object),
    })),
  }
}

function conditionsOf(object: Resource, computed: ComputedColumns | undefined): Pick<TableRow, 'conditions'> {
  const conditions = computed?.conditions?.(object)
  return conditions === undefined ? {} : { conditions }
}

function definition(column: Omit<PrinterColumn, 'jsonPath'> & { readonly jsonPath?: string }): ColumnDefinition {
  const { name, type, format = '', priority = 0, jsonPath } = column
  const fallback = jsonPath === undefined ? '' : `Custom resource definition column (in JSONPath format): ${jsonPath}`
  return { name, type, format, description: column.description || fallback, priority }
}

function partial({ metadata }: Resource): PartialObjectMetadata {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

/** The first value of a path in the type of its column; `null` where there is none that fits. */
function cell(find: JsonPath, type: PrinterColumn['type'], object: Resource, nowMs: number): unknown {
  const [value] = find(object)
  if (value === undefined || value === null) return null
  switch (type) {
    case 'string':
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? ageOf(value, nowMs) : null
    default:
      return null
  }
}

/** The time since an RFC 3339 timestamp, as kubectl writes it. */
export function ageOf(timestamp: string | undefined, nowMs: number): string {
  if (timestamp === undefined || timestamp === '') return '<unknown>'
  const sinceMs = nowMs - Date.parse(timestamp)
  return Number.isNaN(sinceMs) ? '<invalid>' : formatAge(sinceMs)
}

/** A duration with the two or three digits that matter: `5s`, `3m20s`, `2d3h`. */
export function formatAge(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1_000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 2 * 60) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (minutes < 3 * 60) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (days < 8) return pair(days, 'd', hours % 24, 'h')
  if (days < 2 * 365) return `${days}d`
  const years = Math.trunc(days / 365)
  return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

export interface PrintOptions {
  readonly headers?: boolean
  /** Columns of a priority above 0 too. */
  readonly wide?: boolean
}

/** A table as kubectl prints it: three spaces between columns, none at the end of a line. Ends with a newline. */
export function printTable(
  columns: readonly (Pick<ColumnDefinition, 'name'> & { readonly priority?: number })[],
  rows: readonly (readonly unknown[])[],
  { headers = true, wide = false }: PrintOptions = {},
): string {
  const shown = columns.flatMap((column, index) => (wide || (column.priority ?? 0) === 0 ? [index] : []))
  const lines = rows.map((row) => shown.map((index) => printCell(row[index])))
  if (headers) lines.unshift(shown.map((index) => (columns[index]?.name ?? '').toUpperCase()))
  const widths = shown.map((_, index) => lines.reduce((width, line) => Math.max(width, widthOf(line[index] ?? '')), 0))
  return lines
    .map(
      (line) =>
        `${line
          .map((text, index) => text + ' '.repeat((widths[index] ?? 0) - widthOf(text)))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('')
}

function widthOf(text: string): number {
  return Array.from(text).length
}

/** One line of printable text: a cell may hold what a user or an engine wrote. */
function printCell(value: unknown): string {
  if (value === undefined || value === null) return '<none>'
  const text = isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value)
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}
