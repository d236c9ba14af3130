import type { Node, Pod } from '#api/core/kinds.ts'
import { type Amounts, podRequests, sumOf } from '#api/core/pod-requests.ts'
import { acceptsAllAnnotation } from '#kube/local-node.ts'
import { compareQuantities, parseQuantity } from '#machinery/quantity.ts'
import { matchesLabels, type Requirement } from '#machinery/selector.ts'

type Term = NonNullable<
  NonNullable<
    NonNullable<NonNullable<Pod['spec']>['affinity']>['nodeAffinity']
  >['requiredDuringSchedulingIgnoredDuringExecution']
>['nodeSelectorTerms'][number]

/**
 * Why the pod cannot run on the node beside the pods that are there; undefined when it can.
 * A node that declares no capacity has no limit; one that accepts all is asked for nothing at all.
 */
export function misfit(pod: Pod, node: Node, podsThere: () => readonly Pod[]): string | undefined {
  if (node.metadata.annotations?.[acceptsAllAnnotation] === 'true') return undefined
  if (node.spec?.unschedulable === true) return 'unschedulable'
  if (!isReady(node)) return 'not ready'
  if (!matchesSelectors(pod, node)) return "didn't match the pod's node selector or affinity"
  const taint = node.spec?.taints?.find((each) => each.effect !== 'PreferNoSchedule' && !tolerates(pod, each))
  if (taint !== undefined) return `had untolerated taint {${taint.key}: ${taint.value ?? ''}}`
  const capacity = node.status?.allocatable ?? node.status?.capacity
  if (capacity === undefined || Object.keys(capacity).length === 0) return undefined
  const present = podsThere()
  const wanted = requestsOf(pod)
  const taken = present.map(requestsOf).reduce(sumOf, {})
  for (const [resource, amount] of Object.entries(sumOf(taken, wanted))) {
    if (wanted[resource] === undefined || wanted[resource].nanos === 0n) continue
    const declared = capacity[resource]
    // Pods and cpu that a file of nodes leaves out are not thereby zero; a device is.
    if (declared === undefined && (resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage'))
      continue
    if (compareQuantities(amount, parseQuantity(declared ?? 0)) > 0) return `Insufficient ${resource}`
  }
  const most = capacity['pods']
  return most !== undefined && present.length >= Number(most) ? 'Too many pods' : undefined
}

/** `0/2 nodes are available: 1 Insufficient amd.com/gpu, 1 not ready.`, as Kubernetes' scheduler words it. */
export function noFitMessage(misfits: readonly string[]): string {
  if (misfits.length === 0) return 'no nodes are registered'
  const counts = new Map<string, number>()
  for (const why of misfits) counts.set(why, (counts.get(why) ?? 0) + 1)
  const whys = [...counts].map(([why, count]) => `${count} ${why}`).sort()
  return `0/${misfits.length} nodes are available: ${whys.join(', ')}.`
}

const requestsOf = ({ spec }: Pod): Amounts => (spec === undefined ? {} : podRequests(spec))

function isReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

function matchesSelectors(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  const selector = Object.entries(pod.spec?.nodeSelector ?? {})
  if (!selector.every(([name, value]) => labels[name] === value)) return false
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

/** An empty term matches nothing. */
function matchesTerm({ matchExpressions = [], matchFields = [] }: Term, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchesLabels(matchExpressions.map(requirement), node.metadata.labels) &&
    matchesLabels(matchFields.map(requirement), { 'metadata.name': node.metadata.name ?? '' })
  )
}

function requirement({
  key,
  operator,
  values = [],
}: {
  key: string
  operator: string
  values?: string[] | undefined
}): Requirement {
  return { key, operator: operator as Requirement['operator'], values } // the schema allows these operators only
}

function tolerates(pod: Pod, taint: { key: string; value?: string | undefined; effect: string }): boolean {
  return (pod.spec?.tolerations ?? []).some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (effect === undefined || effect === '' || effect === taint.effect) &&
      (key === undefined || key === '' ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  )
}
