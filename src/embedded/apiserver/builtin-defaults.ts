import type {
  CustomResourceDefinition,
  Job,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  RoleBinding,
  Secret,
  Service,
} from '#api/core/kinds.ts'
import type { Container, PodSpec, Volume } from '#api/core/types.generated.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { formatQuantity, parseQuantity, quantityMillis } from '#machinery/quantity.ts'

/**
 * Defaults of Kubernetes' own kinds that depend on other fields; the rest is in their schemas. Pure.
 * Source: Kubernetes, `SetDefaults_*` in pkg/apis/{core,batch,rbac}/v1/defaults.go.
 */
export function builtinDefaults(object: AnyResource): AnyResource {
  const defaults = byKind[`${object.apiVersion} ${object.kind}`]
  return defaults === undefined ? object : (defaults(object) as AnyResource) // of the kind that its name says
}

type Defaults = (object: Resource) => Resource

const byKind: Readonly<Record<string, Defaults>> = {
  'v1 Pod': (object) => podDefaults(object),
  'v1 Service': (object) => serviceDefaults(object),
  'v1 Secret': (object) => withEncodedData(object),
  'v1 Namespace': (object) => namespaceDefaults(object as AnyResource),
  'v1 Node': (object) => nodeDefaults(object as AnyResource),
  'v1 PersistentVolume': (object) => pending(object as PersistentVolume),
  'v1 PersistentVolumeClaim': (object) => pending(object as PersistentVolumeClaim),
  'apiextensions.k8s.io/v1 CustomResourceDefinition': (object) =>
    definitionDefaults(object as CustomResourceDefinition),
  'batch/v1 Job': (object) => jobDefaults(object),
  'rbac.authorization.k8s.io/v1 RoleBinding': (object) => subjectDefaults(object as RoleBinding),
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': (object) => subjectDefaults(object as RoleBinding),
}

function podDefaults(pod: Pod): Pod {
  const { status } = pod
  const podIP = status?.podIP ?? status?.podIPs?.[0]?.ip
  const addresses =
    podIP === undefined ? {} : { podIP, podIPs: status?.podIPs?.[0]?.ip === podIP ? status.podIPs : [{ ip: podIP }] }
  if (pod.spec === undefined) return pod
  const { containers, initContainers, ...spec } = podSpec(pod.spec)
  const host = spec.hostNetwork === true
  const own = (container: Container): Container => requestingLimits(host ? withHostPorts(container) : container)
  const grace = spec.terminationGracePeriodSeconds ?? 0
  return {
    ...pod,
    spec: {
      enableServiceLinks: true,
      ...spec,
      ...(grace < 0 ? { terminationGracePeriodSeconds: 1 } : {}),
      containers: containers?.map(own),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(own) }),
    },
    ...(status === undefined ? {} : { status: { ...status, ...addresses } }),
  }
}

/** What a pod's spec gets inside a template too. */
function podSpec(spec: PodSpec): PodSpec {
  const account = spec.serviceAccountName ?? spec.serviceAccount
  return {
    ...spec,
    ...(account === undefined ? {} : { serviceAccountName: account, serviceAccount: account }),
    containers: spec.containers?.map(containerDefaults),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(containerDefaults) }),
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(volumeDefaults) }),
  }
}

function containerDefaults(container: Container): Container {
  const { resources } = container
  return {
    ...container,
    imagePullPolicy: container.imagePullPolicy ?? (isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent'),
    resources: {
      ...resources,
      ...(resources?.limits === undefined ? {} : { limits: inMillis(resources.limits) }),
      ...(resources?.requests === undefined ? {} : { requests: inMillis(resources.requests) }),
    },
  }
}

/** The tag that an image without tag and digest has. */
function isLatest(image: string): boolean {
  if (image === '' || image.includes('@')) return false
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  return tag === undefined || tag === 'latest'
}

type Quantities = Readonly<Record<string, number | string>>

/** Nothing is finer than a thousandth. */
function inMillis(quantities: Quantities): Record<string, string> {
  const rounded = Object.entries(quantities).map(([name, text]) => {
    const quantity = parseQuantity(text)
    return [name, formatQuantity({ ...quantity, nanos: quantityMillis(quantity) * 1_000_000n })] as const
  })
  return Object.fromEntries(rounded)
}

/** What is limited is also requested. */
function requestingLimits(container: Container): Container {
  const { resources } = container
  if (resources?.limits === undefined) return container
  return { ...container, resources: { ...resources, requests: { ...resources.limits, ...resources.requests } } }
}

function withHostPorts(container: Container): Container {
  if (container.ports === undefined) return container
  return {
    ...container,
    ports: container.ports.map((port) => ({ ...port, hostPort: port.hostPort ?? port.containerPort })),
  }
}

function volumeDefaults(volume: Volume): Volume {
  return Object.keys(volume).some((member) => member !== 'name') ? volume : { ...volume, emptyDir: {} }
}

/** Texts are a way to write data, and read as such. */
function withEncodedData({ stringData, ...secret }: Secret): Secret {
  if (stringData === undefined) return secret
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const)
  return { ...secret, data: { ...secret.data, ...Object.fromEntries(encoded) } }
}

