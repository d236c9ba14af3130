/** Every spelling of what is to be scaled, as one `ScalingTarget`; or why it cannot be. */
import {
  type AutoscalingMetric,
  type AutoscalingPolicy,
  defaultScaleToZeroGracePeriod,
} from '#api/autoscaling-policy.ts'
import type { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { checkAutoscalingPolicy } from '#api/autoscaling-rules.ts'
import type { ObjectReference } from '#api/core/types.generated.ts'
import { familyOf } from '#api/family-kinds.ts'
import type { ModelServing } from '#api/model-serving.ts'
import { routerMetrics } from '#api/router-metrics.ts'
import { isFault } from '#base/fault.ts'
import { vllm } from '#engines/vllm.ts'
import { parseDuration } from '#machinery/duration.ts'
import { formatFieldError } from '#machinery/field-error.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import { parseQuantity } from '#machinery/quantity.ts'
import { type LabelSelector, labelRequirements } from '#machinery/selector.ts'
import { effectiveBehavior } from './behavior.ts'
import type {
  Member,
  MetricSource,
  MetricSpec,
  Pool,
  RouterLoadKind,
  ScalingTarget,
  ScaleRef,
} from './scaling-target.ts'

export type Normalised =
  | { readonly ok: true; readonly target: ScalingTarget }
  /** `reason` is a condition's. */
  | { readonly ok: false; readonly reason: RefusalReason; readonly message: string }

export type RefusalReason = 'PolicyInvalid' | 'CrossNamespace' | 'TargetInvalid' | 'DuplicateTarget' | 'NoTarget'

/** A policy applied by a binding. */
export function normaliseBinding(policy: AutoscalingPolicy, binding: AutoscalingPolicyBinding): Normalised {
  return refusingFaults(() => fromBinding(policy, binding))
}

/** A policy that says itself what it scales; undefined when it doesn't, for a binding will. */
export function normalisePolicy(policy: AutoscalingPolicy): Normalised | undefined {
  return refusingFaults(() => fromPolicy(policy))
}

/** What neither the schema nor a rule of it checks, such as the operators of a selector. */
function refusingFaults<T>(normalise: () => T | Normalised): T | Normalised {
  try {
    return normalise()
  } catch (error) {
    if (!isFault(error, 'invalid')) throw error
    return refused('TargetInvalid', error.message)
  }
}

function fromBinding(policy: AutoscalingPolicy, binding: AutoscalingPolicyBinding): Normalised {
  const { scalingConfiguration: one, optimizerConfiguration: many } = binding.spec
  const params = many?.params ?? (one === undefined ? [] : [{ ...one, cost: 0, capacity: undefined }])
  return collected(policy, binding.metadata.namespace, {
    shape: many === undefined ? 'homogeneous' : 'heterogeneous',
    costExpansionRatePercent: many?.costExpansionRatePercent,
    members: params.map(({ target, ...rest }) => {
      const { targetRef, subTargets, additionalMatchLabels, metricEndpoint } = target
      const source = (metric: string): MetricSource =>
        podSource({
          metric,
          path: metricEndpoint.uri,
          port: metricEndpoint.port,
          selector: { matchLabels: additionalMatchLabels ?? {} },
        })
      return {
        ...rest,
        targetRef,
        role: subTargets?.name,
        metrics: (policy.spec.metrics ?? []).map((metric) => metricSpec(metric, source)),
      }
    }),
  })
}

function fromPolicy(policy: AutoscalingPolicy): Normalised | undefined {
  const { homogeneousTarget: one, heterogeneousTarget: many, disaggregatedTarget: roles, metrics = [] } = policy.spec
  const { namespace } = policy.metadata
  if (one !== undefined || many !== undefined) {
    const params = many?.params ?? (one === undefined ? [] : [{ ...one, cost: 0, capacity: undefined }])
    return collected(policy, namespace, {
      shape: many === undefined ? 'homogeneous' : 'heterogeneous',
      costExpansionRatePercent: many?.costExpansionRatePercent,
      members: params.map(({ target: { targetRef, metricSources }, ...rest }) => ({
        ...rest,
        targetRef,
        role: undefined,
        metrics: metrics.map((metric) => metricSpec(metric, (name) => namedSource(name, metricSources))),
      })),
    })
  }
  if (roles === undefined) return undefined
  const ratio = roles.ratioConstraint
  return collected(policy, namespace, {
    shape: 'disaggregated',
    costExpansionRatePercent: undefined,
    members: Object.entries(roles.roles)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([role, scaling]) => ({
        ...scaling,
        cost: 0,
        capacity: undefined,
        targetRef: roles.targetRef,
        role,
        metrics: (scaling.metrics ?? metrics).map((metric) =>
          metricSpec(metric, (name) => namedSource(name, scaling.metricSources)),
        ),
      })),
    ...(ratio !== undefined && {
      ratio: {
        numerator: ratio.numeratorRole,
        denominator: ratio.denominatorRole,
        min: numberOf(ratio.minRatio),
        max: numberOf(ratio.maxRatio),
      },
    }),
  })
}

