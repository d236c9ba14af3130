import { Job, Pod, Service } from '#api/core/kinds.ts'
import { legacyKinds } from '#api/family-kinds.ts'
import { ownKinds } from '#api/kinds.ts'
import { Fault, isFault } from '#base/fault.ts'
import type { Client } from '#kube/client.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { type ConnectOptions, connect } from './connect.ts'
import type { Io } from './io.ts'
import { parseTarget } from './known-kinds.ts'
import { renderTrees, type TreeNode, treesOf } from './object-tree.ts'

export interface TreeOptions extends ConnectOptions {
  readonly what?: string
  readonly allNamespaces?: boolean
  readonly output?: 'json'
}

/** The kinds that a tree shows wherever there are any. */
export const treeKinds: readonly Kind[] = [...ownKinds, Job, Pod, Service]

/** Of these only what belongs to another object is shown. */
export const partsOnly: ReadonlySet<string> = new Set(['Job', 'Pod', 'Service'])

export async function tree(options: TreeOptions, io: Io): Promise<void> {
  const target = options.what === undefined ? undefined : parseTarget(options.what, [])
  await using cluster = connect(options, io)
  const namespace = options.allNamespaces === true ? undefined : cluster.namespace
  const objects = await treeObjects(cluster.client, namespace)
  const trees = treesOf(objects).filter((node) => !partsOnly.has(node.kind))
  const shown = target === undefined ? trees : trees.flatMap((node) => within(node, target.kind.kind, target.names[0]))
  if (shown.length === 0) {
    if (target !== undefined)
      throw new Fault(
        'missing',
        'NotFound',
        `no ${target.kind.singular} ${target.names.join(' ')} in ${namespace ?? 'any namespace'}`,
      )
    io.error(`nothing is served in ${namespace === undefined ? 'any namespace' : `namespace ${namespace}`}`)
  }
  if (options.output === 'json') {
    io.write(`${JSON.stringify(shown, null, 2)}\n`)
    return
  }
  const style = {
    colors: io.colors,
    columns: io.interactive ? io.columns : Number.POSITIVE_INFINITY,
    nowMs: Date.now(),
  }
  for (const line of renderTrees(shown, { ...style, withNamespace: options.allNamespaces === true }))
    io.write(`${line}\n`)
}

export async function treeObjects(client: Client, namespace: string | undefined): Promise<AnyResource[]> {
  const lists = await Promise.all(
    [...treeKinds, ...legacyKinds].map(async (kind) => {
      const { items } = await client
        .list(kind, namespace === undefined ? {} : { namespace })
        .catch((error: unknown) => {
          if (legacyKinds.includes(kind) && isFault(error, 'missing')) return { items: [] } // not served here
          throw error
        })
      // Items of a list need not carry their type.
      return items.map((item) => ({ ...item, apiVersion: apiVersionOf(kind), kind: kind.kind }))
    }),
  )
  return lists.flat()
}

function within(node: TreeNode, kind: string, name: string | undefined): TreeNode[] {
  if (node.kind === kind && (name === undefined || node.name === name)) return [node]
  return node.children.flatMap((child) => within(child, kind, name))
}
