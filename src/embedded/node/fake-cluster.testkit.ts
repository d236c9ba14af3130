import { Fault } from '#base/fault.ts'
import { applyMergePatch } from '#machinery/merge-patch.ts'
import { keyOf, type Kind, placeOf } from '#machinery/kind.ts'
import type { Place, Resource } from '#machinery/meta.ts'
import { applyStrategicMergePatch } from '#machinery/strategic-merge.ts'
import type { Client } from '#kube/client.ts'
import type { Informer, InformerHandler, Informers } from '#kube/informer.ts'

/** Objects in memory behind the parts of a client and of informers that a node uses. Caches follow at once. */
export class FakeCluster {
  readonly #objects = new Map<string, Map<string, Resource>>()
  readonly #handlers = new Map<string, Set<InformerHandler<Resource>>>()
  /** Every write, as `verb kind/subresource name`. */
  readonly writes: string[] = []
  #lastUid = 0

  get<T extends Resource>(kind: Kind<T>, place: Place): T | undefined {
    return this.#of(kind).get(keyOf(place)) as T | undefined // a map holds one kind
  }

  list<T extends Resource>(kind: Kind<T>): T[] {
    return [...this.#of(kind).values()] as T[]
  }

  put<T extends Resource>(kind: Kind<T>, object: T): T {
    const uid = object.metadata.uid ?? `uid-${++this.#lastUid}`
    const stored = { ...object, metadata: { ...object.metadata, uid } }
    const key = keyOf(placeOf(stored))
    const old = this.#of(kind).get(key)
    this.#of(kind).set(key, stored)
    for (const handler of this.#handlersOf(kind)) handler.upsert(stored, old)
    return stored
  }

  remove(kind: Kind, place: Place): void {
    const old = this.#of(kind).get(keyOf(place))
    this.#of(kind).delete(keyOf(place))
    if (old !== undefined) for (const handler of this.#handlersOf(kind)) handler.remove(old)
  }

  readonly client = {
    create: async (kind: Kind, object: Resource) => {
      this.#wrote('create', kind, object.metadata.name)
      return this.put(kind, object)
    },
    apply: async (kind: Kind, object: Resource, { subresource }: { subresource?: string }) => {
      this.#wrote('apply', kind, object.metadata.name, subresource)
      const merged = applyMergePatch(this.get(kind, placeOf(object)) ?? {}, object)
      return this.put(kind, merged as Resource)
    },
    patch: async (
      kind: Kind,
      place: Place,
      { type, patch }: { type: string; patch: unknown },
      { subresource }: { subresource?: string } = {},
    ) => {
      this.#wrote('patch', kind, place.name, subresource)
      const old = this.get(kind, place)
      if (old === undefined) throw new Fault('missing', 'NotFound', 'not found')
      const next =
        type === 'strategic' ? applyStrategicMergePatch(old, patch, kind.schema()) : applyMergePatch(old, patch)
      return this.put(kind, next as Resource)
    },
    delete: async (kind: Kind, place: Place) => {
      this.#wrote('delete', kind, place.name)
      this.remove(kind, place)
    },
  } as unknown as Client // the rest is never called

  readonly informers: Informers = {
    of: <T extends Resource>(kind: Kind<T>) => this.#informer(kind),
    [Symbol.asyncDispose]: async () => {},
  }

  #informer<T extends Resource>(kind: Kind<T>): Informer<T> {
    return {
      synced: async () => {},
      hasSynced: () => true,
      get: (place) => this.get(kind, place),
      list: () => this.list(kind),
      byIndex: () => [],
      index() {},
      subscribe: (handler) => {
        const untyped = handler as unknown as InformerHandler<Resource>
        this.#handlersOf(kind).add(untyped)
        for (const object of this.list(kind)) handler.upsert(object, undefined)
        return () => void this.#handlersOf(kind).delete(untyped)
      },
    }
  }

  #of(kind: Kind): Map<string, Resource> {
    const known = this.#objects.get(kind.kind) ?? new Map<string, Resource>()
    this.#objects.set(kind.kind, known)
    return known
  }

  #handlersOf(kind: Kind): Set<InformerHandler<Resource>> {
    const known = this.#handlers.get(kind.kind) ?? new Set<InformerHandler<Resource>>()
    this.#handlers.set(kind.kind, known)
    return known
  }

  #wrote(verb: string, kind: Kind, name: string | undefined, subresource = ''): void {
    this.writes.push(`${verb} ${kind.kind}/${subresource} ${name}`)
  }
}
