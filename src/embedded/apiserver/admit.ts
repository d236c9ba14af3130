import type { Pod } from '#api/core/kinds.ts'
import type { Toleration } from '#api/core/types.generated.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { forbidden } from '#machinery/status.ts'
import type { ServedKind } from './served-kind.ts'

/**
 * What the admission plugins that a cluster turns on by default do to objects, as far as users see it. Pure.
 * Source: Kubernetes, plugin/pkg/admission/{defaulttolerationseconds,priority,runtimeclass}. Faults: 403.
 */
export function admitNew({ resource, kind }: ServedKind, object: AnyResource): AnyResource {
  if (resource !== 'pods') return object
  const pod = object as Resource as Pod
  const { spec } = pod
  if (spec === undefined) return object
  const refuse = (why: string): never => {
    throw forbidden(kind, pod.metadata.name ?? '', why)
  }
  if (spec.runtimeClassName !== undefined) refuse(`pod rejected: RuntimeClass "${spec.runtimeClassName}" not found`)
  const admitted: Pod = {
    ...pod,
    spec: { ...spec, ...priorityOf(spec, refuse), tolerations: withDefaults(spec.tolerations ?? []) },
  }
  return admitted as Resource as AnyResource
}

/** What an update that leaves it out keeps of it. */
export function admitUpdate({ resource }: ServedKind, object: AnyResource, old: AnyResource): AnyResource {
  if (resource !== 'pods') return object
  const { priority, preemptionPolicy } = old.spec ?? {}
  const kept = {
    ...(priority === undefined ? {} : { priority }),
    ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }),
  }
  const spec = { ...kept, ...object.spec } as NonNullable<Pod['spec']> // of a pod
  return { ...object, spec: { ...spec, tolerations: withDefaults(spec.tolerations ?? []) } }
}

const seconds = 300
const nodeTaints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

/** A pod stays for a while on a node that cannot be reached. */
function withDefaults(tolerations: readonly Toleration[]): Toleration[] {
  const tolerated = (taint: string): boolean =>
    tolerations.some(({ key = '', effect = '' }) => ['', taint].includes(key) && ['', 'NoExecute'].includes(effect))
  const missing = nodeTaints.filter((taint) => !tolerated(taint))
  return [
    ...tolerations,
    ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds })),
  ]
}

/** Those that every cluster has; no others can be defined here. */
const priorityClasses: Readonly<Record<string, number>> = {
  '': 0,
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

function priorityOf(
  { priorityClassName = '', priority: given }: NonNullable<Pod['spec']>,
  refuse: (why: string) => never,
) {
  const priority = Object.hasOwn(priorityClasses, priorityClassName) ? priorityClasses[priorityClassName] : undefined
  if (priority === undefined) return refuse(`no PriorityClass with name ${priorityClassName} was found`)
  if (given !== undefined && given !== priority) {
    return refuse(
      `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    )
  }
  return { priority, preemptionPolicy: 'PreemptLowerPriority' }
}
