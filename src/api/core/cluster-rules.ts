import { equalJson } from '#base/json.ts'
import { duplicateField, type FieldError, forbiddenField, invalidField } from '#machinery/field-error.ts'
import { qualifiedNameErrors } from '#machinery/names.ts'
import { standardFinalizerErrors } from '#machinery/object-meta-rules.ts'
import { taintsErrors } from './scheduling-rules.ts'
import type { Namespace, Node } from './types.generated.ts'

/** What must hold of namespaces and nodes. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function checkNamespace({ spec }: Namespace, old?: Namespace): FieldError[] {
  const finalizers = spec?.finalizers ?? []
  if (equalJson(finalizers, old?.spec?.finalizers)) return []
  return finalizers.flatMap((name, i) => [
    ...invalidField(`spec.finalizers[${i}]`, name, ...qualifiedNameErrors(name)),
    ...standardFinalizerErrors(`spec.finalizers[${i}]`, name),
  ])
}

export function checkNamespaceStatus({ metadata, status }: Namespace): FieldError[] {
  const [phase, when] = metadata.deletionTimestamp === undefined ? ['Active', 'empty'] : ['Terminating', 'not empty']
  if (status?.phase === phase) return []
  return invalidField('status.Phase', status?.phase ?? '', `may only be '${phase}' if \`deletionTimestamp\` is ${when}`)
}

export function checkNode(node: Node, old?: Node): FieldError[] {
  const { spec = {}, status } = node
  const taints = taintsErrors('metadata.taints', spec.taints)
  return old === undefined
    ? taints
    : [...addressErrors(status?.addresses), ...keptErrors(spec, old.spec ?? {}), ...taints]
}

export function checkNodeStatus({ status }: Node): FieldError[] {
  return addressErrors(status?.addresses)
}

type Addresses = NonNullable<Node['status']>['addresses']

function addressErrors(addresses: Addresses = []): FieldError[] {
  return addresses.flatMap((address, i) => {
    const first = addresses.findIndex((other) => equalJson(other, address))
    return first === i
      ? []
      : [duplicateField(`status.addresses[${i}]`, { Type: address.type, Address: address.address })]
  })
}

function keptErrors({ podCIDRs, providerID }: NonNullable<Node['spec']>, old: NonNullable<Node['spec']>): FieldError[] {
  const errors: FieldError[] = []
  if ((old.podCIDRs ?? []).length > 0 && !equalJson(podCIDRs, old.podCIDRs)) {
    errors.push(forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
  }
  if (old.providerID !== undefined && providerID !== old.providerID) {
    const what = providerID === undefined ? 'cleared' : 'modified'
    errors.push(...invalidField('spec.providerID', null, `field cannot be ${what} once set`))
  }
  return errors
}
