import { Fault } from '#base/fault.ts'
import type { Client } from '#kube/client.ts'
import { faultOf } from '#kube/create-client.ts'
import { apiVersionOf, collectionPath, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { printTable, type Table } from '#machinery/table.ts'
import { type ConnectOptions, connect } from './connect.ts'
import type { Io } from './io.ts'
import { parseTarget, typeOf } from './known-kinds.ts'
import { yamlOf } from './yaml.ts'

export interface GetOptions extends ConnectOptions {
  readonly what: string
  readonly names: readonly string[]
  readonly allNamespaces?: boolean
  readonly selector?: string
  readonly output?: 'wide' | 'json' | 'yaml' | 'name'
}

export async function get(options: GetOptions, io: Io): Promise<void> {
  const { kind, names } = parseTarget(options.what, options.names)
  await using cluster = connect(options, io)
  const namespace = options.allNamespaces === true || !kind.namespaced ? undefined : cluster.namespace
  if (options.output === undefined || options.output === 'wide') {
    const tables = await readTables(cluster.client, kind, { namespace, names, selector: options.selector })
    if (tables.every((table) => table.rows.length === 0)) {
      io.error(namespace === undefined ? 'no resources found' : `no resources found in namespace ${namespace}`)
      return
    }
    io.write(printTables(tables, { wide: options.output === 'wide', withNamespace: options.allNamespaces === true }))
    return
  }
  const query = {
    ...(namespace !== undefined && { namespace }),
    ...(options.selector !== undefined && { labelSelector: options.selector }),
  }
  const objects =
    names.length > 0
      ? await Promise.all(names.map((name) => cluster.client.get(kind, { namespace, name })))
      : (await cluster.client.list(kind, query)).items
  io.write(printObjects(kind, objects as AnyResource[], options.output, names.length === 1))
}

interface TableQuery {
  readonly namespace: string | undefined
  readonly names: readonly string[]
  readonly selector: string | undefined
}

/** The server decides the columns; asking it keeps us right for any version of a kind. */
async function readTables(client: Client, kind: Kind, { namespace, names, selector }: TableQuery): Promise<Table[]> {
  const path = collectionPath(kind, namespace)
  const query = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`
  const paths = names.length === 0 ? [`${path}${query}`] : names.map((name) => `${path}/${encodeURIComponent(name)}`)
  return Promise.all(
    paths.map(async (each) => {
      const response = await client.raw(each, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
      if (!response.ok) throw await faultOf(response, kind)
      return (await response.json()) as Table
    }),
  )
}

export function printTables(
  tables: readonly Table[],
  { wide, withNamespace }: { wide: boolean; withNamespace: boolean },
): string {
  const columns = tables[0]?.columnDefinitions ?? []
  const rows = tables.flatMap((table) => table.rows)
  if (!withNamespace)
    return printTable(
      columns,
      rows.map((row) => row.cells),
      { wide },
    )
  return printTable(
    [{ name: 'Namespace' }, ...columns],
    rows.map((row) => [row.object?.metadata.namespace, ...row.cells]),
    { wide },
  )
}

export function printObjects(
  kind: Kind,
  objects: readonly AnyResource[],
  form: 'json' | 'yaml' | 'name',
  single: boolean,
): string {
  if (form === 'name') return objects.map((object) => `${typeOf(kind)}/${object.metadata.name}\n`).join('')
  const shown = objects.map((object) => ({
    ...object,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: withoutManagedFields(object),
  }))
  const [only] = shown
  if (single && only === undefined) throw new Fault('missing', 'NotFound', 'nothing found')
  const value = single ? only : { apiVersion: 'v1', kind: 'List', metadata: {}, items: shown }
  return form === 'json' ? `${JSON.stringify(value, null, 2)}\n` : yamlOf(value)
}

function withoutManagedFields({ metadata }: AnyResource): AnyResource['metadata'] {
  const { managedFields: _, ...rest } = metadata
  return rest
}
