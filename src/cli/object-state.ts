import { simulatedCondition } from '#embedded/node/pod-status.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'

/** How an object is, in a word and a sentence. */
export interface ObjectState {
  /** `undefined` for kinds that are neither ready nor unready. */
  readonly ready: boolean | undefined
  /** Something is wrong that waiting alone may not mend. */
  readonly failed: boolean
  readonly reason: string
  /** What it waits for or what is wrong; empty when nothing is. */
  readonly message: string
}

/** The condition that stands for the whole object, by kind. */
const leading: Record<string, string> = {
  ModelBooster: 'Active',
  ModelServing: 'Available',
  Model: 'Active',
  ModelInfer: 'Available',
  ModelServer: 'Ready',
  ModelRoute: 'Accepted',
  AutoscalingPolicy: 'Ready',
  AutoscalingPolicyBinding: 'Ready',
  AIMModel: 'Ready',
  AIMClusterModel: 'Ready',
  AIMServiceTemplate: 'Ready',
  AIMClusterServiceTemplate: 'Ready',
  AIMService: 'Ready',
  AIMRuntimeConfig: 'Ready',
  AIMClusterRuntimeConfig: 'Ready',
  AIMClusterModelSource: 'Ready',
  Job: 'Complete',
  Pod: 'Ready',
  Node: 'Ready',
}

/** Conditions that tell of a failure when they hold. */
const failing: ReadonlySet<string> = new Set(['Failed', 'PodsFailing'])

/** Kinds of which some objects have no state of their own, such as a policy that a binding uses. */
const stateless: ReadonlySet<string> = new Set(['AutoscalingPolicy'])

export function stateOf(object: AnyResource): ObjectState {
  if (object.metadata.deletionTimestamp !== undefined) {
    const held = object.metadata.finalizers ?? []
    return {
      ready: false,
      failed: false,
      reason: 'Deleting',
      message: held.length === 0 ? '' : `held by ${held.join(', ')}`,
    }
  }
  const conditions = conditionsOf(object)
  const failed = conditions.find(({ type, status }) => failing.has(type) && status === 'True')
  if (failed !== undefined) return { ready: false, failed: true, reason: failed.reason, message: failed.message }
  const type = leading[object.kind]
  if (type === undefined) return { ready: undefined, failed: false, reason: '', message: '' }
  const condition = conditions.find((each) => each.type === type)
  if (condition === undefined) {
    if (stateless.has(object.kind)) return { ready: undefined, failed: false, reason: '', message: '' }
    return { ready: false, failed: false, reason: '', message: 'not looked at yet' }
  }
  const { status, reason, message } = condition
  if (status === 'True') return { ready: true, failed: false, reason, message: warningOf(object, conditions) }
  if (object.kind === 'Pod') return podState(object, condition)
  return { ready: false, failed: object.status?.['status'] === 'Failed', reason, message }
}

export function conditionsOf(object: AnyResource): readonly Condition[] {
  const conditions = object.status?.['conditions']
  return Array.isArray(conditions) ? (conditions as Condition[]) : []
}

/** Ready, and yet something that a user asked for does not happen. */
function warningOf(object: AnyResource, conditions: readonly Condition[]): string {
  const told: Record<string, Condition['status']> = {
    GangUnavailable: 'True',
    Degraded: 'True',
    AutoscalingActive: 'False',
    UpdateInProgress: 'True',
    Conflicted: 'True',
    ResolvedRefs: 'False',
  }
  const messages = conditions.filter(({ type, status }) => told[type] === status).map(({ message }) => message)
  if (object.kind === 'Pod' && simulatedPod(object)) messages.push('simulated')
  return messages.join('; ')
}

/** Whether a pod says of itself that no engine runs in it. */
function simulatedPod(object: AnyResource): boolean {
  return conditionsOf(object).some(({ type, status }) => type === simulatedCondition && status === 'True')
}

interface ContainerState {
  readonly name: string
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } }
}

/** What a container waits for in the ordinary course of things. */
const starting: ReadonlySet<string> = new Set(['PodInitializing', 'ContainerCreating'])

function podState(pod: AnyResource, ready: Condition): ObjectState {
  if (pod.status?.['phase'] === 'Succeeded')
    return { ready: true, failed: false, reason: ready.reason, message: 'ended well' }
  const scheduled = conditionsOf(pod).find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (scheduled !== undefined)
    return { ready: false, failed: true, reason: scheduled.reason, message: scheduled.message }
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap(
    (member) => (pod.status?.[member] ?? []) as ContainerState[],
  )
  for (const { name, state } of statuses) {
    const { reason, message = '' } = state?.waiting ?? {}
    if (reason === undefined || starting.has(reason)) continue
    return { ready: false, failed: true, reason, message: `container ${name}${message === '' ? '' : `: ${message}`}` }
  }
  const message = ready.message ?? String(pod.status?.['phase'] ?? '')
  return { ready: false, failed: false, reason: ready.reason ?? '', message }
}
