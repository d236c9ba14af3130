import { isIPv6 } from 'node:net'
import {
  duplicateField,
  type FieldError,
  forbiddenField,
  immutable,
  invalidField,
  requiredField,
  unlessOneOf,
} from '#machinery/field-error.ts'
import { endpointIpErrors, ipErrors } from '#machinery/ip-address.ts'
import { dns1123LabelErrors, dns1123SubdomainErrors, qualifiedNameErrors } from '#machinery/names.ts'
import { labelErrors } from '#machinery/object-meta-rules.ts'
import { portNumberErrors, portOrNameErrors, protocolErrors } from './container-rules.ts'
import type { Service, ServicePort, ServiceSpec } from './types.generated.ts'

/** What must hold of a service. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function checkService({ spec = {} }: Service, old?: Service): FieldError[] {
  return [
    ...(old?.spec === undefined ? [] : updateErrors(spec, old.spec)),
    ...typeErrors(spec),
    ...portsErrors(spec.ports ?? []),
    ...labelErrors('spec.selector', spec.selector),
    ...affinityErrors(spec),
    ...(spec.type === 'ExternalName' ? [] : clusterIpsErrors(spec)),
    ...(spec.externalIPs ?? []).flatMap((address, i) => endpointIpErrors(`spec.externalIPs[${i}]`, address)),
    ...unlessOneOf('spec.type', spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...usedPortsErrors(spec),
    ...balancerErrors(spec),
    ...trafficErrors(spec),
  ]
}

export function checkServiceStatus({ spec, status }: Service): FieldError[] {
  const field = 'status.loadBalancer.ingress'
  const ingress = status?.loadBalancer?.ingress ?? []
  if (spec?.type !== 'LoadBalancer' && ingress.length > 0) {
    return [forbiddenField(field, "may only be used when `spec.type` is 'LoadBalancer'")]
  }
  return ingress.flatMap(({ ip, ipMode, hostname = '' }, i) => {
    const at = `${field}[${i}]`
    const mode =
      ip === undefined
        ? ipMode === undefined
          ? []
          : [forbiddenField(`${at}.ipMode`, 'may not be specified when `ip` is not set')]
        : ipMode === undefined
          ? [requiredField(`${at}.ipMode`, 'must be specified when `ip` is set')]
          : unlessOneOf(`${at}.ipMode`, ipMode, ['Proxy', 'VIP'])
    return [
      ...(ip === undefined ? [] : ipErrors(`${at}.ip`, ip)),
      ...mode,
      ...(hostname === '' ? [] : invalidField(`${at}.hostname`, hostname, ...dns1123SubdomainErrors(hostname))),
      ...(ipErrors('', hostname).length === 0
        ? invalidField(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address')
        : []),
    ]
  })
}

const onlyBalancers = "may only be used when `type` is 'LoadBalancer'"
const once = 'may not change once set'

function isHeadless({ clusterIPs = [] }: ServiceSpec): boolean {
  return clusterIPs.length === 1 && clusterIPs[0] === 'None'
}

function typeErrors(spec: ServiceSpec): FieldError[] {
  const { type, ports = [], externalName = '' } = spec
  const errors: FieldError[] = []
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(requiredField('spec.ports'))
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec)) {
    errors.push(...invalidField('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`))
  }
  if (type !== 'ExternalName') return errors
  for (const member of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) {
    if ((spec[member] ?? []).length > 0)
      errors.push(forbiddenField(`spec.${member}`, 'may not be set for ExternalName services'))
  }
  const name = externalName.replace(/\.$/, '')
  if (name === '') errors.push(requiredField('spec.externalName'))
  else errors.push(...invalidField('spec.externalName', name, ...dns1123SubdomainErrors(name)))
  return errors
}

function portsErrors(ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>()
  return ports.flatMap(({ name = '', port, protocol, targetPort, appProtocol }, i) => {
    const at = `spec.ports[${i}]`
    const taken = name !== '' && names.has(name)
    names.add(name)
    return [
      ...(name === '' && ports.length > 1 ? [requiredField(`${at}.name`)] : []),
      ...(name === '' ? [] : invalidField(`${at}.name`, name, ...dns1123LabelErrors(name))),
      ...(taken ? [duplicateField(`${at}.name`, name)] : []),
      ...portNumberErrors(`${at}.port`, port),
      ...protocolErrors(`${at}.protocol`, protocol),
      ...portOrNameErrors(`${at}.targetPort`, targetPort ?? 0),
      ...(appProtocol === undefined
        ? []
        : invalidField(`${at}.appProtocol`, appProtocol, ...qualifiedNameErrors(appProtocol))),
    ]
  })
}

const maxAffinitySeconds = 86_400

function affinityErrors({ sessionAffinity: affinity, sessionAffinityConfig: config }: ServiceSpec): FieldError[] {
  const errors = unlessOneOf('spec.sessionAffinity', affinity, ['ClientIP', 'None'])
  if (affinity === undefined) return [requiredField('spec.sessionAffinity')]
  const seconds = config?.clientIP?.timeoutSeconds
  if (affinity !== 'ClientIP' || seconds === undefined || (seconds > 0 && seconds <= maxAffinitySeconds)) return errors
  const range = `must be greater than 0 and less than ${maxAffinitySeconds}`
  return [...errors, ...invalidField('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, range)]
}

function clusterIpsErrors({ clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy }: ServiceSpec): FieldError[] {
  const field = 'spec.clusterIPs'
  const errors: FieldError[] = []
  if (clusterIP === undefined) {
    if (clusterIPs.length > 0)
      errors.push(...invalidField(field, clusterIPs, 'must be empty when `clusterIP` is not specified'))
  } else if (clusterIPs.length === 0) errors.push(requiredField(field))
  else if (clusterIPs[0] !== clusterIP)
    errors.push(...invalidField(field, clusterIPs, 'first value must match `clusterIP`'))
  ipFamilies.forEach((family, i) => {
    errors.push(...unlessOneOf(`spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6']))
    if (ipFamilies.indexOf(family) < i) errors.push(duplicateField(`spec.ipFamilies[${i}]`, family))
  })
  errors.push(
    ...unlessOneOf('spec.ipFamilyPolicy', ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack']),
  )
  const wrong = clusterIPs.flatMap((address, i) => {
    if (address !== 'None' || i > 0) return ipErrors(`${field}[${i}]`, address)
    return clusterIPs.length === 1 ? [] : invalidField(field, clusterIPs, "'None' must be the first and only value")
  })
  if (clusterIPs.length > 2) wrong.push(...invalidField(field, clusterIPs, 'may only hold up to 2 values'))
  if (wrong.length > 0) return [...errors, ...wrong]
  if (clusterIPs.length === 2 && isIPv6(clusterIPs[0] ?? '') === isIPv6(clusterIPs[1] ?? '')) {
    errors.push(...invalidField(field, clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  const families = clusterIPs.flatMap((address, i) => {
    const family = ipFamilies[i]
    if (address === 'None' || family === undefined || isIPv6(address) === (family === 'IPv6')) return []
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``
    return invalidField(`${field}[${i}]`, address, detail)
  })
  return [...errors, ...families]
}

function usedPortsErrors({ type, ports = [] }: ServiceSpec): FieldError[] {
  const at = (i: number): string => `spec.ports[${i}]`
  const twice = (key: (port: ServicePort) => string | undefined): number[] => {
    const keys = ports.map(key)
    return keys.flatMap((each, i) => (each !== undefined && keys.indexOf(each) < i ? [i] : []))
  }
  const onNodes = twice(({ nodePort, protocol }) => (nodePort === undefined ? undefined : `${nodePort} ${protocol}`))
  return [
    ...(type === 'ClusterIP'
      ? ports.flatMap(({ nodePort }, i) =>
          nodePort === undefined
            ? []
            : [forbiddenField(`${at(i)}.nodePort`, "may not be used when `type` is 'ClusterIP'")],
        )
      : []),
    ...onNodes.map((i) => duplicateField(`${at(i)}.nodePort`, ports[i]?.nodePort)),
    ...twice(({ port, protocol }) => `${port} ${protocol}`).map((i) => duplicateField(at(i), asGoPrints(ports[i]))),
  ]
}

/** Of a port, what must differ, by the names of Go's own type. */
function asGoPrints(port: ServicePort | undefined): unknown {
  return { Name: '', Protocol: port?.protocol, AppProtocol: null, Port: port?.port, TargetPort: 0, NodePort: 0 }
}