interface Given {
  readonly shape: ScalingTarget['shape']
  readonly costExpansionRatePercent: number | undefined
  readonly members: readonly GivenMember[]
  readonly ratio?: ScalingTarget['ratio']
}

interface GivenMember {
  readonly targetRef: ObjectReference
  readonly role: string | undefined
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly scaleToZeroGracePeriod?: string | undefined
  readonly cost: number
  readonly capacity?: number | undefined
  readonly metrics: readonly MetricSpec[]
}

function collected(policy: AutoscalingPolicy, namespace: string | undefined, given: Given): Normalised {
  const { spec } = policy
  const { serving } = familyOf(policy)
  const errors = checkAutoscalingPolicy(policy)
  if (errors.length > 0) return refused('PolicyInvalid', errors.map(formatFieldError).join('; '))
  if (given.members.length === 0) return refused('NoTarget', 'it names nothing to scale')
  for (const { targetRef, role } of given.members) {
    const refusal = refusalOf(targetRef, role, { namespace, serving })
    if (refusal !== undefined) return refusal
  }
  const members = given.members.map((member) => memberOf(member, serving))
  const twice = members.find((member, i) => members.findIndex((other) => sameTarget(other, member)) < i)
  if (twice !== undefined) return refused('DuplicateTarget', `${named(twice)} is a target twice; remove one of the two`)
  const pools: Pool[] =
    given.shape === 'disaggregated'
      ? members.map((member) => ({ name: member.name, members: [member] }))
      : [{ name: members.length === 1 ? (members[0]?.name ?? '') : 'pool', members }]
  return {
    ok: true,
    target: {
      shape: given.shape,
      toleranceRatio: spec.tolerancePercent / 100,
      behavior: effectiveBehavior(spec.behavior),
      pools,
      costExpansionRatePercent: given.costExpansionRatePercent ?? 200,
      ...(given.ratio !== undefined && { ratio: given.ratio }),
    },
  }
}

/** What is meant where a target has no kind. */
type ServingKind = Kind<ModelServing>

/** Who may write a policy here need not have any rights elsewhere; the autoscaler has them. */
function refusalOf(
  ref: ObjectReference,
  role: string | undefined,
  { namespace, serving }: { readonly namespace: string | undefined; readonly serving: ServingKind },
): Normalised | undefined {
  const { name = '' } = ref
  if (ref.namespace !== undefined && ref.namespace !== '' && ref.namespace !== namespace) {
    return refused(
      'CrossNamespace',
      `the target ${ref.namespace}/${name} is in another namespace than the policy; move the policy there and leave out namespace`,
    )
  }
  const { apiVersion, kind } = refOf(ref, serving)
  if (kind !== serving.kind) {
    if (role === undefined) return undefined
    return refused('TargetInvalid', `${kind} ${name} has no roles; leave out subTargets`)
  }
  if (apiVersion.startsWith(`${serving.group}/`)) return undefined
  return refused('TargetInvalid', `there is no ${kind} in ${apiVersion}; write ${apiVersionOf(serving)}`)
}

