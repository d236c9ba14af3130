import type { Verb } from './route.ts'
import { apiVersionOf, type Kind, resourceName } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'

/** One version of one kind as this server serves it. */
export interface ServedKind {
  readonly kind: Kind
  readonly apiVersion: string
  /** Its place in the store; all versions of a kind share it. */
  readonly resource: string
  /** `apiVersion` of the stored text. */
  readonly storedApiVersion: string
  /** `review`: answered at once and never stored. */
  readonly use: 'store' | 'review'
  readonly subresources: readonly string[]
  /** Paths that a field selector may name, beside `metadata.name` and `metadata.namespace`, and where they are stored. */
  readonly selectableFields: ReadonlyMap<string, string>
  /** Whether `metadata.generation` counts the changes of what is wanted. */
  readonly counted: boolean
  /** Whether a replacement must say which version it replaces. */
  readonly versioned: boolean
  /** Whether a replacement of what is not there creates it. */
  readonly createdByUpdate: boolean
  /** Whether the answer to a deletion shows what went, instead of saying that it did. */
  readonly shownWhenDeleted: boolean
  /** What becomes of dependents when a deletion does not say. */
  readonly propagation?: 'Orphan'
  /** Between the stored and the served form, where they differ in more than `apiVersion`. */
  readonly convert?: Conversion
  /** Kubernetes' rule of who comes first in discovery; greater is earlier. */
  readonly priority: number
  /** What everybody who uses this version is warned of. */
  readonly deprecation?: string
  /** Set while the definition of a custom kind is being deleted: nothing may be created. */
  readonly closing?: boolean
  /** Aborts when the kind is no longer served: watches of it end. */
  readonly ended?: AbortSignal
}

export interface Conversion {
  readonly toServed: (stored: AnyResource) => AnyResource
  readonly toStored: (served: AnyResource) => AnyResource
}

/** All that is served now; definitions of custom kinds come and go. */
export interface KindRegistry {
  find(group: string, version: string, plural: string): ServedKind | undefined
  all(): readonly ServedKind[]
}

/** What can be asked of its collection and objects. */
export function verbsOf({ use, resource }: ServedKind): readonly Verb[] {
  if (use === 'review') return ['create']
  return resource === 'namespaces' ? storedVerbs.filter((verb) => verb !== 'deletecollection') : storedVerbs
}

const storedVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

const builtinSubresources: Readonly<Record<string, readonly string[]>> = {
  pods: ['binding', 'eviction', 'log'],
  namespaces: ['finalize'],
}

const builtinFields: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  namespaces: ['status.phase'],
  nodes: ['spec.unschedulable'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  'jobs.batch': ['status.successful'],
}

/** Kubernetes' own kinds whose generation it counts. */
const countedBuiltins = new Set([
  'pods',
  'jobs.batch',
  'customresourcedefinitions.apiextensions.k8s.io',
  'endpointslices.discovery.k8s.io',
])

const versionedBuiltins = new Set(['leases.coordination.k8s.io', 'customresourcedefinitions.apiextensions.k8s.io'])

const createdByUpdate = new Set([
  'events',
  'leases.coordination.k8s.io',
  'services',
  ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map(
    (plural) => `${plural}.rbac.authorization.k8s.io`,
  ),
])

const shownWhenDeleted = new Set([
  'namespaces',
  'persistentvolumeclaims',
  'persistentvolumes',
  'pods',
  'serviceaccounts',
  'services',
])

export function servedBuiltin(kind: Kind, use: ServedKind['use']): ServedKind {
  const resource = resourceName(kind)
  const apiVersion = apiVersionOf(kind)
  const view = eventsView(kind)
  const stored = view === undefined ? resource : 'events'
  return {
    kind,
    apiVersion,
    resource: stored,
    storedApiVersion: view === undefined ? apiVersion : 'v1',
    use,
    subresources: [
      ...(kind.status ? ['status'] : []),
      ...(kind.scale === undefined ? [] : ['scale']),
      ...(builtinSubresources[resource] ?? []),
    ],
    selectableFields: new Map(
      view === undefined ? (builtinFields[stored] ?? []).map((path) => [path, path]) : eventFields,
    ),
    counted: countedBuiltins.has(resource),
    versioned: versionedBuiltins.has(resource),
    createdByUpdate: createdByUpdate.has(stored),
    shownWhenDeleted: shownWhenDeleted.has(resource),
    ...(resource === 'jobs.batch' ? { propagation: 'Orphan' } : {}),
    ...(view === undefined ? {} : { convert: view }),
    priority: kind.group === '' ? 100 : 50,
  }
}

/** Renames of `events.k8s.io/v1` against the core group's Event, served name first. */
const eventNames: readonly (readonly [string, string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]

/** What `events.k8s.io/v1` calls the fields that events are selected by. */
const eventFields: readonly (readonly [string, string])[] = [
  ['reason', 'reason'],
  ['reportingController', 'reportingComponent'],
  ['type', 'type'],
  ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
    (name) => [`regarding.${name}`, `involvedObject.${name}`] as const,
  ),
]

function eventsView(kind: Kind): Conversion | undefined {
  if (kind.group !== 'events.k8s.io') return undefined
  const rename = (pairs: readonly (readonly [string, string])[], object: AnyResource): AnyResource => {
    const names = new Map(pairs)
    const members = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value] as const)
    return Object.fromEntries(members) as AnyResource // the same members under other names
  }
  const toStored = eventNames
  const toServed = eventNames.map(([served, stored]) => [stored, served] as const)
  return {
    toServed: ({ reportingComponent, reportingInstance, ...stored }) =>
      rename(toServed, {
        ...stored,
        ...(reportingComponent ? { reportingComponent } : {}), // left out here, empty there
        ...(reportingInstance ? { reportingInstance } : {}),
      }),
    toStored: (served) => rename(toStored, served),
  }
}
