import { CustomResourceDefinition, Node, PersistentVolumeClaim, Pod } from '#api/core/kinds.ts'
import { timestamp } from '#base/clock.ts'
import { EventRecorder } from '#controller/events.ts'
import { createRunner, type Runner } from '#controller/runner.ts'
import { faultOf } from '#kube/create-client.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import { misfit, noFitMessage } from './fit.ts'
import type { BuiltinRuntime } from './builtin-runtime.ts'

const byNode = 'nodeName'
const defaultScheduler = 'default-scheduler'
/** While it is installed, pods that name a scheduler of their own are that scheduler's. */
const podGroupCrd = 'podgroups.scheduling.volcano.sh'

/**
 * Binds each pending pod to the first node that it fits on, by name. No scores, no preemption, one pod at a time.
 * A pod that fits nowhere is told why, and tried again when nodes or pods change.
 */
export function startPodBinder({ client, informers, clock, log }: BuiltinRuntime): Runner {
  const own = log.with({ controller: 'pod-binder' })
  const events = new EventRecorder({ client, clock, log: own, component: defaultScheduler })
  const runner = createRunner({ clock, log: own, workers: 1, run: ({ key, signal }) => bind(key, signal) })
  const pods = informers.of(Pod)
  const nodes = informers.of(Node)
  const crds = informers.of(CustomResourceDefinition)
  const claims = informers.of(PersistentVolumeClaim)
  /** Bound by us, and not yet so in the cache: uid → node. */
  const assumed = new Map<string, string>()

  pods.index(byNode, (pod) => [isOver(pod) ? '' : (pod.spec?.nodeName ?? '')])
  pods.subscribe({
    upsert(pod, old) {
      if (pod.spec?.nodeName !== undefined) assumed.delete(pod.metadata.uid ?? '')
      else if (isWaiting(pod)) runner.add(keyOf(placeOf(pod)), { reason: 'Pod appeared' })
      if (old !== undefined && isOver(pod) && !isOver(old)) retryAll()
    },
    remove(pod) {
      assumed.delete(pod.metadata.uid ?? '')
      if (pod.spec?.nodeName !== undefined && !isOver(pod)) retryAll()
    },
  })
  nodes.subscribe({ upsert: retryAll, remove() {} })
  claims.subscribe({ upsert: (_, old) => old === undefined && retryAll(), remove() {} })
  crds.subscribe({
    upsert() {},
    remove({ metadata }) {
      if (metadata.name === podGroupCrd) retryAll()
    },
  })

  function retryAll(): void {
    for (const pod of pods.byIndex(byNode, '')) if (isWaiting(pod)) runner.add(keyOf(placeOf(pod)), { reason: 'room' })
  }

  function isWaiting({ spec, metadata }: Pod): boolean {
    if (spec === undefined || (spec.nodeName ?? '') !== '' || metadata.deletionTimestamp !== undefined) return false
    if (assumed.has(metadata.uid ?? '') || (spec.schedulingGates ?? []).length > 0) return false
    const isOurs = (spec.schedulerName ?? defaultScheduler) === defaultScheduler
    return isOurs || crds.get({ name: podGroupCrd }) === undefined
  }

  async function bind(key: string, signal: AbortSignal): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    const pod = pods.get({ namespace, name })
    if (pod === undefined || isOver(pod) || !isWaiting(pod)) return
    const missing = missingClaim(pod)
    if (missing !== undefined) return tellUnschedulable(pod, noFitMessage(nodes.list().map(() => missing)), signal)
    const misfits: string[] = []
    for (const node of nodes.list().toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
      const target = node.metadata.name ?? ''
      const why = misfit(pod, node, () => podsOn(target))
      if (why === undefined) return assign(pod, target, signal)
      misfits.push(why)
    }
    await tellUnschedulable(pod, noFitMessage(misfits), signal)
  }

  function missingClaim({ metadata: { namespace }, spec }: Pod): string | undefined {
    const names = (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? [])
    const missing = names.find((name) => claims.get({ namespace, name }) === undefined)
    return missing === undefined ? undefined : `persistentvolumeclaim "${missing}" not found`
  }

  function podsOn(node: string): readonly Pod[] {
    const coming = pods.byIndex(byNode, '').filter((pod) => assumed.get(pod.metadata.uid ?? '') === node)
    return [...pods.byIndex(byNode, node), ...coming]
  }

  async function assign(pod: Pod, node: string, signal: AbortSignal): Promise<void> {
    const { namespace = '', name = '', uid = '' } = pod.metadata
    const response = await client.raw(
      `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/binding`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { namespace, name, uid },
          target: { apiVersion: 'v1', kind: 'Node', name: node },
        }),
        signal,
      },
    )
    if (!response.ok && response.status !== 404) throw await faultOf(response)
    await response.body?.cancel()
    // The watch may have brought the pod already, before this answer, or taken it away.
    const cached = pods.get({ namespace, name })
    if (cached?.metadata.uid === uid && cached.spec?.nodeName === undefined) assumed.set(uid, node)
  }

  async function tellUnschedulable(pod: Pod, message: string, signal: AbortSignal): Promise<void> {
    const condition = { type: 'PodScheduled', status: 'False' as const, reason: 'Unschedulable', message }
    const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
    if (known?.status === 'False' && known.message === message) return
    const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : timestamp(clock.now())
    // A strategic merge joins conditions by type: those of others stay.
    const patch = { status: { conditions: [{ ...condition, lastTransitionTime }] } }
    await client.patch(Pod, placeOf(pod), { type: 'strategic', patch }, { subresource: 'status', signal })
    events.isSo(pod, { reason: 'FailedScheduling', note: message, type: 'Warning' })
  }

  return {
    ...runner,
    idle: () => runner.idle() && assumed.size === 0 && events.isIdle(),
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await events.stop()
    },
  }
}

function isOver({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}