function balancerErrors(spec: ServiceSpec): FieldError[] {
  const { type, loadBalancerSourceRanges = [], allocateLoadBalancerNodePorts: allocates, loadBalancerClass } = spec
  const isBalancer = type === 'LoadBalancer'
  return [
    ...(loadBalancerSourceRanges.length > 0 && !isBalancer
      ? [forbiddenField('spec.LoadBalancerSourceRanges', onlyBalancers)]
      : []),
    ...(allocates !== undefined && !isBalancer
      ? [forbiddenField('spec.allocateLoadBalancerNodePorts', onlyBalancers)]
      : []),
    ...(loadBalancerClass === undefined
      ? []
      : isBalancer
        ? invalidField('spec.loadBalancerClass', loadBalancerClass, ...qualifiedNameErrors(loadBalancerClass))
        : [forbiddenField('spec.loadBalancerClass', onlyBalancers)]),
  ]
}

/** Of those that are reached from outside. */
function isOutside({ type, externalIPs = [] }: ServiceSpec): boolean {
  return type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && externalIPs.length > 0)
}

const policies = ['Cluster', 'Local']

function trafficErrors(spec: ServiceSpec): FieldError[] {
  const { externalTrafficPolicy: outer, internalTrafficPolicy: inner, healthCheckNodePort, trafficDistribution } = spec
  const outside = isOutside(spec)
    ? unlessOneOf('spec.externalTrafficPolicy', outer, policies)
    : outer === undefined
      ? []
      : invalidField('spec.externalTrafficPolicy', outer, 'may only be set for externally-accessible services')
  const isChecked = spec.type === 'LoadBalancer' && outer === 'Local'
  const unchecked = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
  return [
    ...outside,
    ...(isChecked || healthCheckNodePort === undefined
      ? []
      : invalidField('spec.healthCheckNodePort', healthCheckNodePort, unchecked)),
    ...unlessOneOf('spec.internalTrafficPolicy', inner, policies),
    ...unlessOneOf('spec.trafficDistribution', trafficDistribution, [
      'PreferClose',
      'PreferSameZone',
      'PreferSameNode',
    ]),
  ]
}

