import type { EndpointSlice, Node, Service } from '#api/core/kinds.ts'
import { age, type Columns, equalities, holds, shortened, since, wide } from './column-cells.ts'

export const networkColumns: Readonly<Record<string, Columns>> = {
  services: {
    columns: [
      { name: 'Type', about: 'core.v1.ServiceSpec.type' },
      { name: 'Cluster-IP', about: 'core.v1.ServiceSpec.clusterIP' },
      { name: 'External-IP', about: 'core.v1.ServiceSpec.externalIPs' },
      { name: 'Port(s)', about: 'core.v1.ServiceSpec.ports' },
      age,
      wide('Selector', 'core.v1.ServiceSpec.selector'),
    ],
    cells: (service: Service, nowMs) => {
      const { spec = {}, metadata } = service
      const ports = (spec.ports ?? []).map(
        ({ port, nodePort = 0, protocol }) => `${port}${nodePort > 0 ? `:${nodePort}` : ''}/${protocol ?? ''}`,
      )
      return [
        spec.type ?? '',
        spec.clusterIPs?.[0] ?? '<none>',
        externalAddress(service),
        ports.join(',') || '<none>',
        since(metadata.creationTimestamp, nowMs),
        equalities(spec.selector),
      ]
    },
  },
  'endpointslices.discovery.k8s.io': {
    columns: [
      { name: 'AddressType', about: 'discovery.v1.EndpointSlice.addressType' },
      { name: 'Ports', about: 'discovery.v1.EndpointSlice.ports' },
      { name: 'Endpoints', about: 'discovery.v1.EndpointSlice.endpoints' },
      age,
    ],
    cells: ({ addressType, ports, endpoints, metadata }: EndpointSlice, nowMs) => [
      addressType,
      shortened((ports ?? []).map(({ port, name }) => String(port ?? name ?? '*'))),
      shortened((endpoints ?? []).flatMap(({ addresses }) => addresses)),
      since(metadata.creationTimestamp, nowMs),
    ],
  },
  nodes: {
    columns: [
      { name: 'Status', about: 'The status of the node' },
      { name: 'Roles', about: 'The roles of the node' },
      age,
      { name: 'Version', about: 'core.v1.NodeSystemInfo.kubeletVersion' },
      wide('Internal-IP', 'core.v1.NodeStatus.addresses'),
      wide('External-IP', 'core.v1.NodeStatus.addresses'),
      wide('OS-Image', 'core.v1.NodeSystemInfo.osImage'),
      wide('Kernel-Version', 'core.v1.NodeSystemInfo.kernelVersion'),
      wide('Container-Runtime', 'core.v1.NodeSystemInfo.containerRuntimeVersion'),
    ],
    cells: (node: Node, nowMs) => {
      const { status, metadata } = node
      const info = status?.nodeInfo
      const address = (wanted: string): string =>
        status?.addresses?.find(({ type }) => type === wanted)?.address ?? '<none>'
      const kernel = info?.kernelVersion || '<unknown>'
      return [
        nodeWord(node),
        nodeRoles(node).join(',') || '<none>',
        since(metadata.creationTimestamp, nowMs),
        info?.kubeletVersion ?? '',
        address('InternalIP'),
        address('ExternalIP'),
        info?.osImage || '<unknown>',
        info?.architecture ? `${kernel} (${info.architecture})` : kernel,
        info?.containerRuntimeVersion || '<unknown>',
      ]
    },
  },
}

function externalAddress({ spec = {}, status }: Service): string {
  const { type, externalIPs = [], externalName = '' } = spec
  if (type === 'ExternalName') return externalName
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? [])
  const own = type === 'LoadBalancer' ? [...new Set(ingress)].sort() : []
  return [...own, ...externalIPs].join(',') || (type === 'LoadBalancer' ? '<pending>' : '<none>')
}

function nodeWord({ spec, status }: Node): string {
  const isTold = status?.conditions?.some(({ type }) => type === 'Ready') === true
  const word = isTold ? (holds(status?.conditions, 'Ready') ? 'Ready' : 'NotReady') : 'Unknown'
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

const rolePrefix = 'node-role.kubernetes.io/'

function nodeRoles({ metadata }: Node): string[] {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.slice(rolePrefix.length)
    return key === 'kubernetes.io/role' ? value : []
  })
  return [...new Set(roles)].filter((role) => role !== '').sort()
}
