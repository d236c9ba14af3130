import { timestamp } from '#base/clock.ts'
import type { Job, Lease, Pod, Service } from '#api/core/kinds.ts'
import type { AnyResource, ObjectMeta, Resource } from '#machinery/meta.ts'
import { forbidden, notFound } from '#machinery/status.ts'
import type { Context } from './context.ts'
import { definitionsResource } from './custom-kinds.ts'
import { withStoredVersions } from './definitions.ts'
import { withCause } from './failures.ts'
import { qosClass } from './pod-qos.ts'
import type { ServedKind } from './served-kind.ts'
import { withAddresses } from './service-addresses.ts'

/** Typed objects are objects. */
function as(object: Resource): AnyResource {
  return object as AnyResource
}

/**
 * What the server itself makes of a new object: no status but its own, and what controllers rely on. What it takes
 * (addresses) is given back by whoever does not store the result.
 */
export function prepareNew(context: Context, served: ServedKind, object: AnyResource): AnyResource {
  const resource = object as Resource
  switch (served.resource) {
    case 'pods':
      return as(newPod(context, resource))
    case 'services':
      return as({
        ...withAddresses(context, served, resource, undefined),
        status: { loadBalancer: {} },
      } as Service)
    case 'namespaces':
      return newNamespace(object)
    case 'jobs.batch':
      return as({ ...withSelector(resource), status: {} } as Job)
    case 'leases.coordination.k8s.io':
      return as(withoutStrategy(resource))
    case 'persistentvolumeclaims':
      return { ...object, status: { phase: 'Pending' } }
    case 'persistentvolumes':
      return { ...object, status: { phase: 'Pending', lastPhaseTransitionTime: timestamp(context.clock.now()) } }
    case 'nodes':
      return { ...object, status: newNodeStatus }
    case definitionsResource:
      return withStoredVersions(object, true)
    case 'roles.rbac.authorization.k8s.io':
    case 'clusterroles.rbac.authorization.k8s.io':
      return emptyAsNull(object, 'rules')
    case 'endpointslices.discovery.k8s.io':
      return emptyAsNull(emptyAsNull(object, 'endpoints'), 'ports')
    default:
      return object
  }
}

const newNodeStatus = {
  daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
  nodeInfo: {
    machineID: '',
    systemUUID: '',
    bootID: '',
    kernelVersion: '',
    osImage: '',
    containerRuntimeVersion: '',
    kubeletVersion: '',
    kubeProxyVersion: '',
    operatingSystem: '',
    architecture: '',
  },
}

/** The object as it shall be, with what this request may not change as it was. */
export function prepareUpdate(
  context: Context,
  served: ServedKind,
  subresource: string,
  proposed: AnyResource,
  old: AnyResource,
): AnyResource {
  const metadata = updatedMetadata(proposed.metadata, old.metadata)
  if (subresource === 'status') return statusOnto(served, old, { ...proposed, metadata })
  const { status: _, ...rest } = proposed
  const merged = served.kind.status
    ? ({ ...rest, metadata, ...(old.status === undefined ? {} : { status: old.status }) } as AnyResource)
    : { ...proposed, metadata }
  const resource = merged as Resource
  switch (served.resource) {
    case 'services':
      return as(withAddresses(context, served, resource, old))
    case 'namespaces':
      // Only its own subresource changes what holds a namespace.
      return subresource === 'finalize' ? merged : { ...merged, ...(old.spec === undefined ? {} : { spec: old.spec }) }
    case 'leases.coordination.k8s.io':
      return as(withoutStrategy(resource))
    case definitionsResource:
      return withStoredVersions(merged, false)
    case 'roles.rbac.authorization.k8s.io':
    case 'clusterroles.rbac.authorization.k8s.io':
      return emptyAsNull(merged, 'rules')
    case 'endpointslices.discovery.k8s.io':
      return emptyAsNull(emptyAsNull(merged, 'endpoints'), 'ports')
    default:
      return merged
  }
}

