import type { Clock } from '#base/clock.ts'
import { factsOf, type Log } from '#base/log.ts'
import { apiVersionOf, type Kind, keyOf, placeOf } from '#machinery/kind.ts'
import type { Place, Resource } from '#machinery/meta.ts'
import type { Client } from './client.ts'
import type { Informer, InformerHandler, Informers } from './informer.ts'
import { watcher } from './watcher.ts'

export interface InformersOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** Narrows the cache of a namespaced kind to these, each with a watch of its own; undefined: all in one watch. */
  readonly namespacesOf?: (kind: Kind) => readonly string[] | undefined
  /** The server stops having a kind, or has one that it did not have; told once for each change. */
  readonly onServed?: (kind: Kind, isServed: boolean) => void
  /** Lists may be streamed where the server can do that; default true. */
  readonly watchLists?: boolean
  /** Makes a change to a cached object throw where it happens. For tests and development. */
  readonly freeze?: boolean
  readonly random?: () => number
}

export interface OwnInformers extends Informers {
  /** Kinds that were asked for and whose caches are yet to be filled. */
  unsynced(): readonly Kind[]
  /** Kinds that were asked for and that the server does not have. */
  absent(): readonly Kind[]
}

/** Caches that fill themselves: one list and watch a kind. Disposing ends the watches and waits for them. */
export function createInformers(options: InformersOptions): OwnInformers {
  const {
    client,
    clock,
    log,
    namespacesOf,
    freeze = false,
    random = Math.random,
    onServed,
    watchLists = true,
  } = options
  const stop = new AbortController()
  const running = new Map<
    string,
    { readonly kind: Kind; readonly cache: Cache<Resource>; readonly done: Promise<unknown> }
  >()
  const server = { watchLists }

  async function follow(kind: Kind, part: Part<Resource>, namespace: string | undefined): Promise<void> {
    const scope = namespace === undefined ? {} : { namespace }
    for await (const event of watcher({ client, kind, scope, clock, log, random, server }, stop.signal)) {
      switch (event.type) {
        case 'restart':
          part.restart()
          break
        case 'listed':
          part.listed(freeze ? deepFreeze(event.object) : event.object)
          break
        case 'synced':
          part.settle()
          break
        case 'absent':
          part.absent()
          break
        case 'applied':
          part.upsert(freeze ? deepFreeze(event.object) : event.object)
          break
        case 'deleted':
          part.remove(event.object)
          break
      }
    }
  }

  function open(kind: Kind): { kind: Kind; cache: Cache<Resource>; done: Promise<unknown> } {
    const cache = new Cache<Resource>(log.with({ kind: kind.kind }), (isServed) => onServed?.(kind, isServed))
    const places = (kind.namespaced ? namespacesOf?.(kind) : undefined) ?? [undefined]
    const parts = places.map((namespace) => ({ namespace, part: cache.part(namespace) }))
    return { kind, cache, done: Promise.all(parts.map(({ namespace, part }) => follow(kind, part, namespace))) }
  }

  const those = (which: (cache: Cache<Resource>) => boolean): readonly Kind[] =>
    [...running.values()].filter(({ cache }) => which(cache)).map(({ kind }) => kind)

  return {
    of<T extends Resource>(kind: Kind<T>): Informer<T> {
      const whole = `${apiVersionOf(kind)}/${kind.plural}`
      const metadata = `${whole} metadata`
      // Where whole objects are followed already, their metadata comes with them; whoever got a cache keeps it.
      const isApart = kind.metadataOnly === true && (running.has(metadata) || !running.has(whole))
      const id = isApart ? metadata : whole
      let entry = running.get(id)
      if (entry === undefined) running.set(id, (entry = open(kind)))
      return entry.cache as unknown as Informer<T> // one kind, one type: the id says which
    },
    unsynced: () => those((cache) => !cache.hasSynced()),
    absent: () => those((cache) => cache.isAbsent()),
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

/** How one watch fills its part of a cache. */
interface Part<T> {
  restart(): void
  listed(object: T): void
  settle(): void
  absent(): void
  upsert(object: T): void
  remove(last: T): void
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
  /** Parts that have yet to be filled. */
  readonly #unfilled = new Set<Part<T>>()
  readonly #onServed: (isServed: boolean) => void
  #isAbsent = false

  constructor(log: Log, onServed: (isServed: boolean) => void) {
    this.#log = log
    this.#onServed = onServed
  }

  /** The part that one watch fills: a namespace, or all there is. All parts are made before the first is filled. */
  part(namespace: string | undefined): Part<T> {
    /** What a running list has brought so far; replaces everything once it is whole. */
    let incoming: T[] = []
    const part: Part<T> = {
      restart: () => void (incoming = []),
      listed: (object) => void incoming.push(object),
      settle: () => {
        this.#replace(this.list(namespace), incoming)
        incoming = []
        this.#filled(part, false)
      },
      absent: () => {
        this.#replace(this.list(namespace), [])
        this.#filled(part, true)
      },
      upsert: (object) => this.#upsert(object),
      remove: (last) => this.#remove(last),
    }
    this.#unfilled.add(part)
    return part
  }

  hasSynced(): boolean {
    return this.#unfilled.size === 0
  }

  isAbsent(): boolean {
    return this.#isAbsent
  }

  synced(signal?: AbortSignal): Promise<void> {
    if (signal === undefined || this.hasSynced()) return this.#synced.promise
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
    const index: Index<T> = { valuesOf: this.#tolerant(valuesOf), files: new Map() }
    this.#indexes.set(name, index)
    for (const object of this.list()) file(index, object)
  }

  subscribe(handler: InformerHandler<T>): () => void {
    const own: InformerHandler<T> = {
      upsert: handler.upsert.bind(handler),
      remove: handler.remove.bind(handler),
      served: () => handler.served?.(),
    }
    this.#handlers.add(own)
    for (const object of this.list()) this.#tell(own, (to) => to.upsert(object, undefined))
    return () => this.#handlers.delete(own)
  }

  #replace(old: readonly T[], listed: readonly T[]): void {
    const kept = new Set(listed.map((object) => keyOf(placeOf(object))))
    for (const object of old) if (!kept.has(keyOf(placeOf(object)))) this.#remove(object)
    for (const object of listed) this.#upsert(object)
  }

  #filled(part: Part<T>, isAbsent: boolean): void {
    this.#unfilled.delete(part)
    if (this.hasSynced()) this.#synced.resolve()
    if (this.#isAbsent === isAbsent) return
    this.#isAbsent = isAbsent
    this.#onServed(!isAbsent)
    if (!isAbsent) for (const handler of this.#handlers) this.#tell(handler, (to) => to.served?.())
  }

  #upsert(object: T): void {
    let old = this.get(placeOf(object))
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
      this.#remove(old)
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
  #remove(last: T): void {
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

  /** What an index cannot read, it files nowhere: one odd object must not cost the cache its watch. */
  #tolerant(valuesOf: Index<T>['valuesOf']): Index<T>['valuesOf'] {
    return (object) => {
      try {
        return valuesOf(object)
      } catch (error) {
        this.#log.error('index threw', factsOf(error))
        return []
      }
    }
  }

  #tell(handler: InformerHandler<T>, tell: (handler: InformerHandler<T>) => void): void {
    try {
      tell(handler)
    } catch (error) {
      // One handler's bug must not cost the others their events, nor the cache its watch.
      this.#log.error('informer handler threw', factsOf(error))
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