function memberOf(given: GivenMember, serving: ServingKind): Member {
  const ref = refOf(given.targetRef, serving)
  return {
    name: given.role ?? (ref.kind === serving.kind ? ref.name : `${ref.kind}/${ref.name}`),
    ref,
    ...(given.role !== undefined && { role: given.role }),
    min: given.minReplicas,
    max: given.maxReplicas,
    cost: given.cost,
    capacity: given.capacity ?? 1,
    zeroGraceMs: parseDuration(given.scaleToZeroGracePeriod ?? defaultScaleToZeroGracePeriod) ?? 0,
    metrics: given.metrics,
  }
}

function refOf({ apiVersion, kind, name = '' }: ObjectReference, serving: ServingKind): ScaleRef {
  return { apiVersion: apiVersion || apiVersionOf(serving), kind: kind || serving.kind, name }
}

function sameTarget(a: Pick<Member, 'ref' | 'role'>, b: Pick<Member, 'ref' | 'role'>): boolean {
  return (
    a.ref.kind === b.ref.kind && a.ref.name === b.ref.name && a.role === b.role && groupOf(a.ref) === groupOf(b.ref)
  )
}

const groupOf = ({ apiVersion }: ScaleRef): string => apiVersion.split('/').slice(0, -1).join('')

export function named({ ref, role }: Pick<Member, 'ref' | 'role'>): string {
  return role === undefined ? `${ref.kind} ${ref.name}` : `role ${role} of ${ref.kind} ${ref.name}`
}

function metricSpec(metric: AutoscalingMetric, sourceOf: (name: string) => MetricSource | undefined): MetricSpec {
  const name = metric.metricName ?? metric.name ?? ''
  const load = Object.hasOwn(routerMetrics, name) ? routerMetrics[name as keyof typeof routerMetrics] : undefined
  return {
    name,
    target: numberOf(metric.targetValue),
    source: load === undefined ? sourceOf(name) : { kind: 'router', load },
  }
}

type GivenSources = NonNullable<AutoscalingPolicy['spec']['homogeneousTarget']>['target']['metricSources']

function namedSource(name: string, sources: GivenSources): MetricSource | undefined {
  const { pod, prometheus, router } = sources?.[name] ?? {}
  if (pod !== undefined) {
    const { name: metric = name, uri: path, port, labelSelector, merge } = pod
    const selector = labelSelector as LabelSelector | undefined // the same but for `undefined`, which no JSON has
    return { ...podSource({ metric, path, port, selector }), ...(merge !== undefined && { merge }) }
  }
  if (prometheus !== undefined) {
    const { serverURL: serverUrl, query, type = 'AverageValue' } = prometheus
    return { kind: 'prometheus', serverUrl, query, type }
  }
  const load: RouterLoadKind = router?.load ?? 'requests'
  return router === undefined ? undefined : { kind: 'router', load }
}

const ratios: ReadonlySet<string> = new Set(vllm.ratioMetrics)

function podSource(given: {
  readonly metric: string
  readonly path: string
  readonly port: number
  readonly selector: LabelSelector | undefined
}): Extract<MetricSource, { kind: 'pod' }> {
  const { metric, path, port, selector = {} } = given
  return {
    kind: 'pod',
    metric,
    path,
    port,
    selector: labelRequirements(selector),
    merge: ratios.has(metric) ? 'Mean' : 'Sum',
  }
}

function numberOf(quantity: number | string): number {
  return Number(parseQuantity(quantity).nanos) / 1e9
}

const refused = (reason: RefusalReason, message: string): Normalised => ({ ok: false, reason, message })
