/**
 * Scaling from policies with bindings (the earlier shape) to policies that say themselves what they scale, and back.
 *
 *     scalingConfiguration             ↔ homogeneousTarget
 *     optimizerConfiguration           ↔ heterogeneousTarget
 *     subTargets (a role)              ↔ disaggregatedTarget.roles
 *     metricEndpoint of a target       ↔ one metricSources entry for each metric
 *     metricName                       ↔ name
 */
import { equalJson } from '#base/json.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { compact, type Conversion, jsonOf, listOf, type Loss, lossesOf } from './conversion.ts'

type Json = Readonly<Record<string, unknown>>
type Lost = (field: string, detail: string) => void

/** One policy for each binding, named like it. Objects of other kinds stay as they are. */
export function toPoliciesWithTargets(objects: readonly AnyResource[]): Conversion {
  const policies = new Map(objects.filter(isPolicy).map((policy) => [keyOf(policy), policy]))
  const used = new Set<string>()
  const losses: Loss[] = []
  const converted = objects.filter(isBinding).flatMap((binding) => {
    const { list, lost } = lossesOf(binding)
    const key = keyOf({ metadata: { ...binding.metadata, name: String(jsonOf(binding.spec?.['policyRef'])['name']) } })
    const policy = policies.get(key)
    if (policy === undefined)
      lost('spec.policyRef', 'the policy that it names is not among the files; give them together')
    else used.add(key)
    const made = policy === undefined ? [binding] : [withTarget(policy, binding, lost)]
    losses.push(...list)
    return made
  })
  const rest = objects.filter((object) => !isBinding(object) && !(isPolicy(object) && used.has(keyOf(object))))
  return { objects: [...rest, ...converted], losses }
}

function withTarget(policy: AnyResource, binding: AnyResource, lost: Lost): AnyResource {
  const { metrics, ...spec } = jsonOf(policy.spec)
  const named = listOf(metrics).map((metric) => renamed(jsonOf(metric), 'metricName', 'name'))
  const { scalingConfiguration: one, optimizerConfiguration: many } = jsonOf(binding.spec)
  return {
    ...policy,
    metadata: binding.metadata,
    spec: { ...spec, metrics: named, ...targetOf(one, many, named, lost) },
  }
}

function targetOf(one: unknown, many: unknown, metrics: readonly Json[], lost: Lost): Json {
  if (many !== undefined) {
    const { params, ...rest } = jsonOf(many)
    const members = listOf(params).map((param, i) => {
      const { target, ...bounds } = jsonOf(param)
      if (jsonOf(target)['subTargets'] !== undefined)
        lost(`spec.optimizerConfiguration.params[${i}].target.subTargets`, 'a member of a pool is scaled as a whole')
      return { target: newTarget(jsonOf(target), metrics), ...bounds }
    })
    return { heterogeneousTarget: { params: members, ...rest } }
  }
  const { target, ...bounds } = jsonOf(one)
  const { targetRef, metricSources } = newTarget(jsonOf(target), metrics)
  const role = jsonOf(jsonOf(target)['subTargets'])['name']
  if (typeof role !== 'string') return { homogeneousTarget: { target: { targetRef, metricSources }, ...bounds } }
  return { disaggregatedTarget: { targetRef, roles: { [role]: { ...bounds, metricSources } } } }
}

function newTarget({ targetRef, metricEndpoint, additionalMatchLabels }: Json, metrics: readonly Json[]): Json {
  const labelSelector = additionalMatchLabels === undefined ? undefined : { matchLabels: additionalMatchLabels }
  const pod = compact({ uri: '/metrics', port: 8100, ...jsonOf(metricEndpoint), labelSelector })
  return { targetRef, metricSources: Object.fromEntries(metrics.map(({ name }) => [String(name), { pod }])) }
}

/** A policy and a binding for each policy that has a target; with roles, a binding for each of them. */
export function toBindings(objects: readonly AnyResource[]): Conversion {
  const losses: Loss[] = []
  const converted = objects.flatMap((object) => {
    if (!isPolicy(object)) return [object]
    const { list, lost } = lossesOf(object)
    const made = withBindings(object, lost)
    losses.push(...list)
    return made
  })
  return { objects: converted, losses }
}

