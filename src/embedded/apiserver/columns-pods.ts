import type { Pod } from '#api/core/kinds.ts'
import { formatAge } from '#machinery/table.ts'
import { age, type Columns, holds, since, wide } from './column-cells.ts'

export const podColumns: Readonly<Record<string, Columns>> = {
  pods: {
    columns: [
      { name: 'Ready', about: 'The aggregate readiness state of this pod for accepting traffic.' },
      { name: 'Status', about: 'The aggregate status of the containers in this pod.' },
      {
        name: 'Restarts',
        about:
          'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
      },
      age,
      wide('IP', 'core.v1.PodStatus.podIP'),
      wide('Node', 'core.v1.PodSpec.nodeName'),
      wide('Nominated Node', 'core.v1.PodStatus.nominatedNodeName'),
      wide('Readiness Gates', 'core.v1.PodSpec.readinessGates'),
    ],
    cells: podCells,
    conditions: ({ status }: Pod) => ended[status?.phase ?? ''],
  },
}

const ended: Readonly<Record<string, readonly object[]>> = {
  Succeeded: [
    { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ],
  Failed: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
}

type Containers = readonly NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number][]

function podCells(pod: Pod, nowMs: number): readonly unknown[] {
  const { spec, status, metadata } = pod
  const gates = spec?.readinessGates ?? []
  const open = gates.filter(({ conditionType }) => holds(status?.conditions, conditionType))
  const all = (spec?.containers ?? []).length + sidecars(pod).size
  return [
    `${readyCount(pod)}/${all}`,
    podWord(pod),
    restartsCell(pod, nowMs),
    since(metadata.creationTimestamp, nowMs),
    status?.podIPs?.[0]?.ip || '<none>',
    spec?.nodeName || '<none>',
    status?.nominatedNodeName || '<none>',
    gates.length === 0 ? '<none>' : `${open.length}/${gates.length}`,
  ]
}

/** Init containers that go on running beside the others. */
function sidecars({ spec }: Pod): Set<string> {
  const restarting = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return new Set(restarting.map(({ name }) => name))
}

/** Once its init containers are done, a pod is what its other containers are. */
function isInitialised(pod: Pod): boolean {
  return initWord(pod) === undefined || holds(pod.status?.conditions, 'Initialized')
}

function readyCount(pod: Pod): number {
  const { initContainerStatuses: inits = [], containerStatuses = [] } = pod.status ?? {}
  const beside = sidecars(pod)
  const helping = inits.filter(({ name, ready, started }) => ready && started === true && beside.has(name))
  if (!isInitialised(pod)) return helping.length
  return helping.length + containerStatuses.filter(({ ready, state }) => ready && state?.running !== undefined).length
}

function restartsCell(pod: Pod, nowMs: number): string {
  const { initContainerStatuses: inits = [], containerStatuses = [] } = pod.status ?? {}
  const beside = sidecars(pod)
  const statuses: Containers = isInitialised(pod)
    ? [...inits.filter(({ name }) => beside.has(name)), ...containerStatuses]
    : inits
  const count = statuses.reduce((sum, container) => sum + container.restartCount, 0)
  const ends = statuses.map((container) => Date.parse(container.lastState?.terminated?.finishedAt ?? ''))
  const last = Math.max(...ends.filter((end) => !Number.isNaN(end)))
  return count === 0 || !Number.isFinite(last) ? String(count) : `${count} (${formatAge(nowMs - last)} ago)`
}

function podWord(pod: Pod): string {
  const { metadata, status } = pod
  const phase = status?.phase ?? ''
  const isGated = status?.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  )
  const word = isGated === true ? 'SchedulingGated' : status?.reason || phase
  const shown = isInitialised(pod) ? containersWord(pod, initWord(pod) ?? word) : (initWord(pod) ?? word)
  if (metadata.deletionTimestamp === undefined) return shown
  if (status?.reason === 'NodeLost') return 'Unknown'
  return phase === 'Succeeded' || phase === 'Failed' ? shown : 'Terminating'
}

type ContainerState = Containers[number]['state']

function stateWord(state: ContainerState): string | undefined {
  const { waiting, terminated } = state ?? {}
  if (waiting?.reason) return waiting.reason
  if (terminated === undefined) return undefined
  return terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)
}

/** `Init:1/2`, or what keeps the current init container; undefined once they are done. */
function initWord(pod: Pod): string | undefined {
  const beside = sidecars(pod)
  for (const [i, { name, state, started }] of (pod.status?.initContainerStatuses ?? []).entries()) {
    if (state?.terminated?.exitCode === 0 || (beside.has(name) && started === true)) continue
    const word = state?.waiting?.reason === 'PodInitializing' ? undefined : stateWord(state)
    return `Init:${word ?? `${i}/${pod.spec?.initContainers?.length ?? 0}`}`
  }
  return undefined
}

function containersWord({ status }: Pod, before: string): string {
  let word = before
  let failure: string | undefined
  let running = false
  for (const { state, ready } of (status?.containerStatuses ?? []).toReversed()) {
    const own = stateWord(state)
    word = own ?? word
    if (own !== undefined && (state?.terminated?.exitCode ?? 0) !== 0) failure = own
    running ||= own === undefined && ready && state?.running !== undefined
  }
  if (word !== 'Completed') return word
  if (running && holds(status?.conditions, 'Ready')) return 'Running'
  return failure ?? (running ? 'NotReady' : word)
}
