/**
 * Kubernetes' own kinds that we create, read or serve. A kind and the type of its objects share one name.
 * Nothing is read from disk until somebody asks for a schema.
 */
import type { Kind, PrinterColumn, ScalePaths } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { checkPod, checkPodStatus } from './pod-rules.ts'
import { coreSchema } from './schemas.ts'
import type * as types from './types.generated.ts'

interface Facts<T extends Resource> extends Pick<Kind<T>, 'check' | 'checkStatus'> {
  /** Full name in the pinned OpenAPI document. */
  readonly definition: string
  readonly kind: string
  readonly plural: string
  /** `version` in the core group, else `group/version`. */
  readonly in?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly clusterScoped?: true
  readonly status?: true
  readonly scale?: ScalePaths
  readonly columns?: readonly PrinterColumn[]
}

function define<T extends Resource>(facts: Facts<T>): Kind<T> {
  const [version = '', group = ''] = (facts.in ?? 'v1').split('/').reverse()
  return {
    group,
    version,
    kind: facts.kind,
    plural: facts.plural,
    singular: facts.kind.toLowerCase(),
    listKind: `${facts.kind}List`,
    shortNames: facts.shortNames ?? [],
    categories: facts.categories ?? [],
    namespaced: facts.clusterScoped !== true,
    status: facts.status === true,
    ...(facts.scale === undefined ? {} : { scale: facts.scale }),
    columns: [...(facts.columns ?? []), age],
    builtin: true,
    schema: () => coreSchema(facts.definition),
    ...(facts.check === undefined ? {} : { check: facts.check }),
    ...(facts.checkStatus === undefined ? {} : { checkStatus: facts.checkStatus }),
  }
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

function text(name: string, jsonPath: string, priority = 0): PrinterColumn {
  return { name, type: 'string', jsonPath, priority }
}

function integer(name: string, jsonPath: string): PrinterColumn {
  return { name, type: 'integer', jsonPath }
}

const core = 'io.k8s.api.core.v1'
const rbac = { definition: 'io.k8s.api.rbac.v1', in: 'rbac.authorization.k8s.io/v1' }
const authorization = { definition: 'io.k8s.api.authorization.v1', in: 'authorization.k8s.io/v1' }

export type Pod = types.Pod
/** kubectl's own columns for pods (Ready, Status, Restarts) are computed by the server; these are what paths can say. */
export const Pod = define<Pod>({
  definition: `${core}.Pod`,
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  status: true,
  columns: [text('Status', '.status.phase'), text('IP', '.status.podIP', 1), text('Node', '.spec.nodeName', 1)],
  check: checkPod,
  checkStatus: checkPodStatus,
})

export type Service = types.Service
export const Service = define<Service>({
  definition: `${core}.Service`,
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  status: true,
  columns: [text('Type', '.spec.type'), text('Cluster-IP', '.spec.clusterIP'), text('Port(s)', '.spec.ports[*].port')],
})

export type ConfigMap = types.ConfigMap
export const ConfigMap = define<ConfigMap>({
  definition: `${core}.ConfigMap`,
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
})

export type Secret = types.Secret
export const Secret = define<Secret>({
  definition: `${core}.Secret`,
  kind: 'Secret',
  plural: 'secrets',
  columns: [text('Type', '.type')],
})

export type Event = types.Event
export const Event = define<Event>({
  definition: `${core}.Event`,
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  columns: [
    { name: 'Last Seen', type: 'date', jsonPath: '.lastTimestamp' },
    text('Type', '.type'),
    text('Reason', '.reason'),
    text('Object', '.involvedObject.name'),
    text('Message', '.message'),
  ],
})

export type EventsEvent = types.EventsEvent
/** The same events as {@link Event}, in the newer group's words. */
export const EventsEvent = define<EventsEvent>({
  definition: 'io.k8s.api.events.v1.Event',
  in: 'events.k8s.io/v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  columns: [
    text('Type', '.type'),
    text('Reason', '.reason'),
    text('Object', '.regarding.name'),
    text('Message', '.note'),
  ],
})

export type Namespace = types.Namespace
export const Namespace = define<Namespace>({
  definition: `${core}.Namespace`,
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  clusterScoped: true,
  status: true,
  columns: [text('Status', '.status.phase')],
})

export type Node = types.Node
export const Node = define<Node>({
  definition: `${core}.Node`,
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  clusterScoped: true,
  status: true,
  columns: [
    text('Ready', '.status.conditions[?(@.type=="Ready")].status'),
    text('Version', '.status.nodeInfo.kubeletVersion'),
  ],
})

export type PersistentVolumeClaim = types.PersistentVolumeClaim
export const PersistentVolumeClaim = define<PersistentVolumeClaim>({
  definition: `${core}.PersistentVolumeClaim`,
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  status: true,
  columns: [
    text('Status', '.status.phase'),
    text('Volume', '.spec.volumeName'),
    text('Capacity', '.status.capacity.storage'),
    text('Access Modes', '.spec.accessModes'),
    text('StorageClass', '.spec.storageClassName'),
  ],
})

