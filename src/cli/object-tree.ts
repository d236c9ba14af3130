/** Objects below their owners, and their picture in lines of text. Pure. */
import { styleText } from 'node:util'
import { formatAge } from '#machinery/table.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { type ObjectState, stateOf } from './object-state.ts'

export interface TreeNode {
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly state: ObjectState
  readonly createdAt: string | undefined
  readonly children: readonly TreeNode[]
}

const order = [
  'AIMModel',
  'AIMClusterModel',
  'AIMServiceTemplate',
  'AIMClusterServiceTemplate',
  'AIMService',
  'ModelBooster',
  'Model',
  'ModelServing',
  'ModelInfer',
  'ModelServer',
  'ModelRoute',
  'AutoscalingPolicy',
  'AutoscalingPolicyBinding',
  'Job',
  'Pod',
  'Service',
]

/** Trees of all objects whose owner is not among `objects`. */
export function treesOf(objects: readonly AnyResource[]): TreeNode[] {
  const known = new Set(objects.map((object) => object.metadata.uid))
  const byOwner = Map.groupBy(objects, (object) => {
    const owner = object.metadata.ownerReferences?.find(({ controller, uid }) => controller === true && known.has(uid))
    return owner?.uid
  })
  const nodesBelow = (uid: string | undefined): TreeNode[] =>
    (byOwner.get(uid) ?? [])
      .map((object) => ({
        kind: object.kind,
        name: object.metadata.name ?? '',
        namespace: object.metadata.namespace ?? '',
        state: stateOf(object),
        createdAt: object.metadata.creationTimestamp,
        children: object.metadata.uid === undefined ? [] : nodesBelow(object.metadata.uid),
      }))
      .sort(
        (a, b) =>
          rank(a) - rank(b) ||
          a.namespace.localeCompare(b.namespace) ||
          a.name.localeCompare(b.name, 'en', { numeric: true }),
      )
  return nodesBelow(undefined)
}

function rank({ kind }: TreeNode): number {
  const at = order.indexOf(kind)
  return at === -1 ? order.length : at
}

export interface TreeStyle {
  readonly colors: boolean
  readonly columns: number
  readonly nowMs: number
  readonly withNamespace?: boolean
}

/** One line an object: branch, kind and name, a mark, age, and what it waits for. */
export function renderTrees(trees: readonly TreeNode[], style: TreeStyle): string[] {
  const rows = trees.flatMap((tree) => rowsOf(tree, '', '', style.withNamespace === true))
  const width = Math.max(0, ...rows.map((row) => row.label.length))
  return rows.map(({ label, node }) => {
    const age = node.createdAt === undefined ? '' : formatAge(style.nowMs - Date.parse(node.createdAt))
    const [mark, color] = markOf(node.state)
    const said = [node.state.ready === false ? node.state.reason : '', node.state.message].filter(Boolean).join(': ')
    const plain = `${label.padEnd(width)}  ${mark} ${age.padEnd(6)} ${said}`.trimEnd()
    const cut = plain.length > style.columns ? `${plain.slice(0, Math.max(0, style.columns - 1))}…` : plain
    return style.colors ? cut.replace(mark, styleText(color, mark, { validateStream: false })) : cut
  })
}

function markOf({ ready, failed }: ObjectState): ['✔' | '✖' | '…' | '·', 'green' | 'red' | 'yellow' | 'gray'] {
  if (failed) return ['✖', 'red']
  if (ready === undefined) return ['·', 'gray']
  return ready ? ['✔', 'green'] : ['…', 'yellow']
}

function rowsOf(
  node: TreeNode,
  branch: string,
  stem: string,
  withNamespace: boolean,
): { label: string; node: TreeNode }[] {
  const name = withNamespace && node.namespace !== '' ? `${node.namespace}/${node.name}` : node.name
  return [
    { label: `${branch}${node.kind}/${name}`, node },
    ...node.children.flatMap((child, at) => {
      const last = at === node.children.length - 1
      return rowsOf(child, `${stem}${last ? '└─ ' : '├─ '}`, `${stem}${last ? '   ' : '│  '}`, false)
    }),
  ]
}
