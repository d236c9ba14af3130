import type { CustomResourceDefinition, Job, Pod, Secret, Service } from '#api/core/kinds.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { conflict, forbidden, invalid, notFound } from '#machinery/status.ts'
import type { Context } from './context.ts'
import { customResourceCleanup, established } from './custom-kinds.ts'
import { withCause } from './failures.ts'
import type { ServedKind } from './served-kind.ts'

/**
 * What Kubernetes' server itself fills into objects of some kinds: the part of admission that controllers and kubectl
 * rely on. `old` is absent on create. What it takes (addresses) is given back by whoever does not store the result.
 */
export function mutated(
  context: Context,
  served: ServedKind,
  object: AnyResource,
  old: AnyResource | undefined,
): AnyResource {
  switch (served.resource) {
    case 'pods':
      return old === undefined ? as(newPod(object)) : object
    case 'services':
      return as(withAddress(context, served, object, old))
    case 'secrets':
      return as(withEncodedData(object))
    case 'namespaces':
      return old === undefined ? newNamespace(object) : object
    case 'jobs.batch':
      return old === undefined ? as(newJob(object)) : object
    case 'persistentvolumeclaims':
    case 'persistentvolumes':
      return old === undefined ? { ...object, status: { phase: 'Pending' } } : object
    case 'customresourcedefinitions.apiextensions.k8s.io':
      return definition(context, object, old)
    default:
      return object
  }
}

/** Typed objects are objects. */
function as(object: Resource): AnyResource {
  return object as AnyResource
}

function newPod(object: Resource): Pod {
  const pod = object as Pod
  return { ...pod, status: { phase: 'Pending', qosClass: qosClass(pod) } }
}

/** Source: Kubernetes, pkg/apis/core/v1/helper/qos. */
function qosClass({ spec }: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const compute = ['cpu', 'memory']
  const some = containers.some(({ resources }) =>
    compute.some((name) => resources?.requests?.[name] !== undefined || resources?.limits?.[name] !== undefined),
  )
  if (!some) return 'BestEffort'
  const all = containers.every(({ resources }) =>
    compute.every((name) => {
      const limit = resources?.limits?.[name]
      return limit !== undefined && String(resources?.requests?.[name] ?? limit) === String(limit)
    }),
  )
  return all ? 'Guaranteed' : 'Burstable'
}

function withAddress(context: Context, served: ServedKind, service: Service, old: Service | undefined): Service {
  const spec = service.spec ?? {}
  const ports = (spec.ports ?? []).map((port) => ({ ...port, targetPort: port.targetPort ?? port.port }))
  const portsIf = spec.ports === undefined ? {} : { ports }
  if (spec.type === 'ExternalName') return { ...service, spec: { ...spec, ...portsIf } }
  const clusterIP = spec.clusterIP || old?.spec?.clusterIP || takeAddress(context, served, service)
  if (old === undefined && spec.clusterIP && spec.clusterIP !== 'None' && !context.clusterIps.reserve(spec.clusterIP)) {
    throw invalid(served.kind, service.metadata.name ?? '', [
      {
        field: 'spec.clusterIPs',
        type: 'FieldValueInvalid',
        value: [spec.clusterIP],
        detail: 'provided IP is already allocated',
      },
    ])
  }
  return {
    ...service,
    spec: {
      ...spec,
      ...portsIf,
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: spec.ipFamilies ?? ['IPv4'],
      ipFamilyPolicy: spec.ipFamilyPolicy ?? 'SingleStack',
    },
    ...(old === undefined ? { status: { loadBalancer: {} } } : {}),
  }
}

function takeAddress({ clusterIps }: Context, served: ServedKind, service: Service): string {
  const address = clusterIps.take()
  if (address !== undefined) return address
  throw conflict(served.kind, service.metadata.name ?? '', 'every address for services is taken')
}

function withEncodedData({ stringData, ...secret }: Secret): Secret {
  if (stringData === undefined) return secret
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const)
  return { ...secret, data: { ...secret.data, ...Object.fromEntries(encoded) } }
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
function newJob(object: Resource): Job {
  const job = object as Job
  const { uid = '', name = '' } = job.metadata
  const spec = job.spec
  if (spec === undefined || spec.manualSelector === true) return job
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  }
  const template = spec.template
  return {
    ...job,
    spec: {
      ...spec,
      completions: spec.completions ?? 1,
      selector: { ...spec.selector, matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } },
      },
    },
    status: {},
  }
}

function definition({ clock }: Context, object: AnyResource, old: AnyResource | undefined): AnyResource {
  const { spec } = object as Resource as CustomResourceDefinition
  // What validation will refuse is not worth completing.
  if (!Array.isArray(spec?.versions) || typeof spec.names?.kind !== 'string') return object
  const complete = established(object, clock.now())
  const finalizers = complete.metadata.finalizers ?? []
  if (old !== undefined || finalizers.includes(customResourceCleanup)) return complete
  return { ...complete, metadata: { ...complete.metadata, finalizers: [...finalizers, customResourceCleanup] } }
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
