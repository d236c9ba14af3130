import { equalJson } from '#base/json.ts'
import {
  type FieldError,
  forbiddenField,
  immutable,
  invalidField,
  requiredField,
  unlessNonNegative,
  unlessOneOf,
} from '#machinery/field-error.ts'
import { dns1123LabelErrors, dns1123SubdomainErrors } from '#machinery/names.ts'
import { labelErrors } from '#machinery/object-meta-rules.ts'
import { containersErrors, imagesErrors, initContainersErrors } from './container-rules.ts'
import { affinityErrors, gatesErrors, spreadErrors, tolerationsErrors } from './scheduling-rules.ts'
import type { Container, Pod, PodSpec, Toleration } from './types.generated.ts'
import { volumesErrors } from './volume-rules.ts'

/** What must hold of a pod, and what of it may change. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function checkPod({ spec = noSpec }: Pod, old?: Pod): FieldError[] {
  const errors = [
    ...podSpecErrors('spec', spec, true),
    ...tokenErrors(spec),
    ...unlessNonNegative('spec.terminationGracePeriodSeconds', spec.terminationGracePeriodSeconds),
    ...imagesErrors('spec.containers', spec.containers ?? []),
    ...imagesErrors('spec.initContainers', spec.initContainers ?? []),
  ]
  if (old !== undefined) return [...errors, ...updateErrors(spec, old.spec ?? noSpec)]
  if (!spec.nodeName || (spec.schedulingGates ?? []).length === 0) return errors
  return [...errors, forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared')]
}

export function checkPodStatus({ status }: Pod, old: Pod): FieldError[] {
  const { qosClass } = status ?? {}
  return qosClass === old.status?.qosClass ? [] : invalidField('status.qosClass', qosClass ?? '', immutable)
}

const noSpec: PodSpec = { containers: [] }
const restartPolicies = ['Always', 'OnFailure', 'Never']
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const maxInt32 = 2 ** 31 - 1

/** Of a pod, or of a template of pods. */
export function podSpecErrors(field: string, spec: PodSpec, isPod: boolean): FieldError[] {
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name))
  const { containers, initContainers = [], restartPolicy = '', dnsPolicy = '', activeDeadlineSeconds: deadline } = spec
  const all = containers ?? []
  const names = (member: 'serviceAccountName' | 'nodeName', check: (name: string) => string[]): FieldError[] =>
    spec[member] === undefined ? [] : invalidField(`${field}.${member}`, spec[member], ...check(spec[member]))
  return [
    ...volumesErrors(`${field}.volumes`, spec.volumes ?? []),
    ...containersErrors(`${field}.containers`, all, volumes),
    ...initContainersErrors(`${field}.initContainers`, initContainers, all, volumes),
    ...(spec.hostNetwork === true ? hostPortErrors(`${field}.containers`, all, isPod) : []),
    ...unlessOneOf(`${field}.restartPolicy`, restartPolicy, restartPolicies),
    ...unlessOneOf(`${field}.dnsPolicy`, dnsPolicy, dnsPolicies),
    ...labelErrors(`${field}.nodeSelector`, spec.nodeSelector),
    ...(spec.affinity === undefined ? [] : affinityErrors(`${field}.affinity`, spec.affinity)),
    ...(dnsPolicy === 'None' && spec.dnsConfig === undefined
      ? [requiredField(`${field}.dnsConfig`, 'must provide `dnsConfig` when `dnsPolicy` is None')]
      : []),
    ...gatesErrors(`${field}.schedulingGates`, spec.schedulingGates ?? []),
    ...spreadErrors(`${field}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? []),
    ...names('serviceAccountName', dns1123SubdomainErrors),
    ...names('nodeName', dns1123SubdomainErrors),
    ...(deadline !== undefined && (deadline < 1 || deadline > maxInt32)
      ? invalidField(`${field}.activeDeadlineSeconds`, deadline, `must be between 1 and ${maxInt32}, inclusive`)
      : []),
    ...(['hostname', 'subdomain'] as const).flatMap((member) =>
      spec[member] === undefined
        ? []
        : invalidField(`${field}.${member}`, spec[member], ...dns1123LabelErrors(spec[member])),
    ),
    ...tolerationsErrors(`${field}.tolerations`, spec.tolerations ?? []),
  ]
}

function hostPortErrors(field: string, containers: readonly Container[], isPod: boolean): FieldError[] {
  return containers.flatMap(({ ports = [] }, i) =>
    ports.flatMap(({ hostPort = 0, containerPort }, j) =>
      hostPort === containerPort || (hostPort === 0 && !isPod)
        ? []
        : invalidField(
            `${field}[${i}].ports[${j}].hostPort`,
            hostPort,
            'must match `containerPort` when `hostNetwork` is true',
          ),
    ),
  )
}

function tokenErrors({ volumes = [], serviceAccountName }: PodSpec): FieldError[] {
  if (serviceAccountName !== undefined) return []
  return volumes.flatMap(({ projected }, i) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, j) =>
      serviceAccountToken === undefined
        ? []
        : [
            forbiddenField(
              `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          ],
    ),
  )
}

function updateErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  for (const member of ['containers', 'initContainers'] as const) {
    if (spec[member]?.length === old[member]?.length) continue
    return [forbiddenField(`spec.${member}`, 'pod updates may not add or remove containers')]
  }
  const deadline = deadlineErrors(spec.activeDeadlineSeconds, old.activeDeadlineSeconds)
  if (deadline.length > 0) return deadline
  return [
    ...keptTolerationErrors(spec.tolerations ?? [], old.tolerations ?? []),
    ...newGateErrors(spec, old),
    ...(equalJson(fixedParts(spec, old), fixedParts(old, old)) ? [] : [forbiddenField('spec', whatMayChange)]),
  ]
}

function deadlineErrors(seconds: number | undefined, old: number | undefined): FieldError[] {
  const field = 'spec.activeDeadlineSeconds'
  if (old === undefined) return []
  if (seconds === undefined) return invalidField(field, null, 'must not update from a positive integer to nil value')
  return seconds > old ? invalidField(field, seconds, 'must be less than or equal to previous value') : []
}

function keptTolerationErrors(tolerations: readonly Toleration[], old: readonly Toleration[]): FieldError[] {
  const timeless = ({ tolerationSeconds: _, ...toleration }: Toleration): unknown => toleration
  const kept = old.every((was) => tolerations.some((is) => equalJson(timeless(is), timeless(was))))
  return kept
    ? []
    : [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
}

function newGateErrors({ schedulingGates = [] }: PodSpec, old: PodSpec): FieldError[] {
  const before = new Set((old.schedulingGates ?? []).map(({ name }) => name))
  return schedulingGates.flatMap(({ name }, i) =>
    before.has(name)
      ? []
      : [
          forbiddenField(
            `spec.schedulingGates[${i}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  )
}

/** Without what may change: of a pod that is not to be scheduled yet, also what says where. */
function fixedParts(spec: PodSpec, old: PodSpec): unknown {
  const { activeDeadlineSeconds: _, tolerations: __, schedulingGates: ___, ...fixed } = spec
  const gated = (old.schedulingGates ?? []).length > 0
  return {
    ...fixed,
    containers: spec.containers.map(withoutImage),
    initContainers: spec.initContainers?.map(withoutImage),
    ...(gated ? { nodeSelector: undefined, affinity: { ...spec.affinity, nodeAffinity: undefined } } : {}),
  }
}

function withoutImage({ image: _, ...container }: Container): unknown {
  return container
}

const whatMayChange =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
