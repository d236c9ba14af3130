import { timestamp } from '#base/clock.ts'
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '#api/core/types.generated.ts'

/** What the node knows of a pod that it runs. */
export interface PodFacts {
  readonly podIP: string
  readonly hostIP: string
  readonly startedMs: number
  readonly initialized: boolean
  readonly initStatuses: readonly ContainerStatus[]
  readonly containerStatuses: readonly ContainerStatus[]
  /** Set when nothing will run any more. */
  readonly ended: { readonly failed: boolean; readonly reason?: string; readonly message?: string } | undefined
  /** Whether all that runs in it is simulated. */
  readonly simulated: boolean
}

/** On a pod's status: whether what runs in it is a simulation. */
export const simulatedCondition = 'fairlead.dev/Simulated'

/**
 * The status that the node owns. Conditions of others (`PodScheduled`, readiness gates) are not in it, but count:
 * `Ready` needs every gate. `lastTransitionTime` stays where the status did not flip.
 */
export function podStatus(pod: Pod, facts: PodFacts, nowMs: number): PodStatus {
  const { initialized, containerStatuses, ended } = facts
  const unready = containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name)
  const gates = (pod.spec?.readinessGates ?? []).map(({ conditionType }) => conditionType)
  const closed = gates.filter((gate) => pod.status?.conditions?.find(({ type }) => type === gate)?.status !== 'True')
  const over = ended === undefined ? undefined : { reason: ended.failed ? 'PodFailed' : 'PodCompleted', message: '' }
  const notReady =
    over ??
    (unready.length > 0
      ? { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
      : undefined)
  const gated =
    closed.length === 0
      ? undefined
      : { reason: 'ReadinessGatesNotReady', message: `readiness gates not met: ${closed.join(', ')}` }
  const uninitialized = facts.initStatuses.filter(({ state, ready }) => state?.terminated?.exitCode !== 0 && !ready)
  const conditions: Flag[] = [
    { type: 'PodReadyToStartContainers', no: ended === undefined ? undefined : { reason: '', message: '' } },
    {
      type: 'Initialized',
      no: initialized
        ? undefined
        : {
            reason: 'ContainersNotInitialized',
            message: `containers with incomplete status: [${uninitialized.map(({ name }) => name).join(' ')}]`,
          },
    },
    { type: 'ContainersReady', no: notReady },
    { type: 'Ready', no: notReady ?? gated },
    ...(facts.simulated
      ? [
          {
            type: simulatedCondition,
            yes: { reason: 'Simulated', message: 'answers come from a simulator: no model runs' },
          },
        ]
      : []),
  ]
  return {
    phase: phaseOf(facts),
    observedGeneration: pod.metadata.generation,
    hostIP: facts.hostIP,
    hostIPs: [{ ip: facts.hostIP }],
    podIP: facts.podIP,
    podIPs: [{ ip: facts.podIP }],
    startTime: timestamp(facts.startedMs),
    ...(ended?.reason === undefined ? {} : { reason: ended.reason }),
    ...(ended?.message === undefined ? {} : { message: ended.message }),
    initContainerStatuses: [...facts.initStatuses],
    containerStatuses: [...containerStatuses],
    conditions: conditions.map((flag) => condition(flag, pod, nowMs)),
  }
}

interface Flag {
  readonly type: string
  readonly yes?: { readonly reason: string; readonly message: string }
  /** Why it is false. */
  readonly no?: { readonly reason: string; readonly message: string } | undefined
}

function condition({ type, yes, no }: Flag, pod: Pod, nowMs: number): PodCondition {
  const status = no === undefined ? 'True' : 'False'
  const former = pod.status?.conditions?.find((one) => one.type === type)
  const { reason, message } = no ?? yes ?? { reason: '', message: '' }
  return {
    type,
    status,
    reason: reason || null,
    message: message || null,
    lastTransitionTime: former?.status === status ? former.lastTransitionTime : timestamp(nowMs),
  } as PodCondition // null takes a member away: this goes into a patch
}

function phaseOf({ ended, initialized, containerStatuses }: PodFacts): string {
  if (ended !== undefined) return ended.failed ? 'Failed' : 'Succeeded'
  const hasStarted = ({ state, lastState }: ContainerStatus) =>
    state?.running !== undefined || state?.terminated !== undefined || lastState?.terminated !== undefined
  return initialized && containerStatuses.every(hasStarted) ? 'Running' : 'Pending'
}
