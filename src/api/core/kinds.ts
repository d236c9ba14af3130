/**
 * Kubernetes' own kinds that we create, read or serve. A kind and the type of its objects share one name.
 * Nothing is read from disk until somebody asks for a schema.
 */
import type { Kind, ScalePaths } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { checkNamespace, checkNamespaceStatus, checkNode, checkNodeStatus } from './cluster-rules.ts'
import { checkConfigMap, checkSecret, warnOfSecret } from './config-rules.ts'
import { checkEvent, checkEventsEvent } from './event-rules.ts'
import { checkJob, checkJobStatus } from './job-rules.ts'
import { checkPod, checkPodStatus } from './pod-rules.ts'
import { checkClusterRole, checkClusterRoleBinding, checkRole, checkRoleBinding } from './rbac-rules.ts'
import { checkEndpointSlice, checkLease, checkRevision } from './record-rules.ts'
import { coreSchema } from './schemas.ts'
import { checkService, checkServiceStatus } from './service-rules.ts'
import { checkClaim, checkVolume } from './storage-rules.ts'
import type * as types from './types.generated.ts'

interface Facts<T extends Resource> extends Pick<Kind<T>, 'check' | 'checkStatus' | 'warn'> {
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
    columns: [], // an API server computes them
    builtin: true,
    schema: () => coreSchema(facts.definition),
    ...(facts.check === undefined ? {} : { check: facts.check }),
    ...(facts.checkStatus === undefined ? {} : { checkStatus: facts.checkStatus }),
    ...(facts.warn === undefined ? {} : { warn: facts.warn }),
  }
}

const core = 'io.k8s.api.core.v1'
const rbac = { definition: 'io.k8s.api.rbac.v1', in: 'rbac.authorization.k8s.io/v1' }
const authorization = { definition: 'io.k8s.api.authorization.v1', in: 'authorization.k8s.io/v1' }

export type Pod = types.Pod
export const Pod = define<Pod>({
  definition: `${core}.Pod`,
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  status: true,
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
  check: checkService,
  checkStatus: checkServiceStatus,
})

export type ConfigMap = types.ConfigMap
export const ConfigMap = define<ConfigMap>({
  definition: `${core}.ConfigMap`,
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  check: checkConfigMap,
})

export type Secret = types.Secret
export const Secret = define<Secret>({
  definition: `${core}.Secret`,
  kind: 'Secret',
  plural: 'secrets',
  check: checkSecret,
  warn: warnOfSecret,
})

export type Event = types.Event
export const Event = define<Event>({
  definition: `${core}.Event`,
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  check: checkEvent,
})

export type EventsEvent = types.EventsEvent
/** The same events as {@link Event}, in the newer group's words. */
export const EventsEvent = define<EventsEvent>({
  definition: 'io.k8s.api.events.v1.Event',
  in: 'events.k8s.io/v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  check: checkEventsEvent,
})

export type Namespace = types.Namespace
export const Namespace = define<Namespace>({
  definition: `${core}.Namespace`,
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  clusterScoped: true,
  status: true,
  check: checkNamespace,
  checkStatus: checkNamespaceStatus,
})

export type Node = types.Node
export const Node = define<Node>({
  definition: `${core}.Node`,
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  clusterScoped: true,
  status: true,
  check: checkNode,
  checkStatus: checkNodeStatus,
})

export type PersistentVolumeClaim = types.PersistentVolumeClaim
export const PersistentVolumeClaim = define<PersistentVolumeClaim>({
  definition: `${core}.PersistentVolumeClaim`,
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  status: true,
  check: checkClaim,
})

export type PersistentVolume = types.PersistentVolume
export const PersistentVolume = define<PersistentVolume>({
  definition: `${core}.PersistentVolume`,
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  clusterScoped: true,
  status: true,
  check: checkVolume,
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
  check: checkLease,
})

export type EndpointSlice = types.EndpointSlice
export const EndpointSlice = define<EndpointSlice>({
  definition: 'io.k8s.api.discovery.v1.EndpointSlice',
  in: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  check: checkEndpointSlice,
})

export type ControllerRevision = types.ControllerRevision
export const ControllerRevision = define<ControllerRevision>({
  definition: 'io.k8s.api.apps.v1.ControllerRevision',
  in: 'apps/v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  check: checkRevision,
})

export type Job = types.Job
export const Job = define<Job>({
  definition: 'io.k8s.api.batch.v1.Job',
  in: 'batch/v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  status: true,
  check: checkJob,
  checkStatus: checkJobStatus,
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
export const Role = define<Role>({
  ...rbac,
  definition: `${rbac.definition}.Role`,
  kind: 'Role',
  plural: 'roles',
  check: checkRole,
})

export type RoleBinding = types.RoleBinding
export const RoleBinding = define<RoleBinding>({
  ...rbac,
  definition: `${rbac.definition}.RoleBinding`,
  kind: 'RoleBinding',
  plural: 'rolebindings',
  check: checkRoleBinding,
})

export type ClusterRole = types.ClusterRole
export const ClusterRole = define<ClusterRole>({
  ...rbac,
  definition: `${rbac.definition}.ClusterRole`,
  kind: 'ClusterRole',
  plural: 'clusterroles',
  clusterScoped: true,
  check: checkClusterRole,
})

export type ClusterRoleBinding = types.ClusterRoleBinding
export const ClusterRoleBinding = define<ClusterRoleBinding>({
  ...rbac,
  definition: `${rbac.definition}.ClusterRoleBinding`,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  clusterScoped: true,
  check: checkClusterRoleBinding,
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