export type PersistentVolume = types.PersistentVolume
export const PersistentVolume = define<PersistentVolume>({
  definition: `${core}.PersistentVolume`,
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  clusterScoped: true,
  status: true,
  columns: [
    text('Capacity', '.spec.capacity.storage'),
    text('Reclaim Policy', '.spec.persistentVolumeReclaimPolicy'),
    text('Status', '.status.phase'),
    text('Claim', '.spec.claimRef.name'),
  ],
})

export type ServiceAccount = types.ServiceAccount
export const ServiceAccount = define<ServiceAccount>({
  definition: `${core}.ServiceAccount`,
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
})

export type Lease = types.Lease
export const Lease = define<Lease>({
  definition: 'io.k8s.api.coordination.v1.Lease',
  in: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  columns: [text('Holder', '.spec.holderIdentity')],
})

export type EndpointSlice = types.EndpointSlice
export const EndpointSlice = define<EndpointSlice>({
  definition: 'io.k8s.api.discovery.v1.EndpointSlice',
  in: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  columns: [
    text('AddressType', '.addressType'),
    text('Ports', '.ports[*].port'),
    text('Endpoints', '.endpoints[*].addresses'),
  ],
})

export type ControllerRevision = types.ControllerRevision
export const ControllerRevision = define<ControllerRevision>({
  definition: 'io.k8s.api.apps.v1.ControllerRevision',
  in: 'apps/v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  columns: [text('Controller', '.metadata.ownerReferences[0].name'), integer('Revision', '.revision')],
})

export type Job = types.Job
export const Job = define<Job>({
  definition: 'io.k8s.api.batch.v1.Job',
  in: 'batch/v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  status: true,
  columns: [integer('Succeeded', '.status.succeeded'), integer('Failed', '.status.failed')],
})

export type CustomResourceDefinition = types.CustomResourceDefinition
export const CustomResourceDefinition = define<CustomResourceDefinition>({
  definition: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  in: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  clusterScoped: true,
  status: true,
})

export type Role = types.Role
export const Role = define<Role>({ ...rbac, definition: `${rbac.definition}.Role`, kind: 'Role', plural: 'roles' })

export type RoleBinding = types.RoleBinding
export const RoleBinding = define<RoleBinding>({
  ...rbac,
  definition: `${rbac.definition}.RoleBinding`,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  columns: [text('Role', '.roleRef.name')],
})

export type ClusterRole = types.ClusterRole
export const ClusterRole = define<ClusterRole>({
  ...rbac,
  definition: `${rbac.definition}.ClusterRole`,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  clusterScoped: true,
})

export type ClusterRoleBinding = types.ClusterRoleBinding
export const ClusterRoleBinding = define<ClusterRoleBinding>({
  ...rbac,
  definition: `${rbac.definition}.ClusterRoleBinding`,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  clusterScoped: true,
  columns: [text('Role', '.roleRef.name')],
})

export type SelfSubjectAccessReview = types.SelfSubjectAccessReview
export const SelfSubjectAccessReview = define<SelfSubjectAccessReview>({
  ...authorization,
  definition: `${authorization.definition}.SelfSubjectAccessReview`,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  clusterScoped: true,
})

export type SelfSubjectRulesReview = types.SelfSubjectRulesReview
export const SelfSubjectRulesReview = define<SelfSubjectRulesReview>({
  ...authorization,
  definition: `${authorization.definition}.SelfSubjectRulesReview`,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  clusterScoped: true,
})

export type SubjectAccessReview = types.SubjectAccessReview
export const SubjectAccessReview = define<SubjectAccessReview>({
  ...authorization,
  definition: `${authorization.definition}.SubjectAccessReview`,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  clusterScoped: true,
})

export type TokenReview = types.TokenReview
export const TokenReview = define<TokenReview>({
  definition: 'io.k8s.api.authentication.v1.TokenReview',
  in: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  clusterScoped: true,
})

export type Scale = types.Scale
export const Scale = define<Scale>({
  definition: 'io.k8s.api.autoscaling.v1.Scale',
  in: 'autoscaling/v1',
  kind: 'Scale',
  plural: 'scale',
})

export type Eviction = types.Eviction
export const Eviction = define<Eviction>({
  definition: 'io.k8s.api.policy.v1.Eviction',
  in: 'policy/v1',
  kind: 'Eviction',
  plural: 'eviction',
})

/** Kinds whose objects are stored. `EventsEvent` is another view of `Event`'s. */
export const coreKinds: readonly Kind[] = [
  Pod,
  Service,
  ConfigMap,
  Secret,
  Event,
  EventsEvent,
  Namespace,
  Node,
  PersistentVolumeClaim,
  PersistentVolume,
  ServiceAccount,
  Lease,
  EndpointSlice,
  ControllerRevision,
  Job,
  CustomResourceDefinition,
  Role,
  RoleBinding,
  ClusterRole,
  ClusterRoleBinding,
]

/** Questions to the server: only ever created, answered at once, never stored. */
export const reviewKinds: readonly Kind[] = [
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  TokenReview,
]

/** Bodies of subresources: `scale` of what scales, `eviction` of a pod. */
export const subresourceKinds: readonly Kind[] = [Scale, Eviction]