function updateErrors(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const named = spec.type === 'ExternalName' || old.type === 'ExternalName'
  if (!named && !(isHeadless(spec) && isHeadless(old))) errors.push(...keptAddressErrors(spec, old))
  if (!named && !isHeadless(spec) && !isHeadless(old)) errors.push(...keptFamilyErrors(spec, old))
  const bothBalance = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer'
  if (bothBalance && spec.loadBalancerClass !== old.loadBalancerClass) {
    errors.push(...invalidField('spec.loadBalancerClass', spec.loadBalancerClass ?? null, once))
  }
  const bothChecked = bothBalance && spec.externalTrafficPolicy === 'Local' && old.externalTrafficPolicy === 'Local'
  if (bothChecked && spec.healthCheckNodePort !== old.healthCheckNodePort) {
    errors.push(forbiddenField('spec.healthCheckNodePort', immutable))
  }
  return errors
}

function keptAddressErrors({ clusterIPs = [], ipFamilyPolicy }: ServiceSpec, old: ServiceSpec): FieldError[] {
  const before = old.clusterIPs ?? []
  const changed = (i: number): FieldError[] =>
    before[i] === undefined || before[i] === clusterIPs[i]
      ? []
      : invalidField(`spec.clusterIPs[${i}]`, clusterIPs, once)
  if (before.length === clusterIPs.length) return before.flatMap((_, i) => changed(i))
  if (before.length < clusterIPs.length) return changed(0)
  if (clusterIPs.length === 0)
    return invalidField('spec.clusterIPs[0]', clusterIPs, 'primary clusterIP can not be unset')
  return [...changed(0), ...releaseErrors(ipFamilyPolicy, 'clusterIP')]
}

function keptFamilyErrors({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec, old: ServiceSpec): FieldError[] {
  const before = old.ipFamilies ?? []
  const changed = before.filter((family, i) => i < ipFamilies.length && family !== ipFamilies[i])
  const errors = changed.flatMap(() => invalidField('spec.ipFamilies[0]', ipFamilies, once))
  return before.length > ipFamilies.length && ipFamilies.length === 1
    ? [...errors, ...releaseErrors(ipFamilyPolicy, 'ipFamily')]
    : errors
}

function releaseErrors(policy: string | undefined, what: string): FieldError[] {
  if (policy === 'SingleStack') return []
  return invalidField(
    'spec.ipFamilyPolicy',
    policy ?? null,
    `must be set to 'SingleStack' when releasing the secondary ${what}`,
  )
}