/** What an update may not change, and what it need not say. */
function updatedMetadata(metadata: ObjectMeta, old: ObjectMeta): ObjectMeta {
  const { generation: _, selfLink: __, ...rest } = metadata as ObjectMeta & { selfLink?: string }
  return {
    ...rest,
    uid: metadata.uid ?? old.uid,
    resourceVersion: metadata.resourceVersion ?? old.resourceVersion,
    creationTimestamp: old.creationTimestamp,
    ...(old.generation === undefined ? {} : { generation: old.generation }),
    ...(old.deletionTimestamp === undefined ? {} : { deletionTimestamp: old.deletionTimestamp }),
    ...(old.deletionGracePeriodSeconds === undefined || metadata.deletionGracePeriodSeconds !== undefined
      ? {}
      : { deletionGracePeriodSeconds: old.deletionGracePeriodSeconds }),
  } as ObjectMeta
}

/** Of Kubernetes' own kinds, a write of the status may change the metadata too; of all others, managedFields alone. */
function statusOnto(served: ServedKind, old: AnyResource, proposed: AnyResource): AnyResource {
  const { status: _, ...rest } = old
  const status = proposed.status === undefined ? {} : { status: proposed.status }
  if (!served.kind.builtin || served.resource === definitionsResource) {
    const { managedFields } = proposed.metadata
    return {
      ...rest,
      metadata: { ...old.metadata, ...(managedFields === undefined ? {} : { managedFields }) },
      ...status,
    }
  }
  if (served.resource !== 'pods') return { ...rest, metadata: proposed.metadata, ...status }
  const { ownerReferences: __, ...metadata } = proposed.metadata
  const { ownerReferences } = old.metadata
  return {
    ...rest,
    metadata: { ...metadata, ...(ownerReferences === undefined ? {} : { ownerReferences }) },
    status: { qosClass: old.status?.['qosClass'], ...proposed.status },
  }
}

function newPod({ clock }: Context, pod: Pod): Pod {
  const gated = (pod.spec?.schedulingGates ?? []).length > 0
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null as unknown as string, // Go writes a time that is not set
    lastTransitionTime: timestamp(clock.now()),
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  }
  return {
    ...pod,
    status: { phase: 'Pending', qosClass: qosClass(pod), ...(gated ? { conditions: [condition] } : {}) },
  }
}

function newNamespace(object: AnyResource): AnyResource {
  const { metadata } = object
  return {
    ...object,
    metadata: { ...metadata, labels: { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name ?? '' } },
    spec: { ...object.spec, finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }
}

/** A job finds its pods by its uid, which it cannot know before it has one. Source: pkg/registry/batch/job/strategy.go. */
function withSelector(job: Job): Job {
  const { uid = '', name = '' } = job.metadata
  const { spec } = job
  if (spec === undefined || spec.manualSelector === true) return job
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
  const { template, selector } = spec
  const all = { ...labels, ...template.metadata?.labels }
  return {
    ...job,
    metadata: { ...job.metadata, labels: job.metadata.labels ?? all },
    spec: {
      ...spec,
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, 'batch.kubernetes.io/controller-uid': uid } },
      template: { ...template, metadata: { ...template.metadata, labels: all } },
    },
  }
}

/** Choosing leaders by their versions is not for everybody yet: what nobody acts on is not kept. */
function withoutStrategy(lease: Lease): Lease {
  if (lease.spec === undefined) return lease
  const { strategy: _, preferredHolder: __, ...spec } = lease.spec
  return { ...lease, spec }
}

/** Storage does not tell a list that is empty from one that is not there; that it is always there Go's type says. */
function emptyAsNull(object: AnyResource, member: string): AnyResource {
  const { [member]: list } = object as unknown as Record<string, unknown>
  return Array.isArray(list) && list.length === 0 ? { ...object, [member]: null } : object
}

/** Refuses a create in a namespace that is missing or going. Faults: 404, 403. */
export function checkNamespace({ store }: Context, served: ServedKind, namespace: string, name: string): void {
  const entry = store.latest({ resource: 'namespaces', namespace: '', name: namespace })
  if (entry === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace)
  if (!entry.text.includes('"deletionTimestamp"')) return
  const { metadata } = JSON.parse(entry.text) as Resource
  if (metadata.deletionTimestamp === undefined) return
  throw terminatingNamespace(served, namespace, name)
}

function terminatingNamespace(served: ServedKind, namespace: string, name: string): Error {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  return withCause(forbidden(served.kind, name, why), {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  })
}
