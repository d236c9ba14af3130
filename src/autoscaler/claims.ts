/** Who scales what: two that move one number would undo each other's work for ever. The older one has it. */
import type { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import type { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import type { ObjectReference } from '#api/core/types.generated.ts'
import { dialectOf } from '#api/dialects.ts'
import type { FamilyKinds } from '#api/family-kinds.ts'
import type { Index, Reader } from '#controller/domain.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import type { Problem } from './observe.ts'

/** A number: the replicas of an object, or of one of its roles. */
interface Claim {
  readonly object: string
  readonly role: string | undefined
}

export const bindingsByTarget: Index<AutoscalingPolicyBinding> = {
  name: 'scalingTarget',
  valuesOf: (binding) => claimsOfBinding(binding).map(({ object }) => object),
}

export const policiesByTarget: Index<AutoscalingPolicy> = {
  name: 'scalingTarget',
  valuesOf: (policy) => claimsOfPolicy(policy).map(({ object }) => object),
}

/** The value of both indexes for an object that may be scaled. */
export function targetValue({ kind, metadata: { namespace, name } }: Resource): string {
  return `${namespace}/${kind}/${name}`
}

export function claimsOfBinding(binding: AutoscalingPolicyBinding): Claim[] {
  const { spec } = binding
  const { scalingConfiguration: one, optimizerConfiguration: many } = spec
  const targets = [...(one === undefined ? [] : [one.target]), ...(many?.params ?? []).map(({ target }) => target)]
  return targets.map(({ targetRef, subTargets }) => claim(binding, targetRef, subTargets?.name))
}

export function claimsOfPolicy(policy: AutoscalingPolicy): Claim[] {
  const { spec } = policy
  const { homogeneousTarget: one, heterogeneousTarget: many, disaggregatedTarget: roles } = spec
  const targets = [...(one === undefined ? [] : [one.target]), ...(many?.params ?? []).map(({ target }) => target)]
  return [
    ...targets.map(({ targetRef }) => claim(policy, targetRef, undefined)),
    ...Object.keys(roles?.roles ?? {}).map((role) => claim(policy, roles?.targetRef ?? {}, role)),
  ]
}

function claim(by: Resource, { kind, name }: ObjectReference, role: string | undefined): Claim {
  return { object: `${by.metadata.namespace}/${kind || dialectOf(by).servingKind}/${name}`, role }
}

/** Whoever has one of these numbers already. */
export function rivalOf(
  kinds: FamilyKinds,
  subject: Resource,
  claims: readonly Claim[],
  read: Reader,
): Problem | undefined {
  for (const { object, role } of claims) {
    const others = [
      ...read.find(kinds.binding, bindingsByTarget, object).map((each) => [each, claimsOfBinding(each)] as const),
      ...read.find(kinds.policy, policiesByTarget, object).map((each) => [each, claimsOfPolicy(each)] as const),
    ]
    const rival = others.find(
      ([other, theirs]) =>
        other.metadata.uid !== subject.metadata.uid &&
        theirs.some((each) => each.object === object && each.role === role) &&
        isBefore(other, subject),
    )
    if (rival === undefined) continue
    const [{ kind, metadata }] = rival
    const number = object.split('/').slice(1).join(' ') + (role === undefined ? '' : `, role ${role},`)
    return {
      reason: 'Conflict',
      message: `${number} is scaled by ${kind} ${metadata.name} already; remove one of the two`,
    }
  }
  return undefined
}

/** The older, and of twins the first by name. */
function isBefore(a: Resource, b: Resource): boolean {
  const rank = ({ metadata, kind }: Resource): string =>
    `${metadata.creationTimestamp ?? ''} ${kind} ${keyOf(placeOf({ metadata, kind, apiVersion: '' }))}`
  return rank(a) < rank(b)
}
