import { type Clock, systemClock } from '#base/clock.ts'
import { Fault, messageOf } from '#base/fault.ts'
import { type Durability, openLog, type LogRow, type RevisionLog } from './revision-log.ts'
import { SortedKeys } from './sorted-keys.ts'

/**
 * A revisioned key-value store for one machine.
 *
 *     put/delete ─► decided at once, in order ─► pending ─┐ one commit at a time, of all decided since the last
 *     latest() ◄── pending over live                      ▼
 *     get/list/changes ◄── live ◄── window ◄── committed to the log ─► subscribers ─► the writer's promise
 *
 * A writer decides against everything decided so far (`latest`); everybody else sees only what is committed, so that
 * nothing seen can be undone by a crash. Decisions need no lock: between `latest` and `put` the caller does not wait.
 */
export interface Store extends AsyncDisposable {
  /** The newest committed revision; 1 in an empty store. */
  readonly revision: number
  /** The oldest revision that can still be listed, or watched from. */
  readonly compacted: number
  /** The newest state of a key, decided but perhaps not yet committed: to decide the next write on, never to answer with. */
  latest(key: Key): Entry | undefined
  /** Whether anything is stored or decided for `resource`, in `namespace` if one is given. */
  holds(resource: string, namespace?: string): boolean
  /** Writes what `render` makes of the revision the write gets. Resolves when committed and fanned out. */
  put(key: Key, render: (revision: number) => string): Promise<Entry>
  /** Removes a key; `render` gives its last state, for watchers. Resolves to that state when committed. */
  delete(key: Key, render: (revision: number) => string): Promise<Entry>
  /** Resolves once a state that `latest` gave is committed, so that one may answer with it. Rejects when it never is. */
  committed(entry: Entry): Promise<Entry>
  get(key: Key): Entry | undefined
  /** All of a resource, or of one namespace of it, in key order, as of `revision` (the newest if absent). */
  list(range: Range, revision?: number): readonly Entry[]
  /** How many live objects each resource has. */
  counts(): ReadonlyMap<string, number>
  /** Committed changes of a resource after `revision`, oldest first. */
  changes(resource: string, revision: number): readonly Change[]
  /** Calls `listen` with the changes of every commit that touched `resource`, before their writers are answered. */
  subscribe(resource: string, listen: (changes: readonly Change[]) => void): () => void
  /** Forgets the history up to `revision`; `list` and `changes` before it throw a `Fault` with code `Compacted`. */
  compact(revision: number): void
}

/** `name` and `namespace` as in an object's metadata; an empty namespace for a cluster-scoped object. */
export interface Key {
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

export interface Range {
  readonly resource: string
  readonly namespace?: string | undefined
}

/** One state of one object, immutable. `text` is what the writer rendered. */
export interface Entry extends Key {
  readonly revision: number
  readonly text: string
}

export interface Change {
  readonly entry: Entry
  readonly deleted: boolean
  readonly previous: Entry | undefined
  readonly atMs: number
}

export interface StoreOptions {
  /** A file, or `:memory:`. */
  readonly path: string
  readonly durability?: Durability
  readonly clock?: Clock
  /** How much history to keep for watches and consistent paging; the first limit reached compacts. */
  readonly keep?: { readonly changes: number; readonly bytes: number; readonly ageMs: number }
}

const defaultKeep = { changes: 20_000, bytes: 48 * 1024 * 1024, ageMs: 10 * 60_000 }
const compactEveryMs = 60_000

/** Opens or makes a store. Faults: `conflict` `StoreInUse`, `invalid` `StoreFormat`. */
export function openStore(options: StoreOptions): Store {
  return new SqliteStore(options)
}

interface Write {
  readonly change: Change
  readonly done: PromiseWithResolvers<Entry>
}

class SqliteStore implements Store {
  readonly #log: RevisionLog
  readonly #clock: Clock
  readonly #keep: { readonly changes: number; readonly bytes: number; readonly ageMs: number }
  readonly #live = new Map<string, Map<string, Entry>>()
  readonly #sorted = new Map<string, SortedKeys>()
  readonly #listeners = new Map<string, Set<(changes: readonly Change[]) => void>>()
  /** Decided, not yet given to the log. */
  #writes: Write[] = []
  /** The newest change of each key that is decided and not yet committed. */
  readonly #pending = new Map<string, Write>()
  /** The commit that waits for the disk; settles when it is over, never rejects. */
  #committing: Promise<void> | undefined
  #broken: Fault | undefined
  #window: Change[] = []
  #windowBytes = 0
  #decided: number
  #revision: number
  #compacted: number
  #timer: { cancel(): void } | undefined
  #closed = false

