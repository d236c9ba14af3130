import type { Clock, Timer } from '#base/clock.ts'
import type { Informers } from '#kube/informer.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'

/** A watch may skip a version (it broke and was listed anew): nobody waits longer for one. */
const longestWaitMs = 5_000

/** The version that stands for "gone, or going". */
const gone = ''

/** The writes of one pass. */
export interface PassWrites {
  /** Call before a write is sent: the watch may bring the change before the answer comes. */
  of(kind: Kind): void
  /** The server has this now. `known` is what the cache had: a write that changed nothing brings no event. */
  landed(written: Resource, known: Resource | undefined): void
  /** The object with this uid goes. */
  deleted(uid: string): void
  /** The pass is over. */
  close(): void
}

interface Waiting {
  /** uid → versions still to be shown. */
  readonly versions: Map<string, Set<string>>
  readonly timer: Timer
  held: boolean
}

/**
 * Holds a key back until the caches show what its last pass wrote, so that no plan is made from a world without it:
 * a count that has not yet seen our own deletes would delete again. Versions are compared for equality only.
 */
export class Expectations {
  readonly #informers: Informers
  readonly #clock: Clock
  readonly #release: (key: string) => void
  readonly #followed = new Map<string, () => void>()
  /** For each open pass, what the caches have shown since it began: uid → versions. */
  readonly #open = new Set<Map<string, Set<string>>>()
  readonly #waiting = new Map<string, Waiting>()

  /** `release` is called with each held key as soon as the caches have caught up. */
  constructor(informers: Informers, clock: Clock, release: (key: string) => void) {
    this.#informers = informers
    this.#clock = clock
    this.#release = release
  }

  follow(kind: Kind): void {
    const id = `${apiVersionOf(kind)}/${kind.plural}`
    if (this.#followed.has(id)) return
    const stop = this.#informers.of(kind).subscribe({
      upsert: (object) => this.#saw(object, object.metadata.deletionTimestamp !== undefined),
      remove: (object) => this.#saw(object, true),
    })
    this.#followed.set(id, stop)
  }

  begin(key: string): PassWrites {
    const seen = new Map<string, Set<string>>()
    const expected = new Map<string, Set<string>>()
    const expect = (uid: string, version: string) => {
      if (seen.get(uid)?.has(version) !== true && seen.get(uid)?.has(gone) !== true) add(expected, uid, version)
    }
    this.#open.add(seen)
    return {
      of: (kind) => this.follow(kind),
      landed: ({ metadata: { uid = '', resourceVersion = '' } }, known) => {
        if (resourceVersion !== known?.metadata.resourceVersion) expect(uid, resourceVersion)
      },
      deleted: (uid) => expect(uid, gone),
      close: () => {
        this.#open.delete(seen)
        // What came between a write's answer and now.
        for (const [uid, versions] of expected) if (isMet(versions, seen.get(uid))) expected.delete(uid)
        if (expected.size === 0) return
        const timer = this.#clock.after(longestWaitMs, () => this.#settle(key))
        this.#waiting.set(key, { versions: expected, timer, held: false })
      },
    }
  }

  /** True when the caches have yet to catch up with the key's writes; it will be released then. */
  hold(key: string): boolean {
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return false
    waiting.held = true
    return true
  }

  /** All that was written has been seen, or given up on. */
  isIdle(): boolean {
    return this.#waiting.size === 0
  }

  stop(): void {
    for (const stop of this.#followed.values()) stop()
    for (const { timer } of this.#waiting.values()) timer.cancel()
    this.#waiting.clear()
  }

  #saw({ metadata: { uid = '', resourceVersion = '' } }: Resource, isGone: boolean): void {
    const shown = new Set(isGone ? [resourceVersion, gone] : [resourceVersion])
    for (const seen of this.#open) for (const version of shown) add(seen, uid, version)
    for (const [key, { versions }] of this.#waiting) {
      const expected = versions.get(uid)
      if (expected === undefined || !isMet(expected, shown)) continue
      versions.delete(uid)
      if (versions.size === 0) this.#settle(key)
    }
  }

  #settle(key: string): void {
    const waiting = this.#waiting.get(key)
    waiting?.timer.cancel()
    this.#waiting.delete(key)
    if (waiting?.held === true) this.#release(key)
  }
}

/** Only the last write to an object counts, but all of a pass are asked for: the cache shows them in order. */
function isMet(expected: Set<string>, shown: ReadonlySet<string> | undefined): boolean {
  if (shown?.has(gone) === true) return true
  for (const version of shown ?? []) expected.delete(version)
  return expected.size === 0
}

function add(into: Map<string, Set<string>>, uid: string, version: string): void {
  const versions = into.get(uid)
  if (versions === undefined) into.set(uid, new Set([version]))
  else versions.add(version)
}
