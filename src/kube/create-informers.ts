import type { Clock } from '#base/clock.ts'
import { messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { apiVersionOf, type Kind, keyOf, placeOf } from '#machinery/kind.ts'
import type { Place, Resource } from '#machinery/meta.ts'
import type { Client, ListQuery } from './client.ts'
import type { Informer, InformerHandler, Informers } from './informer.ts'
import { watcher } from './watcher.ts'

export interface InformersOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** Narrows every cache of this set. */
  readonly scope?: Pick<ListQuery, 'namespace' | 'labelSelector' | 'fieldSelector'>
  /** Makes a change to a cached object throw where it happens. For tests and development. */
  readonly freeze?: boolean
  readonly random?: () => number
}

/** Caches that fill themselves: one list and watch a kind. Disposing ends the watches and waits for them. */
export function createInformers(options: InformersOptions): Informers {
  const { client, clock, log, scope = {}, freeze = false, random = Math.random } = options
  const stop = new AbortController()
  const running = new Map<string, { readonly cache: Cache<Resource>; readonly done: Promise<void> }>()

  async function follow(kind: Kind, cache: Cache<Resource>): Promise<void> {
    for await (const event of watcher({ client, kind, scope, clock, log, random }, stop.signal)) {
      switch (event.type) {
        case 'restart':
          cache.restart()
          break
        case 'listed':
          cache.listed(freeze ? deepFreeze(event.object) : event.object)
          break
        case 'synced':
          cache.settle()
          break
        case 'applied':
          cache.upsert(freeze ? deepFreeze(event.object) : event.object)
          break
        case 'deleted':
          cache.remove(event.object)
          break
      }
    }
  }

  return {
    of<T extends Resource>(kind: Kind<T>): Informer<T> {
      const id = `${apiVersionOf(kind)}/${kind.plural}`
      let entry = running.get(id)
      if (entry === undefined) {
        const cache = new Cache<Resource>(log.with({ kind: kind.kind }))
        entry = { cache, done: follow(kind, cache) }
        running.set(id, entry)
      }
      return entry.cache as unknown as Informer<T> // one kind, one type: the id says which
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException('the informers were stopped', 'AbortError'))
      await Promise.all([...running.values()].map(({ done }) => done))
    },
  }
}

interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[]
  readonly files: Map<string, Map<string, T>>
}

/**
 * The objects of one kind by namespace and name, with indexes and handlers. An object is told apart from one that
 * had its name before by the uid: a handler sees the old one go and the new one come.
 */
class Cache<T extends Resource> implements Informer<T> {
  readonly #log: Log
  readonly #objects = new Map<string, Map<string, T>>()
  readonly #indexes = new Map<string, Index<T>>()
  readonly #handlers = new Set<InformerHandler<T>>()
  readonly #synced = Promise.withResolvers<void>()
  #isSynced = false
  /** What a running list has brought so far; replaces everything once it is whole. */
  #incoming: T[] = []

  constructor(log: Log) {
    this.#log = log
  }

  hasSynced(): boolean {
    return this.#isSynced
  }

  synced(signal?: AbortSignal): Promise<void> {
    if (signal === undefined || this.#isSynced) return this.#synced.promise
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason as Error)
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      void this.#synced.promise.then(() => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }

  get({ namespace = '', name }: Place): T | undefined {
    return this.#objects.get(namespace)?.get(name)
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return [...(this.#objects.get(namespace)?.values() ?? [])]
    return [...this.#objects.values()].flatMap((names) => [...names.values()])
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name)
    if (index === undefined) throw new Error(`there is no index ${name}`)
    return [...(index.files.get(value)?.values() ?? [])]
  }

  index(name: string, valuesOf: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) return
    const index: Index<T> = { valuesOf, files: new Map() }
    this.#indexes.set(name, index)
    for (const object of this.list()) file(index, object)
  }

  subscribe(handler: InformerHandler<T>): () => void {
    const own: InformerHandler<T> = { upsert: handler.upsert.bind(handler), remove: handler.remove.bind(handler) }
    this.#handlers.add(own)
    for (const object of this.list()) this.#tell(own, (to) => to.upsert(object, undefined))
    return () => this.#handlers.delete(own)
  }

  restart(): void {
    this.#incoming = []
  }

  listed(object: T): void {
    this.#incoming.push(object)
  }

  settle(): void {
    const listed = this.#incoming
    this.#incoming = []
    const kept = new Set(listed.map((object) => keyOf(placeOf(object))))
    for (const object of this.list()) if (!kept.has(keyOf(placeOf(object)))) this.remove(object)
    for (const object of listed) this.upsert(object)
    this.#isSynced = true
    this.#synced.resolve()
  }

  upsert(object: T): void {
    let old = this.get(placeOf(object))
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      this.remove(old)
      old = undefined
    }
    if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return
    const { namespace = '', name } = placeOf(object)
    let names = this.#objects.get(namespace)
    if (names === undefined) this.#objects.set(namespace, (names = new Map()))
    names.set(name, object)
    for (const index of this.#indexes.values()) {
      if (old !== undefined) unfile(index, old)
      file(index, object)
    }
    for (const handler of this.#handlers) this.#tell(handler, (to) => to.upsert(object, old))
  }

  /** Forgets what is cached under the object's name; handlers see the last known state before `last`. */
  remove(last: T): void {
    const { namespace = '', name } = placeOf(last)
    const names = this.#objects.get(namespace)
    const cached = names?.get(name)
    if (names === undefined || cached === undefined) return
    names.delete(name)
    if (names.size === 0) this.#objects.delete(namespace)
    for (const index of this.#indexes.values()) unfile(index, cached)
    const told = cached.metadata.uid === last.metadata.uid ? last : cached
    for (const handler of this.#handlers) this.#tell(handler, (to) => to.remove(told))
  }

  #tell(handler: InformerHandler<T>, tell: (handler: InformerHandler<T>) => void): void {
    try {
      tell(handler)
    } catch (error) {
      // One handler's bug must not cost the others their events, nor the cache its watch.
      this.#log.error('informer handler threw', { error: messageOf(error), stack: (error as Error).stack })
    }
  }
}

function file<T extends Resource>(index: Index<T>, object: T): void {
  const key = keyOf(placeOf(object))
  for (const value of index.valuesOf(object)) {
    const filed = index.files.get(value)
    if (filed === undefined) index.files.set(value, new Map([[key, object]]))
    else filed.set(key, object)
  }
}

function unfile<T extends Resource>(index: Index<T>, object: T): void {
  const key = keyOf(placeOf(object))
  for (const value of index.valuesOf(object)) {
    const filed = index.files.get(value)
    filed?.delete(key)
    if (filed?.size === 0) index.files.delete(value)
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