  constructor({ path, durability = 'full', clock = systemClock, keep = defaultKeep }: StoreOptions) {
    this.#clock = clock
    this.#keep = keep
    this.#log = openLog(path, durability)
    this.#compacted = this.#log.compacted()
    this.#revision = this.#compacted
    for (const row of this.#log.rows()) this.#load(row)
    this.#decided = this.#revision
    this.#tick()
  }

  get revision(): number {
    return this.#revision
  }

  get compacted(): number {
    return this.#compacted
  }

  latest(key: Key): Entry | undefined {
    const pending = this.#pending.get(idOf(key))?.change
    if (pending === undefined) return this.get(key)
    return pending.deleted ? undefined : pending.entry
  }

  committed(entry: Entry): Promise<Entry> {
    const pending = this.#pending.get(idOf(entry))
    return pending?.change.entry === entry ? pending.done.promise : Promise.resolve(entry)
  }

  holds(resource: string, namespace?: string): boolean {
    for (const entry of this.list({ resource, namespace })) {
      if (this.#pending.get(idOf(entry))?.change.deleted !== true) return true
    }
    for (const { change } of this.#pending.values()) {
      const { entry, deleted } = change
      if (deleted || entry.resource !== resource) continue
      if (namespace === undefined || entry.namespace === namespace) return true
    }
    return false
  }

  put(key: Key, render: (revision: number) => string): Promise<Entry> {
    return this.#decide(key, render, false)
  }

  delete(key: Key, render: (revision: number) => string): Promise<Entry> {
    return this.#decide(key, render, true)
  }

  get(key: Key): Entry | undefined {
    return this.#live.get(key.resource)?.get(pathOf(key))
  }

  list({ resource, namespace }: Range, revision = this.#revision): readonly Entry[] {
    const live = this.#live.get(resource)
    const paths = this.#sorted.get(resource)?.range(namespace === undefined ? '' : `${namespace}/`) ?? []
    const now = paths.map((path) => live?.get(path) as Entry) // the keys are those of the map
    if (revision >= this.#revision) return now
    return this.#asOf(now, revision, { resource, namespace })
  }

  counts(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#live, ([resource, entries]) => [resource, entries.size]))
  }

  changes(resource: string, revision: number): readonly Change[] {
    return this.#since(revision).filter((change) => change.entry.resource === resource)
  }

  subscribe(resource: string, listen: (changes: readonly Change[]) => void): () => void {
    const listeners = this.#listeners.get(resource) ?? new Set()
    this.#listeners.set(resource, listeners.add(listen))
    return () => listeners.delete(listen)
  }

  compact(revision: number): void {
    const upTo = Math.min(revision, this.#revision)
    if (upTo <= this.#compacted || this.#closed) return
    const count = firstAfter(this.#window, upTo)
    const dropped = this.#window.slice(0, count)
    this.#log.compact(
      upTo,
      dropped.flatMap(({ entry, deleted, previous }) => [
        ...(previous === undefined ? [] : [previous.revision]),
        ...(deleted ? [entry.revision] : []),
      ]),
    )
    this.#window = this.#window.slice(count)
    for (const change of dropped) this.#windowBytes -= change.entry.text.length
    this.#compacted = upTo
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.cancel()
    while (this.#writes.length > 0 || this.#committing !== undefined) {
      this.#commit()
      await this.#committing
    }
    this.#log.close()
  }

  #decide(key: Key, render: (revision: number) => string, deleted: boolean): Promise<Entry> {
    if (this.#closed) return Promise.reject(new Fault('unavailable', 'StoreClosed', 'the store is closed'))
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    const previous = this.latest(key)
    const revision = this.#decided + 1
    const { resource, namespace, name } = key
    const entry = { resource, namespace, name, revision, text: render(revision) }
    const write = {
      change: { entry, deleted, previous, atMs: this.#clock.now() },
      done: Promise.withResolvers<Entry>(),
    }
    this.#decided = revision
    this.#pending.set(idOf(key), write)
    if (this.#writes.length === 0) setImmediate(() => this.#commit())
    this.#writes.push(write)
    return write.done.promise
  }

  /** Commits what is decided, unless a commit is under way: that one comes back for the rest. */
  #commit(): void {
    if (this.#committing !== undefined || this.#writes.length === 0) return
    const writes = this.#writes
    this.#writes = []
    try {
      this.#log.append(writes.map(({ change: { entry, deleted, atMs } }) => ({ ...entry, deleted, atMs })))
    } catch (error) {
      // Nothing of it was seen by anyone: the live objects stand as they were.
      this.#decided = this.#revision
      this.#pending.clear()
      const fault = unwritable(error)
      for (const { done } of writes) done.reject(fault)
      return
    }
    const synced = this.#log.sync()
    if (synced === undefined) return this.#publish(writes)
    this.#committing = synced
      .then(
        () => this.#publish(writes),
        (error: unknown) => this.#break(error, writes),
      )
      .finally(() => {
        this.#committing = undefined
        // Those who were just answered may have more to write: one turn, and it goes along.
        setImmediate(() => this.#commit())
      })
  }

  /** Shows committed changes to everybody, watchers first, then their writers. */
  #publish(writes: readonly Write[]): void {
    for (const write of writes) {
      const id = idOf(write.change.entry)
      if (this.#pending.get(id) === write) this.#pending.delete(id)
      this.#admit(write.change)
    }
    this.#fanOut(writes.map(({ change }) => change))
    for (const { change, done } of writes) done.resolve(change.entry)
    const { changes: maxChanges, bytes: maxBytes } = this.#keep
    if (this.#window.length > maxChanges * 1.1 || this.#windowBytes > maxBytes * 1.1) this.#trim()
  }

  /** After a failed sync nobody knows what is on the disk; only a store opened anew may say. */
  #break(error: unknown, writes: readonly Write[]): void {
    this.#broken = unwritable(error)
    for (const { done } of [...writes, ...this.#writes]) done.reject(this.#broken)
    this.#writes = []
    this.#pending.clear()
  }

  #fanOut(changes: readonly Change[]): void {
    const byResource = Map.groupBy(changes, (change) => change.entry.resource)
    for (const [resource, some] of byResource) {
      for (const listen of this.#listeners.get(resource) ?? []) listen(some)
    }
  }

  /** Makes a committed change part of the live objects and of the window. */
  #admit(change: Change): void {
    const { entry, deleted } = change
    const path = pathOf(entry)
    const live = getOrMake(this.#live, entry.resource, () => new Map<string, Entry>())
    const sorted = getOrMake(this.#sorted, entry.resource, () => new SortedKeys())
    if (deleted) {
      live.delete(path)
      sorted.delete(path)
    } else {
      if (!live.has(path)) sorted.add(path)
      live.set(path, entry)
    }
    this.#revision = entry.revision
    this.#window.push(change)
    this.#windowBytes += entry.text.length
  }

  #load({ deleted, atMs, ...entry }: LogRow): void {
    const previous = this.get(entry)
    this.#admit({ entry, deleted, previous, atMs })
    if (entry.revision > this.#compacted) return
    this.#window.length = 0
    this.#windowBytes = 0
    this.#revision = this.#compacted
  }

  #since(revision: number): readonly Change[] {
    if (revision < this.#compacted) {
      throw new Fault('missing', 'Compacted', `revision ${revision} is older than ${this.#compacted}, the oldest kept`)
    }
    return this.#window.slice(firstAfter(this.#window, revision))
  }

  /** What a range held at an older revision: the first change of a key after it tells what was before. */
  #asOf(now: readonly Entry[], revision: number, { resource, namespace }: Range): readonly Entry[] {
    const then = new Map(now.map((entry) => [pathOf(entry), entry]))
    const seen = new Set<string>()
    for (const { entry, previous } of this.#since(revision)) {
      const path = pathOf(entry)
      if (entry.resource !== resource || (namespace !== undefined && entry.namespace !== namespace)) continue
      if (seen.has(path)) continue
      seen.add(path)
      if (previous === undefined) then.delete(path)
      else then.set(path, previous)
    }
    return seen.size === 0
      ? now
      : Array.from(then)
          .sort(byPath)
          .map(([, entry]) => entry)
  }

  #trim(): void {
    let bytes = this.#windowBytes
    let drop = Math.max(0, this.#window.length - this.#keep.changes)
    for (let i = 0; i < drop; i++) bytes -= this.#window[i]?.entry.text.length ?? 0
    while (bytes > this.#keep.bytes && drop < this.#window.length) bytes -= this.#window[drop++]?.entry.text.length ?? 0
    this.#forget(this.#window[drop - 1])
  }

  #tick(): void {
    this.#timer = this.#clock.after(compactEveryMs, () => {
      const oldest = this.#clock.now() - this.#keep.ageMs
      this.#forget(this.#window.findLast((change) => change.atMs < oldest))
      this.#tick()
    })
  }

  /** Of its own accord: here nobody asked who could be told that it failed. */
  #forget(last: Change | undefined): void {
    try {
      if (last !== undefined) this.compact(last.entry.revision)
    } catch {
      // The disk is full, say. All is as it was, and the next time may go better.
    }
  }
}

function unwritable(cause: unknown): Fault {
  return new Fault('unavailable', 'StoreWrite', `the store cannot write: ${messageOf(cause)}`, { cause })
}

function pathOf(key: Key): string {
  return `${key.namespace}/${key.name}`
}

function idOf(key: Key): string {
  return `${key.resource}/${key.namespace}/${key.name}`
}

function byPath([a]: readonly [string, Entry], [b]: readonly [string, Entry]): number {
  return a < b ? -1 : 1
}

/** Index of the first change after `revision`, by halving. */
function firstAfter(changes: readonly Change[], revision: number): number {
  let low = 0
  let high = changes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((changes[middle]?.entry.revision ?? 0) > revision) high = middle
    else low = middle + 1
  }
  return low
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
