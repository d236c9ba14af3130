import { createHash } from 'node:crypto'
import type { Kind } from '#machinery/kind.ts'
import { type KindRegistry, type ServedKind, verbsOf } from './served-kind.ts'
import { versionPriority } from './custom-kinds.ts'

/**
 * What is served, in the two forms that clients ask for: group by group, and all at once (aggregated).
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
interface GroupVersions {
  readonly group: string
  /** Preferred first. */
  readonly versions: readonly { readonly version: string; readonly kinds: readonly ServedKind[] }[]
}

function groupsOf(kinds: KindRegistry): GroupVersions[] {
  const byGroup = Map.groupBy(kinds.all(), ({ kind }) => kind.group)
  return Array.from(byGroup, ([group, served]) => {
    const byVersion = Map.groupBy(served, ({ kind }) => kind.version)
    const versions = Array.from(byVersion, ([version, some]) => ({ version, kinds: some }))
    return { group, versions: versions.sort((a, b) => versionPriority(b.version) - versionPriority(a.version)) }
  })
}

interface Subresource {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

function subresource({ kind }: ServedKind, name: string): Subresource {
  const { group, version } = kind
  const own = { name, group, version, kind: kind.kind }
  switch (name) {
    case 'scale':
      return { ...own, group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] }
    case 'eviction':
      return { ...own, group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] }
    case 'binding':
      return { ...own, kind: 'Binding', verbs: ['create'] }
    case 'log':
      return { ...own, verbs: ['get'] }
    case 'finalize':
      return { ...own, verbs: ['update'] }
    default:
      return { ...own, verbs: ['get', 'patch', 'update'] }
  }
}

export function apiVersions(host: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: host }],
  }
}

export function apiGroups(kinds: KindRegistry): object {
  const groups = groupsOf(kinds).filter(({ group }) => group !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupEntry) }
}

export function apiGroup(kinds: KindRegistry, name: string): object | undefined {
  const found = groupsOf(kinds).find(({ group }) => group === name && group !== '')
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(found) }
}

function groupEntry({ group, versions }: GroupVersions) {
  const entries = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions: entries, preferredVersion: entries[0] }
}

export function apiResources(kinds: KindRegistry, group: string, version: string): object | undefined {
  const found = kinds.all().filter(({ kind }) => kind.group === group && kind.version === version)
  if (found.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: found.flatMap(resourceEntries),
  }
}

function resourceEntries(served: ServedKind): object[] {
  const { kind } = served
  const main = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: verbsOf(served),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(served.use === 'review' ? {} : { storageVersionHash: storageVersionHash(served) }),
  }
  const subresources = served.subresources.map((name) => {
    const { kind: subKind, group, version, verbs } = subresource(served, name)
    const foreign = group === kind.group && version === kind.version ? {} : { group, version }
    return {
      name: `${kind.plural}/${name}`,
      singularName: '',
      namespaced: kind.namespaced,
      ...foreign,
      kind: subKind,
      verbs,
    }
  })
  return [main, ...subresources]
}

/** Where a cluster stores another version than it prefers. */
const storedAs: Readonly<Record<string, string>> = { 'apiextensions.k8s.io/v1': 'apiextensions.k8s.io/v1beta1' }

/** Tells clients when objects begin to be stored in another version. */
function storageVersionHash({ kind, storedApiVersion }: ServedKind): string {
  const stored = storedApiVersion.includes('/')
    ? (storedAs[storedApiVersion] ?? storedApiVersion)
    : `/${storedApiVersion}`
  return createHash('sha256').update(`${stored}/${kind.kind}`).digest().subarray(0, 8).toString('base64')
}

/** `APIGroupDiscoveryList` of `/api` (the core group) or of `/apis` (all others). */
export function aggregated(kinds: KindRegistry, core: boolean): object {
  const groups = groupsOf(kinds).filter(({ group }) => (group === '') === core)
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versions.map((entry) => ({
        version: entry.version,
        freshness: 'Current',
        resources: entry.kinds.map(aggregatedEntry),
      })),
    })),
  }
}

function aggregatedEntry(served: ServedKind): object {
  const { kind } = served
  const scope = kind.namespaced ? 'Namespaced' : 'Cluster'
  return {
    resource: kind.plural,
    responseKind: responseKind(kind, kind),
    scope,
    singularResource: kind.singular,
    verbs: verbsOf(served),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(served.subresources.length === 0
      ? {}
      : {
          subresources: served.subresources.map((name) => {
            const answered = subresource(served, name)
            return { subresource: name, responseKind: responseKind(kind, answered), verbs: answered.verbs }
          }),
        }),
  }
}

/** Kubernetes' own kinds do not say again what group and version they are in. */
function responseKind({ builtin, group, version }: Kind, answered: Pick<Kind, 'group' | 'version' | 'kind'>): object {
  const isSame = builtin && answered.group === group && answered.version === version
  return isSame
    ? { group: '', version: '', kind: answered.kind }
    : { group: answered.group, version: answered.version, kind: answered.kind }
}
