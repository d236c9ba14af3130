import { Event } from '#api/core/kinds.ts'
import type { Event as EventObject } from '#api/core/types.generated.ts'
import { formatAge } from '#machinery/table.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { usage } from './exit.ts'
import type { Io } from './io.ts'
import { parseTarget } from './known-kinds.ts'
import { conditionsOf } from './object-state.ts'
import { renderTrees, type TreeNode, treesOf } from './object-tree.ts'
import { treeObjects } from './tree.ts'
import { yamlOf } from './yaml.ts'

export interface DescribeOptions extends ConnectOptions {
  readonly what: string
  readonly name?: string
  readonly output?: 'json'
}

export async function describe(options: DescribeOptions, io: Io): Promise<void> {
  const { kind, names } = parseTarget(options.what, options.name === undefined ? [] : [options.name])
  const [name] = names
  if (name === undefined) throw usage(`say which: fairlead describe ${kind.singular}/NAME`)
  await using cluster = connect(options, io)
  const namespace = kind.namespaced ? cluster.namespace : undefined
  const object = (await cluster.client.get(kind, { namespace, name })) as AnyResource
  const events = await cluster.client.list(Event, {
    ...(namespace !== undefined && { namespace }),
    fieldSelector: `involvedObject.uid=${object.metadata.uid}`,
  })
  const below = treesOf(await treeObjects(cluster.client, namespace)).flatMap((node) => find(node, kind.kind, name))
  const facts: Description = {
    object,
    kind: kind.kind,
    children: below[0]?.children ?? [],
    events: events.items.toSorted((a, b) => atMs(a) - atMs(b)),
  }
  if (options.output === 'json') io.write(`${JSON.stringify(facts, null, 2)}\n`)
  else io.write(renderDescription(facts, Date.now(), io.colors))
}

interface Description {
  readonly object: AnyResource
  readonly kind: string
  readonly children: readonly TreeNode[]
  readonly events: readonly EventObject[]
}

function find(node: TreeNode, kind: string, name: string): TreeNode[] {
  return node.kind === kind && node.name === name ? [node] : node.children.flatMap((child) => find(child, kind, name))
}

export function renderDescription(
  { object, kind, children, events }: Description,
  nowMs: number,
  colors: boolean,
): string {
  const { metadata } = object
  const lines = [
    `Name:       ${metadata.name}`,
    ...(metadata.namespace === undefined ? [] : [`Namespace:  ${metadata.namespace}`]),
    `Kind:       ${kind} (${object.apiVersion})`,
    `Age:        ${metadata.creationTimestamp === undefined ? '' : formatAge(nowMs - Date.parse(metadata.creationTimestamp))}`,
    `Generation: ${metadata.generation ?? '-'}`,
    ...section('Labels', metadata.labels ?? {}),
    ...section('Annotations', shownAnnotations(metadata.annotations)),
    ...section('Spec', object.spec ?? {}),
    ...(conditionsOf(object).length === 0 ? [] : ['Conditions:']),
    ...conditionsOf(object).map(
      ({ type, status, reason, message }) => `  ${type}=${status}  ${reason ?? ''}${message ? `: ${message}` : ''}`,
    ),
    ...(children.length === 0 ? [] : ['Children:']),
    ...renderTrees(children, { colors, columns: Number.POSITIVE_INFINITY, nowMs }).map((line) => `  ${line}`),
    'Events:',
    ...(events.length === 0 ? ['  none'] : events.map((event) => `  ${eventLine(event, nowMs)}`)),
  ]
  return `${lines.join('\n')}\n`
}

/** Where kubectl keeps the whole object as it was applied, the values of a Secret too. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

function shownAnnotations({ [lastApplied]: _, ...shown }: Readonly<Record<string, string>> = {}): object {
  return shown
}

function section(title: string, value: object): string[] {
  if (Object.keys(value).length === 0) return []
  return [
    `${title}:`,
    ...yamlOf(value)
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
  ]
}

const atMs = ({ lastTimestamp, eventTime }: EventObject): number => Date.parse(lastTimestamp ?? eventTime ?? '') || 0

function eventLine(event: EventObject, nowMs: number): string {
  const { type, reason, message, count } = event
  const age = atMs(event) === 0 ? '' : formatAge(nowMs - atMs(event))
  return `${age.padEnd(6)} ${type ?? ''} ${reason ?? ''}${(count ?? 1) > 1 ? ` (${count} times)` : ''}: ${message ?? ''}`
}