function withBindings(policy: AnyResource, lost: Lost): AnyResource[] {
  const { homogeneousTarget: one, heterogeneousTarget: many, disaggregatedTarget: roles, ...rest } = jsonOf(policy.spec)
  const { metrics, ...spec } = rest
  const renamedMetrics = (list: unknown) => listOf(list).map((metric) => renamed(jsonOf(metric), 'name', 'metricName'))
  const withMetrics = (list: unknown, name?: string): AnyResource => ({
    ...policy,
    metadata: { ...policy.metadata, ...(name !== undefined && { name }) },
    spec: { ...spec, metrics: renamedMetrics(list) },
  })
  const binding = (
    scaling: Json,
    name = policy.metadata.name ?? '',
    policyName = policy.metadata.name,
  ): AnyResource => ({
    apiVersion: policy.apiVersion,
    kind: 'AutoscalingPolicyBinding',
    metadata: { ...policy.metadata, name },
    spec: { policyRef: { name: policyName }, ...scaling },
  })
  if (one !== undefined) {
    const { target, ...bounds } = jsonOf(one)
    const scalingConfiguration = { target: oldTarget(jsonOf(target), 'spec.homogeneousTarget.target', lost), ...bounds }
    return [withMetrics(metrics), binding({ scalingConfiguration })]
  }
  if (many !== undefined) {
    const { params, ...pool } = jsonOf(many)
    const members = listOf(params).map((param, i) => {
      const { target, ...bounds } = jsonOf(param)
      return { target: oldTarget(jsonOf(target), `spec.heterogeneousTarget.params[${i}].target`, lost), ...bounds }
    })
    return [withMetrics(metrics), binding({ optimizerConfiguration: { params: members, ...pool } })]
  }
  if (roles === undefined) return [withMetrics(metrics)]
  const { targetRef, roles: scaled, ratioConstraint } = jsonOf(roles)
  if (ratioConstraint !== undefined)
    lost('spec.disaggregatedTarget.ratioConstraint', 'bindings know no ratio: each role is scaled by itself')
  return Object.entries(jsonOf(scaled)).flatMap(([role, scaling]) => {
    const { metrics: own, metricSources, ...bounds } = jsonOf(scaling)
    const name = `${policy.metadata.name}-${role}`
    const at = `spec.disaggregatedTarget.roles.${role}`
    const target = { ...oldTarget({ targetRef, metricSources }, at, lost), subTargets: { kind: 'Role', name: role } }
    return [withMetrics(own ?? metrics, name), binding({ scalingConfiguration: { target, ...bounds } }, name, name)]
  })
}

/** One endpoint serves all metrics: that of the first that is read from pods. */
function oldTarget({ targetRef, metricSources }: Json, at: string, lost: Lost): Json {
  const pods: { readonly metric: string; readonly pod: Json }[] = []
  for (const [metric, source] of Object.entries(jsonOf(metricSources))) {
    const { pod, prometheus } = jsonOf(source)
    if (pod !== undefined) pods.push({ metric, pod: jsonOf(pod) })
    else
      lost(
        `${at}.metricSources["${metric}"]`,
        `a binding reads from pods alone, not from ${prometheus === undefined ? 'routers' : 'Prometheus'}`,
      )
  }
  const first = pods[0]?.pod ?? {}
  const endpointOf = ({ uri = '/metrics', port = 8100 }: Json) => ({ uri, port })
  for (const { metric, pod } of pods) {
    const field = `${at}.metricSources["${metric}"].pod`
    if (!equalJson([endpointOf(pod), pod['labelSelector']], [endpointOf(first), first['labelSelector']]))
      lost(field, 'a binding has one endpoint for all metrics: that of the first')
    if (pod['name'] !== undefined && pod['name'] !== metric)
      lost(`${field}.name`, 'a binding reads a metric by its own name')
    if (pod['merge'] !== undefined) lost(`${field}.merge`, 'a binding says nothing of several series')
    if (jsonOf(pod['labelSelector'])['matchExpressions'] !== undefined)
      lost(`${field}.labelSelector.matchExpressions`, 'a binding selects by equal labels alone')
  }
  const additionalMatchLabels = jsonOf(first['labelSelector'])['matchLabels']
  return compact({ targetRef, metricEndpoint: endpointOf(first), additionalMatchLabels })
}

function renamed(metric: Json, from: string, to: string): Json {
  const { [from]: name, ...rest } = metric
  return name === undefined ? metric : { [to]: name, ...rest }
}

const isPolicy = ({ kind }: AnyResource): boolean => kind === 'AutoscalingPolicy'
const isBinding = ({ kind }: AnyResource): boolean => kind === 'AutoscalingPolicyBinding'
const keyOf = ({ metadata }: Pick<AnyResource, 'metadata'>): string => `${metadata.namespace ?? ''}/${metadata.name}`
