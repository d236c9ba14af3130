import { createHash } from 'node:crypto'
import { type Kind, resourceName } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import type { Entry, Store } from '#embedded/store/store.ts'
import { definitionsResource, servedVersions } from './custom-kinds.ts'
import { type KindRegistry, servedBuiltin, type ServedKind } from './served-kind.ts'

export interface LiveRegistry extends KindRegistry {
  /** Changes whenever a definition does, across restarts and stores too: clients keep documents on disk by it. */
  readonly tag: string
  stop(): void
}

/** Kubernetes' own kinds, and the custom ones that the definitions in the store describe at any moment. */
export function createRegistry(
  store: Store,
  core: readonly Kind[],
  reviews: readonly Kind[],
  gitVersion: string,
): LiveRegistry {
  const builtin = [
    ...core.map((kind) => servedBuiltin(kind, 'store')),
    ...reviews.map((kind) => servedBuiltin(kind, 'review')),
  ]
  const custom = new Map<
    string,
    { readonly id: string; readonly kinds: readonly ServedKind[]; readonly end: AbortController }
  >()
  let byPath = new Map<string, ServedKind>()
  let tag = ''

  const rebuild = (): void => {
    const ids = Array.from(custom.values(), ({ id }) => id)
    tag = createHash('sha256')
      .update([gitVersion, ...ids.sort()].join())
      .digest('hex')
      .slice(0, 32)
    const all = [...builtin, ...Array.from(custom.values(), ({ kinds }) => kinds).flat()]
    // Kubernetes' own come first, so that nobody can define them away.
    byPath = new Map(
      all.toReversed().map((served) => [pathOf(served.kind.group, served.kind.version, served.kind.plural), served]),
    )
  }
  const define = (entry: Entry): void => {
    const object = JSON.parse(entry.text) as AnyResource
    const end = custom.get(entry.name)?.end ?? new AbortController()
    const id = `${object.metadata.uid} ${entry.revision}`
    custom.set(entry.name, {
      id,
      end,
      kinds: servedVersions(object).map((served) => ({ ...served, ended: end.signal })),
    })
  }
  for (const entry of store.list({ resource: definitionsResource })) define(entry)
  rebuild()
  const stop = store.subscribe(definitionsResource, (changes) => {
    for (const { entry, deleted } of changes) {
      if (!deleted) define(entry)
      else {
        custom.get(entry.name)?.end.abort()
        custom.delete(entry.name)
      }
    }
    rebuild()
  })
  return {
    get tag() {
      return tag
    },
    find: (group, version, plural) => byPath.get(pathOf(group, version, plural)),
    all: () => [...byPath.values()].toReversed(),
    stop,
  }
}

function pathOf(group: string, version: string, plural: string): string {
  return `${version}/${resourceName({ group, plural })}`
}
