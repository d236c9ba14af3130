import type { Event, Job, Pod, Service } from '#api/core/kinds.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { ageOf, type ComputedColumns, formatAge } from '#machinery/table.ts'
import type { ServedKind } from './served-kind.ts'

/** Columns that no JSON path can say, worded as Kubernetes' printers word them (pkg/printers/internalversion). */
export function computedColumns(served: ServedKind): ComputedColumns | undefined {
  return { pods, services, events: events(served), 'jobs.batch': jobs }[served.resource]
}

const pods: ComputedColumns = {
  columns: [
    { name: 'Ready', type: 'string', description: 'Containers that are ready, of all that should be.' },
    { name: 'Status', type: 'string', description: 'What the containers of the pod are up to, in one word.' },
    { name: 'Restarts', type: 'string', description: 'How often containers restarted, and when last.' },
    { name: 'Age', type: 'string', description: 'Time since the pod was created.' },
    { name: 'IP', type: 'string', priority: 1, description: 'Address of the pod.' },
    { name: 'Node', type: 'string', priority: 1, description: 'Node that the pod is bound to.' },
    { name: 'Nominated Node', type: 'string', priority: 1, description: 'Node where room is being made for the pod.' },
    { name: 'Readiness Gates', type: 'string', priority: 1, description: 'Readiness gates that are open, of all.' },
  ],
  cells: (object, nowMs) => podCells(object, nowMs),
}

function podCells(pod: Pod, nowMs: number): readonly unknown[] {
  const { spec, status, metadata } = pod
  const statuses = status?.containerStatuses ?? []
  const ready = statuses.filter((container) => container.ready && container.state?.running !== undefined).length
  const gates = spec?.readinessGates ?? []
  const open = gates.filter((gate) =>
    status?.conditions?.some(({ type, status: value }) => type === gate.conditionType && value === 'True'),
  )
  return [
    `${ready}/${spec?.containers.length ?? 0}`,
    podWord(pod),
    restartsCell(pod, nowMs),
    ageOf(metadata.creationTimestamp, nowMs),
    status?.podIP || '<none>',
    spec?.nodeName || '<none>',
    status?.nominatedNodeName || '<none>',
    gates.length === 0 ? '<none>' : `${open.length}/${gates.length}`,
  ]
}

function restartsCell({ status }: Pod, nowMs: number): string {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const count = statuses.reduce((sum, container) => sum + container.restartCount, 0)
  const ends = statuses.map((container) => Date.parse(container.lastState?.terminated?.finishedAt ?? ''))
  const last = Math.max(...ends.filter((end) => !Number.isNaN(end)))
  return count === 0 || !Number.isFinite(last) ? String(count) : `${count} (${formatAge(nowMs - last)} ago)`
}

function podWord(pod: Pod): string {
  const { metadata, status } = pod
  let word = status?.reason || status?.phase || 'Unknown'
  if (status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')) {
    word = 'SchedulingGated'
  }
  const init = initWord(pod)
  if (init !== undefined) word = init
  else word = containersWord(pod, word)
  if (metadata.deletionTimestamp === undefined) return word
  return status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating'
}

type ContainerState = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]['state']

