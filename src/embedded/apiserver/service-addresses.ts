import type { Service } from '#api/core/kinds.ts'
import { equalJson } from '#base/json.ts'
import { invalidField } from '#machinery/field-error.ts'
import { conflict, invalid } from '#machinery/status.ts'
import type { Context } from './context.ts'
import type { ServedKind } from './served-kind.ts'

type Spec = NonNullable<Service['spec']>

/**
 * The addresses and node ports of a service: taken where it needs them, kept over an update that leaves them out, gone with
 * a type that has none. Of one family, IPv4. Source: Kubernetes, pkg/registry/core/service/storage/{storage,alloc}.go.
 * Faults: 409 when there are no more, 422 for an address that is taken.
 */
export function withAddresses(
  context: Context,
  served: ServedKind,
  service: Service,
  old: Service | undefined,
): Service {
  const { spec } = service
  if (spec === undefined) return service
  const kept = old?.spec === undefined ? spec : withoutForeign(withKept(spec, old.spec), old.spec)
  const placed = needsAddress(kept) ? withFamilies(withClusterIp(context, served, service, kept, old)) : kept
  if (!needsNodePorts(placed)) return { ...service, spec: placed }
  try {
    return { ...service, spec: withNodePorts(context, served, { ...service, spec: placed }, old) }
  } catch (error) {
    giveBack(context, { ...service, spec: { clusterIP: placed.clusterIP } }, old)
    throw error
  }
}

/** What a service that is stored already has is nobody else's. */
export function hold({ clusterIps, nodePorts }: Context, { spec }: Service): void {
  for (const address of addressesOf(spec)) clusterIps.reserve(address)
  for (const port of nodePortsOf(spec)) nodePorts.reserve(port)
}

/** What `service` has and `kept` does not is free again. */
export function giveBack({ clusterIps, nodePorts }: Context, { spec }: Service, kept: Service | undefined): void {
  for (const address of addressesOf(spec).difference(addressesOf(kept?.spec))) clusterIps.release(address)
  for (const port of nodePortsOf(spec).difference(nodePortsOf(kept?.spec))) nodePorts.release(port)
}

function addressesOf({ clusterIP, ...spec }: Spec = {}): Set<string> {
  return new Set(clusterIP === undefined || clusterIP === 'None' || !needsAddress(spec) ? [] : [clusterIP])
}

/** Those that are had: of a type that has none, whatever stands there is another's. */
function nodePortsOf(spec: Spec = {}): Set<number> {
  return new Set(needsNodePorts(spec) ? (spec.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []) : [])
}

function needsAddress({ type }: Spec): boolean {
  return type !== 'ExternalName'
}

function needsNodePorts({ type, allocateLoadBalancerNodePorts }: Spec): boolean {
  return type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false)
}

/** What the server gave before need not be sent back. */
function withKept(spec: Spec, old: Spec): Spec {
  let kept = spec
  const cleared = old.clusterIP !== undefined && spec.clusterIP === undefined
  const samePlural = equalJson(spec.clusterIPs, old.clusterIPs)
  if (cleared && samePlural) kept = { ...kept, clusterIPs: undefined }
  else if (!cleared && spec.clusterIP !== old.clusterIP && samePlural)
    kept = { ...kept, clusterIPs: [spec.clusterIP ?? ''] }
  if (needsAddress(old) && needsAddress(spec)) {
    kept = { ...kept, clusterIP: kept.clusterIP ?? old.clusterIP, clusterIPs: kept.clusterIPs ?? old.clusterIPs }
  }
  if (!needsNodePorts(old) || !needsNodePorts(spec)) return kept
  const byName = new Map((old.ports ?? []).map(({ name, nodePort }) => [name, nodePort]))
  const still = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort))
  const ports = (spec.ports ?? []).map((port) => {
    const before = byName.get(port.name)
    return port.nodePort !== undefined || before === undefined || still.has(before)
      ? port
      : { ...port, nodePort: before }
  })
  return { ...kept, ports }
}

