import type { AutoscalingPolicy, AutoscalingPolicyStatus } from '#api/autoscaling-policy.ts'
import type { AutoscalingPolicyBinding, AutoscalingPolicyBindingStatus } from '#api/autoscaling-policy-binding.ts'
import { type Dialect, kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { bindingsByTarget, claimsOfBinding, claimsOfPolicy, policiesByTarget, rivalOf, targetValue } from './claims.ts'
import { normaliseBinding, normalisePolicy } from './normalise.ts'
import { type AutoscalerParts, type Observed, Observer } from './observe.ts'
import { plan } from './plan.ts'
import { bindingStatus, policyStatus } from './status.ts'

type BindingScaler = ControllerDefinition<AutoscalingPolicyBinding, Observed, AutoscalingPolicyBindingStatus>
type PolicyScaler = ControllerDefinition<AutoscalingPolicy, Observed, AutoscalingPolicyStatus>

/** A pass waits for pods and works little: one that hangs must not keep the others from their time. */
const workers = 64
/** Field managers, and sources of events. */
export function scalerNames(dialect: Dialect): { readonly binding: string; readonly policy: string } {
  const suffix = dialect === kthena ? '' : `-${dialect.name}`
  return { binding: `fairlead-autoscaler${suffix}`, policy: `fairlead-autoscaler-policy${suffix}` }
}

/** Scales what bindings name by the policies that they name. */
export function createBindingScaler(parts: AutoscalerParts, dialect: Dialect): BindingScaler {
  const kinds = kindsOf(dialect)
  const observer = new Observer(parts)
  return {
    name: scalerNames(dialect).binding,
    kind: kinds.binding,
    workers,
    watches: [
      {
        kind: kinds.policy,
        keysOf: ({ metadata }, read) =>
          read
            .list(kinds.binding, { namespace: metadata.namespace })
            .filter(({ spec }) => spec.policyRef.name === metadata.name)
            .map(keyOfObject),
      },
      {
        kind: kinds.serving,
        keysOf: (serving, read) => read.find(kinds.binding, bindingsByTarget, targetValue(serving)).map(keyOfObject),
      },
    ],
    domain: {
      observe(binding, read, signal) {
        const { name } = binding.spec.policyRef
        const policy = read.get(kinds.policy, { namespace: binding.metadata.namespace, name })
        if (policy === undefined) {
          return observer.refuse({ reason: 'PolicyNotFound', message: `there is no AutoscalingPolicy ${name}` })
        }
        const rival = rivalOf(kinds, binding, claimsOfBinding(binding), read)
        if (rival !== undefined) return observer.refuse(rival)
        const normalised = normaliseBinding(policy, binding)
        return observer.observe({ object: binding, policy, normalised }, read, signal)
      },
      plan: (_, observed, nowMs) => plan(observed, nowMs),
      status: ({ metadata: { generation }, status: former }, observed, outcome, nowMs) =>
        bindingStatus({ generation, former, observed, outcome, nowMs }),
    },
  }
}

/** Scales what policies name themselves; one that waits for a binding is left alone. */
export function createPolicyScaler(parts: AutoscalerParts, dialect: Dialect): PolicyScaler {
  const kinds = kindsOf(dialect)
  const observer = new Observer(parts)
  return {
    name: scalerNames(dialect).policy,
    kind: kinds.policy,
    workers,
    watches: [
      {
        kind: kinds.serving,
        keysOf: (serving, read) => read.find(kinds.policy, policiesByTarget, targetValue(serving)).map(keyOfObject),
      } satisfies Watch,
    ],
    domain: {
      observe(policy, read, signal) {
        const normalised = normalisePolicy(policy)
        if (normalised === undefined) return { kind: 'idle' }
        const rival = rivalOf(kinds, policy, claimsOfPolicy(policy), read)
        if (rival !== undefined) return observer.refuse(rival)
        return observer.observe({ object: policy, policy, normalised }, read, signal)
      },
      plan: (_, observed, nowMs) => plan(observed, nowMs),
      status: ({ metadata: { generation }, status: former }, observed, outcome, nowMs) =>
        policyStatus({ generation, former, observed, outcome, nowMs }),
    },
  }
}

function keyOfObject(object: Resource): string {
  return keyOf(placeOf(object))
}
