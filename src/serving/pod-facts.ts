import type { ContainerStatus, Pod } from '#api/core/types.generated.ts'
import type { Dialect } from '#api/dialects.ts'
import { routableGate, servingAnnotations, servingEnv, servingLabels } from '#api/labels.ts'
import { positionOf, type PodPosition } from './names.ts'

/** The little that decisions need to know of a pod. */
export interface PodFacts {
  readonly name: string
  readonly uid: string
  readonly position: PodPosition
  readonly revision: string | undefined
  /** Of the template of its own role. */
  readonly roleHash: string | undefined
  /** Which making of its role replica it belongs to. */
  readonly incarnation: number
  /** Pods in its role replica when it was made, itself included. */
  readonly groupSize: number
  readonly deleting: boolean
  /** Running, with a true Ready condition, and not being deleted. */
  readonly ready: boolean
  /** Finished for good: the kubelet will not start it again. */
  readonly finished: boolean
  /** When the restart happened that made it unready; `undefined` when unreadiness has another cause. */
  readonly restartedAtMs: number | undefined
  readonly deletionCost: number
  /** Routers send it no new requests any more, so that it can go. */
  readonly draining: boolean
  /** What its readiness gate says on routers; `undefined` for a pod without that gate. */
  readonly gate: Gate | undefined
}

/** `Waiting`: nobody has said yet whether routers send it requests; they may. */
export interface Gate {
  readonly state: 'Open' | 'Closed' | 'Waiting'
  readonly sinceMs: number
  /** All but the gate is ready. */
  readonly containersReady: boolean
}

/** `undefined` for a pod whose name is not one that `serving` gives. */
export function factsOf(
  serving: string,
  pod: Pod,
  podLabels: Dialect['podLabels'] = servingLabels,
): PodFacts | undefined {
  const name = pod.metadata.name ?? ''
  const position = positionOf(serving, name)
  if (position === undefined) return undefined
  const deleting = pod.metadata.deletionTimestamp !== undefined
  const phase = pod.status?.phase
  const readyCondition = pod.status?.conditions?.find((condition) => condition.type === 'Ready')
  const gate = gateOf(pod)
  const ready = !deleting && phase === 'Running' && readyCondition?.status === 'True' && gate?.state !== 'Closed'
  const cost = Number.parseInt(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0', 10)
  return {
    name,
    uid: pod.metadata.uid ?? '',
    position,
    revision: pod.metadata.labels?.[podLabels.revision],
    roleHash: pod.metadata.labels?.[podLabels.roleTemplateHash],
    incarnation: Number(pod.metadata.annotations?.[servingAnnotations.incarnation] ?? 1) || 1,
    groupSize: groupSizeOf(pod),
    deleting,
    ready,
    finished: phase === 'Failed' || phase === 'Succeeded',
    restartedAtMs: ready
      ? undefined
      : restartBehind(pod.status?.containerStatuses ?? [], readyCondition?.lastTransitionTime),
    deletionCost: Number.isNaN(cost) ? 0 : cost,
    draining: !deleting && gate?.state === 'Closed',
    gate,
  }
}

function gateOf({ spec, status }: Pod): Gate | undefined {
  if (spec?.readinessGates?.some(({ conditionType }) => conditionType === routableGate) !== true) return undefined
  const condition = status?.conditions?.find(({ type }) => type === routableGate)
  return {
    state: condition?.status === 'True' ? 'Open' : condition?.status === 'False' ? 'Closed' : 'Waiting',
    sinceMs: Date.parse(condition?.lastTransitionTime ?? '') || 0,
    containersReady:
      status?.conditions?.some(({ type, status: is }) => type === 'ContainersReady' && is === 'True') ?? false,
  }
}

/** Every container of ours has it; one that a mesh put in front of them has not. */
function groupSizeOf(pod: Pod): number {
  const variables = pod.spec?.containers.flatMap(({ env }) => env ?? [])
  const variable = variables?.find(({ name }) => name === servingEnv.groupSize)
  return Math.max(1, Number(variable?.value ?? '1') || 1)
}

/** The kubelet notices within seconds that a container ended; a restart further back explains nothing. */
const noticeMs = 30_000

/**
 * Restart counters last as long as the pod, so they alone say nothing about now. A restart is the cause of an
 * unready pod when the container ended after the pod became unready, or just before.
 */
function restartBehind(statuses: readonly ContainerStatus[], unreadySince: string | undefined): number | undefined {
  const since = unreadySince === undefined ? 0 : Date.parse(unreadySince)
  const ends = statuses
    .filter((status) => status.restartCount > 0)
    .map((status) => Date.parse(status.lastState?.terminated?.finishedAt ?? ''))
    .filter((endMs) => !Number.isNaN(endMs) && endMs >= since - noticeMs)
  return ends.length === 0 ? undefined : Math.max(...ends)
}
