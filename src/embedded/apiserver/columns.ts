import { coreDefinition } from '#api/core/document.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { ageColumn, type ComputedColumns, nameColumn } from '#machinery/table.ts'
import { type Columns, created, named } from './column-cells.ts'
import { configColumns } from './columns-config.ts'
import { networkColumns } from './columns-network.ts'
import { podColumns } from './columns-pods.ts'
import { storageColumns } from './columns-storage.ts'
import { workColumns } from './columns-work.ts'
import type { ServedKind } from './served-kind.ts'

const all: Readonly<Record<string, Columns>> = {
  ...podColumns,
  ...networkColumns,
  ...configColumns,
  ...storageColumns,
  ...workColumns,
}

/** Of kinds without a printer of their own, in Kubernetes too. */
const plain: Columns = {
  columns: [{ name: 'Created At', type: 'date', about: created }],
  cells: ({ metadata }: AnyResource) => [metadata.creationTimestamp ?? null],
}

const compiled = new WeakMap<ServedKind, ComputedColumns>()

/** Undefined for custom kinds: their definitions say what to show. */
export function computedColumns(served: ServedKind): ComputedColumns | undefined {
  if (!served.kind.builtin) return undefined
  let columns = compiled.get(served)
  if (columns === undefined) compiled.set(served, (columns = compile(served)))
  return columns
}

function compile(served: ServedKind): ComputedColumns {
  const source = all[served.resource] ?? plain
  const stored = (object: AnyResource): never => (served.convert?.toStored(object) ?? object) as never // of the source's kind
  return {
    nameless: source.nameless === true,
    columns: source.columns.map(({ about, type, ...column }) => ({
      ...column,
      type: type ?? 'string',
      description: describe(about),
    })),
    cells: (object, nowMs) => source.cells(stored(object as AnyResource), nowMs),
    conditions: (object) => source.conditions?.(stored(object as AnyResource)),
  }
}

function describe(about: string): string {
  if (about === created) return ageColumn.description ?? ''
  if (about === named) return nameColumn.description
  const [, type, property = ''] = /^([a-z0-9.]+\.[A-Z]\w+)\.(\w+)$/.exec(about) ?? []
  return type === undefined ? about : (coreDefinition(`io.k8s.api.${type}`).properties?.[property]?.description ?? '')
}