const clientIpSeconds = 10_800

function serviceDefaults(service: Service): Service {
  const { spec, status } = service
  if (spec === undefined) return service
  const { sessionAffinityConfig, ...rest } = spec
  const { type, sessionAffinity } = spec
  const affinity =
    sessionAffinity === 'ClientIP'
      ? {
          sessionAffinityConfig:
            sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
              ? { clientIP: { timeoutSeconds: clientIpSeconds } }
              : sessionAffinityConfig,
        }
      : sessionAffinity === 'None' || sessionAffinityConfig === undefined
        ? {}
        : { sessionAffinityConfig }
  const outside =
    type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0)
  const inside = type === 'LoadBalancer' || type === 'NodePort' || type === 'ClusterIP'
  const ingress = status?.loadBalancer?.ingress?.map((one) =>
    one.ip !== undefined ? { ...one, ipMode: one.ipMode ?? 'VIP' } : one,
  )
  return {
    ...service,
    spec: {
      ...rest,
      ...affinity,
      ...(spec.ports === undefined
        ? {}
        : { ports: spec.ports.map((port) => ({ ...port, targetPort: port.targetPort || port.port })) }),
      ...(outside ? { externalTrafficPolicy: spec.externalTrafficPolicy ?? 'Cluster' } : {}),
      ...(inside ? { internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster' } : {}),
      ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: spec.allocateLoadBalancerNodePorts ?? true } : {}),
    },
    ...(type === 'LoadBalancer' && ingress !== undefined
      ? { status: { ...status, loadBalancer: { ...status?.loadBalancer, ingress } } }
      : {}),
  }
}

function namespaceDefaults(namespace: AnyResource): AnyResource {
  const { metadata, status } = namespace
  const { name = '' } = metadata
  return {
    ...namespace,
    metadata:
      name === '' ? metadata : { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/metadata.name': name } },
    status: { phase: 'Active', ...status },
  }
}

function nodeDefaults(node: AnyResource): AnyResource {
  const capacity = node.status?.['capacity']
  if (capacity === undefined || node.status?.['allocatable'] !== undefined) return node
  return { ...node, status: { ...node.status, allocatable: capacity } }
}

function pending<T extends PersistentVolume | PersistentVolumeClaim>(object: T): T {
  return { ...object, status: { phase: 'Pending', ...object.status } }
}

function jobDefaults(job: Job): Job {
  const { spec, metadata } = job
  if (spec === undefined) return job
  const labels = spec.template.metadata?.labels
  const both = spec.completions === undefined && spec.parallelism === undefined
  return {
    ...job,
    metadata: labels === undefined || metadata.labels !== undefined ? metadata : { ...metadata, labels },
    spec: {
      ...spec,
      ...(both ? { completions: 1 } : {}),
      parallelism: spec.parallelism ?? 1,
      backoffLimit: spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1),
      podReplacementPolicy:
        spec.podReplacementPolicy ?? (spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'),
      template: {
        ...spec.template,
        ...(spec.template.spec === undefined ? {} : { spec: podSpec(spec.template.spec) }),
      },
    },
  }
}

function definitionDefaults(definition: CustomResourceDefinition): CustomResourceDefinition {
  const { spec } = definition
  const { names } = spec
  const kind = (names.kind as string | undefined) ?? '' // nothing is validated yet
  return {
    ...definition,
    spec: {
      ...spec,
      names: {
        ...names,
        ...(names.singular || kind === '' ? {} : { singular: kind.toLowerCase() }),
        ...(names.listKind || kind === '' ? {} : { listKind: `${kind}List` }),
      },
      conversion: spec.conversion ?? { strategy: 'None' },
    },
  }
}

function subjectDefaults(binding: RoleBinding): RoleBinding {
  if (binding.subjects === undefined) return binding
  const subjects = binding.subjects.map((subject) => {
    const hasGroup = subject.apiGroup !== undefined || !['User', 'Group'].includes(subject.kind)
    return hasGroup ? subject : { ...subject, apiGroup: 'rbac.authorization.k8s.io' }
  })
  return { ...binding, subjects }
}