/** What belongs to a type that the service had, if it was left as it was. */
function withoutForeign(spec: Spec, old: Spec): Spec {
  let left = spec
  const drop = (...names: readonly (keyof Spec)[]): void => {
    left = { ...left, ...Object.fromEntries(names.map((name) => [name, undefined])) }
  }
  if (needsAddress(old) && !needsAddress(spec)) {
    if (spec.clusterIP === old.clusterIP && equalJson(spec.clusterIPs, old.clusterIPs)) drop('clusterIP', 'clusterIPs')
    if (equalJson(spec.ipFamilies, old.ipFamilies)) drop('ipFamilies')
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) drop('ipFamilyPolicy')
  }
  const had = new Set((old.ports ?? []).map(({ nodePort }) => nodePort))
  const nodePortsKept = (spec.ports ?? []).every(({ nodePort }) => nodePort === undefined || had.has(nodePort))
  if (hasNodePorts(old) && !hasNodePorts(spec) && nodePortsKept && spec.ports !== undefined) {
    left = { ...left, ports: spec.ports.map(({ nodePort: _, ...port }) => port) }
  }
  if (
    old.type === 'LoadBalancer' &&
    spec.type !== 'LoadBalancer' &&
    spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts
  ) {
    drop('allocateLoadBalancerNodePorts')
  }
  const outside = (each: Spec): boolean => hasNodePorts(each) || (each.externalIPs ?? []).length > 0
  if (needsAddress(old) && !needsAddress(spec) && spec.internalTrafficPolicy === old.internalTrafficPolicy)
    drop('internalTrafficPolicy')
  if (outside(old) && !outside(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy)
    drop('externalTrafficPolicy')
  return Object.fromEntries(Object.entries(left).filter(([, value]) => value !== undefined))
}

function hasNodePorts({ type }: Spec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer'
}

function withClusterIp(
  context: Context,
  served: ServedKind,
  service: Service,
  spec: Spec,
  old: Service | undefined,
): Spec {
  const { clusterIPs: _, ...rest } = spec
  const given = spec.clusterIP ?? spec.clusterIPs?.[0]
  if (given === undefined) {
    const address = context.clusterIps.take()
    if (address === undefined)
      throw conflict(served.kind, service.metadata.name ?? '', 'every address for services is taken')
    return { ...rest, clusterIP: address, clusterIPs: [address] }
  }
  const isNew = given !== 'None' && old?.spec?.clusterIP === undefined
  if (isNew && !context.clusterIps.reserve(given)) {
    const why = `failed to allocate IP ${given}: provided IP is already allocated`
    throw invalid(served.kind, service.metadata.name ?? '', invalidField('spec.clusterIPs', [given], why))
  }
  return { ...rest, clusterIP: given, clusterIPs: spec.clusterIPs ?? [given] }
}

/** A service that selects nothing and has no address is for both families, whatever the cluster has. */
function withFamilies(spec: Spec): Spec {
  const free = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
  const ipFamilyPolicy = spec.ipFamilyPolicy ?? (free ? 'RequireDualStack' : 'SingleStack')
  const both = free && ipFamilyPolicy !== 'SingleStack' ? ['IPv4', 'IPv6'] : ['IPv4']
  return { ...spec, ipFamilies: spec.ipFamilies ?? both, ipFamilyPolicy }
}

/** All of the ports, or none and a fault. A service may have one for several protocols. */
function withNodePorts(
  { nodePorts }: Context,
  served: ServedKind,
  { metadata: { name = '' }, spec = {} }: Service,
  old: Service | undefined,
): Spec {
  const ports = spec.ports ?? []
  const wanted = nodePortsOf(spec).difference(nodePortsOf(old?.spec))
  const taken = ports.findIndex(
    ({ nodePort }) => nodePort !== undefined && wanted.has(nodePort) && nodePorts.has(nodePort),
  )
  if (taken !== -1) {
    const field = `spec.ports[${taken}].nodePort`
    throw invalid(served.kind, name, invalidField(field, ports[taken]?.nodePort, 'provided port is already allocated'))
  }
  for (const port of wanted) nodePorts.reserve(port)
  const free = nodePorts.take(ports.filter(({ nodePort }) => nodePort === undefined).length)
  if (free === undefined) {
    for (const port of wanted) nodePorts.release(port)
    throw conflict(served.kind, name, 'every node port is taken')
  }
  return { ...spec, ports: ports.map((port) => ({ ...port, nodePort: port.nodePort ?? free.pop() })) }
}