function stateWord(state: ContainerState): string | undefined {
  const { waiting, terminated } = state ?? {}
  if (waiting !== undefined) return waiting.reason || undefined
  if (terminated === undefined) return undefined
  return terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`)
}

/** `Init:1/2`, or what keeps the current init container; undefined once they are done. */
function initWord({ spec, status }: Pod): string | undefined {
  const statuses = status?.initContainerStatuses ?? []
  for (const [i, container] of statuses.entries()) {
    const { state } = container
    const sidecar = spec?.initContainers?.find(({ name }) => name === container.name)?.restartPolicy === 'Always'
    if (state?.terminated?.exitCode === 0 || (sidecar && container.started === true)) continue
    const word = state?.waiting?.reason === 'PodInitializing' ? undefined : stateWord(state)
    return `Init:${word ?? `${i}/${spec?.initContainers?.length ?? statuses.length}`}`
  }
  return undefined
}

function containersWord({ status }: Pod, phase: string): string {
  const statuses = status?.containerStatuses ?? []
  let word = phase
  let running = false
  for (const container of statuses.toReversed()) {
    word = stateWord(container.state) ?? word
    running ||= container.ready && container.state?.running !== undefined
  }
  if (word !== 'Completed' || !running) return word
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
    ? 'Running'
    : 'NotReady'
}

const services: ComputedColumns = {
  columns: [
    { name: 'Type', type: 'string', description: 'How the service is exposed.' },
    { name: 'Cluster-IP', type: 'string', description: 'Address of the service, or None for a headless one.' },
    { name: 'External-IP', type: 'string', description: 'Addresses from outside.' },
    { name: 'Port(s)', type: 'string', description: 'Ports and their protocols.' },
    { name: 'Age', type: 'string', description: 'Time since the service was created.' },
    { name: 'Selector', type: 'string', priority: 1, description: 'Labels of the pods behind the service.' },
  ],
  cells(object: Resource, nowMs) {
    const { spec, metadata } = object as Service
    const ports = (spec?.ports ?? []).map(({ port, nodePort, protocol }) => {
      return `${port}${nodePort ? `:${nodePort}` : ''}/${protocol ?? 'TCP'}`
    })
    const selector = Object.entries(spec?.selector ?? {}).map(([key, value]) => `${key}=${value}`)
    return [
      spec?.type ?? 'ClusterIP',
      spec?.clusterIP || '<none>',
      spec?.externalName || spec?.externalIPs?.join(',') || '<none>',
      ports.join(',') || '<none>',
      ageOf(metadata.creationTimestamp, nowMs),
      selector.join(',') || '<none>',
    ]
  },
}

const jobs: ComputedColumns = {
  columns: [
    { name: 'Status', type: 'string', description: 'Running, Complete, Failed, Suspended or Terminating.' },
    { name: 'Completions', type: 'string', description: 'Pods that succeeded, of all that should.' },
    { name: 'Duration', type: 'string', description: 'Time from start to completion.' },
    { name: 'Age', type: 'string', description: 'Time since the job was created.' },
  ],
  cells(object: Resource, nowMs) {
    const { spec, status, metadata } = object as Job
    const is = (wanted: string): boolean =>
      status?.conditions?.some(({ type, status: value }) => type === wanted && value === 'True') === true
    const word = ['Complete', 'Failed', 'Suspended'].find(is)
    const started = Date.parse(status?.startTime ?? '')
    const ended = status?.completionTime === undefined ? nowMs : Date.parse(status.completionTime)
    return [
      word ?? (metadata.deletionTimestamp === undefined ? 'Running' : 'Terminating'),
      `${status?.succeeded ?? 0}/${spec?.completions ?? 1}`,
      Number.isNaN(started) ? '' : formatAge(ended - started),
      ageOf(metadata.creationTimestamp, nowMs),
    ]
  },
}

/** Of the events of either group, read in the words of the core group. */
const events = ({ convert }: ServedKind): ComputedColumns => ({
  nameless: true,
  columns: [
    { name: 'Last Seen', type: 'string', description: 'Time since it happened last.' },
    { name: 'Type', type: 'string', description: 'Normal or Warning.' },
    { name: 'Reason', type: 'string', description: 'What happened, in one word.' },
    { name: 'Object', type: 'string', description: 'What it happened to.' },
    { name: 'Subobject', type: 'string', priority: 1, description: 'The part that it happened to.' },
    { name: 'Source', type: 'string', priority: 1, description: 'Who says so.' },
    { name: 'Message', type: 'string', description: 'What happened.' },
    { name: 'First Seen', type: 'string', priority: 1, description: 'Time since it happened first.' },
    { name: 'Count', type: 'string', priority: 1, description: 'How often it happened.' },
    { name: 'Name', type: 'string', priority: 1, description: 'Name of the event.' },
  ],
  cells(object: Resource, nowMs) {
    const event = (convert?.toStored(object as AnyResource) ?? object) as Event
    const { involvedObject, source, series, metadata } = event
    const first = event.firstTimestamp ?? event.eventTime
    const last = series?.lastObservedTime ?? event.lastTimestamp ?? first
    return [
      ageOf(last, nowMs),
      event.type ?? '',
      event.reason ?? '',
      `${involvedObject.kind?.toLowerCase() ?? ''}/${involvedObject.name ?? ''}`,
      involvedObject.fieldPath ?? '',
      [event.reportingComponent || source?.component, source?.host].filter(Boolean).join(', '),
      event.message?.trim() ?? '',
      ageOf(first, nowMs),
      String(series?.count ?? event.count ?? 1),
      metadata.name ?? '',
    ]
  },
})
