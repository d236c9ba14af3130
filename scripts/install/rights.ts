/**
 * What the programs may do: exactly what they do. `test/rights.test.ts` compares it with the requests of a run, and the
 * suites on a real API server run with these rights and no others.
 */
import {
  ConfigMap,
  ControllerRevision,
  Event,
  Job,
  Lease,
  Node,
  Pod,
  Secret,
  Service,
  ServiceAccount,
} from '#api/core/kinds.ts'
import { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig } from '#api/aim-runtime-config.ts'
import { AIMService } from '#api/aim-service.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from '#api/aim-service-template.ts'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { matrixinfer } from '#api/dialects.ts'
import { kindsOf, partOf } from '#api/family-kinds.ts'
import { LeaderWorkerSet } from '#api/leader-worker-set.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { PodGroup } from '#api/volcano.ts'
import type { Kind } from '#machinery/kind.ts'
import { nameOf, type Program } from './names.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface Right {
  readonly kind: Kind
  readonly subresource?: 'status' | 'scale' | 'finalizers' | 'log'
  readonly verbs: readonly Verb[]
  /** Of these objects only. Creating and listing cannot be narrowed so. */
  readonly names?: readonly string[]
}

/** What an informer asks. */
const watched = ['list', 'watch'] as const
/** A server-side apply is a patch; of an object that is not there yet, the server asks for `create` too. */
const applied = ['create', 'patch'] as const

const children = [ModelServing, ModelServer, ModelRoute, AutoscalingPolicy, AutoscalingPolicyBinding]
const withStatus = [ModelBooster, ...children]
const owners = [ModelBooster, ModelServing]

/** In every namespace that is watched. */
export const rights: Record<Program, readonly Right[]> = {
  manager: [
    { kind: ModelBooster, verbs: watched },
    ...children.map((kind): Right => ({ kind, verbs: [...watched, ...applied, 'delete'] })),
    ...withStatus.map((kind): Right => ({ kind, subresource: 'status', verbs: ['patch'] })),
    // What is scaled by a policy of another kind needs a right of its own, given by whoever wants that.
    { kind: ModelServing, subresource: 'scale', verbs: ['patch'] },
    // Children block the deletion of their owner in the foreground. Where admission holds that to be the owner's
    // matter (OwnerReferencesPermissionEnforcement, on by default in OpenShift), it asks for this.
    ...owners.map((kind): Right => ({ kind, subresource: 'finalizers', verbs: ['update'] })),
    // Pods are made once; one that is there already is read to see whose it is. Plugins annotate those that are ready.
    { kind: Pod, verbs: [...watched, 'get', 'create', 'patch', 'delete'] },
    // Whether routers send a pod requests, on which its readiness waits.
    { kind: Pod, subresource: 'status', verbs: ['patch'] },
    { kind: Service, verbs: [...watched, ...applied, 'delete'] },
    // Templates that were; of one that comes back the number changes, and nothing else ever.
    { kind: ControllerRevision, verbs: [...watched, 'get', 'create', 'patch', 'delete'] },
    // Where Volcano is installed; whether it is, the API server tells everybody.
    { kind: PodGroup, verbs: [...watched, ...applied, 'delete'] },
    // One that was told before a restart is read for its count.
    { kind: Event, verbs: ['get', 'create', 'patch'] },
  ],
  router: [ModelRoute, ModelServer, Pod].map((kind) => ({ kind, verbs: watched })),
}

/** The same of MatrixInfer's kinds, where they are served. */
export const legacyRights: Record<Program, readonly Right[]> = {
  manager: translated(rights.manager),
  router: translated(rights.router),
}

function translated(own: readonly Right[]): Right[] {
  const kinds = kindsOf(matrixinfer)
  return own.flatMap((right) => {
    const part = partOf(right.kind)
    return part === undefined ? [] : [{ ...right, kind: kinds[part] }]
  })
}

const templates = [AIMServiceTemplate, AIMClusterServiceTemplate]
const models = [AIMModel, AIMClusterModel]
const catalog = [...models, ...templates, AIMService, AIMRuntimeConfig, AIMClusterRuntimeConfig, AIMClusterModelSource]

/** What the catalog needs beside. It reads nodes and kinds of the whole cluster, so it runs only where all is watched. */
export const catalogRights: readonly Right[] = [
  ...catalog.map((kind): Right => ({ kind, verbs: watched })),
  ...catalog.map((kind): Right => ({ kind, subresource: 'status', verbs: ['patch'] })),
  // That of a service's image, and those that a source finds.
  { kind: AIMModel, verbs: applied },
  { kind: AIMClusterModel, verbs: ['create'] },
  ...templates.map((kind): Right => ({ kind, verbs: [...applied, 'delete'] })),
  // Made once; one that is there already is read to see whose it is.
  { kind: Job, verbs: [...watched, 'get', 'create'] },
  { kind: Pod, subresource: 'log', verbs: ['get'] },
  { kind: Node, verbs: watched },
  // Only their names are watched. Credentials are read when a registry is asked.
  { kind: Secret, verbs: [...watched, 'get'] },
  { kind: ConfigMap, verbs: watched },
  { kind: ServiceAccount, verbs: watched },
]

/** Beside the manager's, where it takes LeaderWorkerSets. */
export const leaderWorkerSetRights: readonly Right[] = [
  { kind: LeaderWorkerSet, verbs: watched },
  { kind: LeaderWorkerSet, subresource: 'status', verbs: ['patch'] },
  { kind: LeaderWorkerSet, subresource: 'finalizers', verbs: ['update'] },
]

/** In the namespace of the installation, whatever is watched. */
export const homeRights: readonly Right[] = [
  { kind: Lease, verbs: ['create'] },
  { kind: Lease, verbs: ['get', 'update'], names: [nameOf('manager')] },
  { kind: ConfigMap, verbs: watched },
]
