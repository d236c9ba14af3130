import type { Kind } from '#machinery/kind.ts'
import type { Place, Resource } from '#machinery/meta.ts'

/** One shared cache for each kind, filled by one list and watch, read by all controllers of a process. */
export interface Informers extends AsyncDisposable {
  /** The cache of a kind; starts its watch at first call. That of metadata alone may hold more. */
  of<T extends Resource>(kind: Kind<T>): Informer<T>
}

export interface Informer<T extends Resource> {
  /** Resolves once the first list is in the cache, or the server is known not to have the kind. */
  synced(signal?: AbortSignal): Promise<void>
  /** Whether that is so: before, what is absent may only not have been seen yet. */
  hasSynced(): boolean
  get(place: Place): T | undefined
  list(namespace?: string): readonly T[]
  /** Objects that an index files under `value`; indexes are added with `index`. */
  byIndex(name: string, value: string): readonly T[]
  /** Adds an index; a second call of the same name is ignored. */
  index(name: string, valuesOf: (object: T) => readonly string[]): void
  /** Called for everything cached now and every later change, in order. Returns the way to stop it. */
  subscribe(handler: InformerHandler<T>): () => void
}

export interface InformerHandler<T extends Resource> {
  upsert(object: T, old: T | undefined): void
  remove(object: T): void
  /** A server that did not have the kind has it now. */
  served?(): void
}
