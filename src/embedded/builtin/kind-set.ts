import { CustomResourceDefinition } from '#api/core/kinds.ts'
import type { Informers } from '#kube/informer.ts'
import { apiVersionOf, type Kind, metadataOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'

/**
 * The kinds that a server has now: those given, and one for each CustomResourceDefinition. It only grows. They are for
 * who looks at everything and reads metadata alone, and no more than that is read of their objects.
 */
export interface KindSet {
  all(): readonly Kind[]
  /** Any served version of it. */
  find(group: string, kind: string): Kind | undefined
  byId(id: string): Kind | undefined
  /** Called for each kind there is, and each that comes. */
  subscribe(added: (kind: Kind) => void): void
}

export function idOf(kind: Kind): string {
  return `${apiVersionOf(kind)}/${kind.plural}`
}

/** Events are served under two groups; what is done to one is done to the other. */
const views: ReadonlySet<string> = new Set(['events.k8s.io'])

export function createKindSet(informers: Informers, given: readonly Kind[]): KindSet {
  const kinds = new Map<string, Kind>()
  const listeners: ((kind: Kind) => void)[] = []
  const add = (whole: Kind) => {
    if (views.has(whole.group) || set.find(whole.group, whole.kind) !== undefined) return
    const kind = metadataOf(whole)
    kinds.set(idOf(kind), kind)
    for (const listener of listeners) listener(kind)
  }
  const set: KindSet = {
    all: () => [...kinds.values()],
    find: (group, name) => [...kinds.values()].find((kind) => kind.group === group && kind.kind === name),
    byId: (id) => kinds.get(id),
    subscribe(added) {
      listeners.push(added)
      for (const kind of kinds.values()) added(kind)
    },
  }
  for (const kind of given) add(kind)
  informers.of(CustomResourceDefinition).subscribe({
    upsert(crd) {
      const kind = kindOf(crd)
      if (kind !== undefined) add(kind)
    },
    remove() {},
  })
  return set
}

/** Just what it takes to list, watch and delete; undefined while the server does not serve it. */
function kindOf({ spec, status }: CustomResourceDefinition): Kind | undefined {
  const isServed = status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True')
  const version =
    spec.versions.find(({ storage, served }) => storage && served) ?? spec.versions.find(({ served }) => served)
  if (isServed !== true || version === undefined) return undefined
  const { names } = spec
  return {
    group: spec.group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    shortNames: [],
    categories: [],
    namespaced: spec.scope === 'Namespaced',
    status: version.subresources?.status !== undefined,
    columns: [],
    builtin: false,
    schema: () => ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
  } satisfies Kind<Resource>
}
