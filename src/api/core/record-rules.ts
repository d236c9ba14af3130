import { equalJson } from '#base/json.ts'
import {
  duplicateField,
  type FieldError,
  invalidField,
  requiredField,
  immutable,
  unlessKept,
  unlessNonNegative,
  unlessOneOf,
} from '#machinery/field-error.ts'
import { endpointIpErrors } from '#machinery/ip-address.ts'
import { dns1123LabelErrors, dns1123SubdomainErrors } from '#machinery/names.ts'
import { isIPv4, isIPv6 } from 'node:net'
import { protocolErrors } from './container-rules.ts'
import type { ControllerRevision, Endpoint, EndpointSlice, Lease } from './types.generated.ts'

/**
 * What must hold of what controllers write down for one another. Pure.
 * Source: Kubernetes, pkg/apis/{coordination,apps,discovery}/validation/validation.go.
 */
export function checkLease({ spec = {} }: Lease): FieldError[] {
  const { leaseDurationSeconds: seconds, leaseTransitions } = spec
  return [
    ...(seconds !== undefined && seconds <= 0
      ? invalidField('spec.leaseDurationSeconds', seconds, 'must be greater than 0')
      : []),
    ...unlessNonNegative('spec.leaseTransitions', leaseTransitions),
  ]
}

export function checkRevision({ data, revision }: ControllerRevision, old?: ControllerRevision): FieldError[] {
  return [
    ...unlessNonNegative('revision', revision),
    ...(old === undefined ? dataErrors(data) : unlessKept('data', data, old.data)),
  ]
}

function dataErrors(data: unknown): FieldError[] {
  if (data === undefined || data === null) return [requiredField('data', 'data is mandatory')]
  const isObject = typeof data === 'object' && !Array.isArray(data)
  return isObject ? [] : [requiredField('data', 'data must be a valid JSON object')]
}

export function checkEndpointSlice(slice: EndpointSlice, old?: EndpointSlice): FieldError[] {
  const { addressType } = slice
  const ports = slice.ports ?? []
  const endpoints = slice.endpoints ?? [] // a list that is there and null is empty
  const names = ports.map(({ name = '' }) => name)
  const same = old !== undefined && equalJson(endpoints, old.endpoints ?? [])
  return [
    ...(addressType === ''
      ? [requiredField('addressType')]
      : unlessOneOf('addressType', addressType, ['FQDN', 'IPv4', 'IPv6'])),
    ...ports.flatMap(({ name = '', protocol }, i) => [
      ...(name === '' ? [] : invalidField(`ports[${i}].name`, name, ...dns1123LabelErrors(name))),
      ...(names.indexOf(name) < i ? [duplicateField(`ports[${i}].name`, name)] : []),
      ...protocolErrors(`ports[${i}].protocol`, protocol),
    ]),
    ...(same ? [] : endpoints.flatMap((endpoint, i) => endpointErrors(`endpoints[${i}]`, endpoint, addressType))),
    ...(old === undefined || addressType === old.addressType ? [] : invalidField('addressType', null, immutable)),
  ]
}

function endpointErrors(
  at: string,
  { addresses = [], nodeName, hostname }: Partial<Endpoint>,
  type: string,
): FieldError[] {
  const field = `${at}.addresses`
  return [
    ...(addresses.length === 0 ? [requiredField(field)] : []),
    ...addresses.flatMap((address, i) => {
      if (type !== 'IPv4' && type !== 'IPv6') return []
      const unread = !isIPv4(address) && !isIPv6(address)
      const isOther = !unread && isIPv6(address) !== (type === 'IPv6')
      return [
        ...(isOther ? invalidField(field, address, `must be an ${type} address`) : []),
        ...endpointIpErrors(`${field}[${i}]`, address),
      ]
    }),
    ...(nodeName === undefined ? [] : invalidField(`${at}.nodeName`, nodeName, ...dns1123SubdomainErrors(nodeName))),
    ...(hostname === undefined ? [] : invalidField(`${at}.hostname`, hostname, ...dns1123LabelErrors(hostname))),
  ]
}
