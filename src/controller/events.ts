import { type Clock, timestamp } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import { isObject, revisionHash } from '#base/json.ts'
import type { Log } from '#base/log.ts'
import { Event } from '#api/core/kinds.ts'
import type { Client } from '#kube/client.ts'
import type { Condition, Resource } from '#machinery/meta.ts'
import type { Why } from './domain.ts'

/** Kubernetes' own limit. */
const longestNoteBytes = 1024
/** Different events that may be told of one object at once, and how long until it may tell one more. */
const burst = 25
const refillMs = 5 * 60_000
/** Told events and objects remembered; the oldest are forgotten first. */
const mostRemembered = 4_096
/** Events waiting to be written; above, new ones are dropped. */
const mostQueued = 10_000

export interface EventsOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  /** The controller; shown as the event's source. */
  readonly component: string
}

/**
 * Tells events in the background. The same words about the same object make one event whose count grows; an object
 * that has too much to say is cut off for a while. Nothing here fails a pass: an event that cannot be written is lost.
 */
export class EventRecorder {
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Log
  readonly #component: string
  /** Event name → how often it was told. */
  readonly #told = new Map<string, { count: number; firstMs: number }>()
  readonly #allowance = new Map<string, { tokens: number; atMs: number }>()
  readonly #queue: (() => Promise<void>)[] = []
  readonly #stop = new AbortController()
  readonly #calling = { signal: this.#stop.signal, priority: 'background' } as const
  #writing: Promise<void> | undefined

  constructor({ client, clock, log, component }: EventsOptions) {
    this.#client = client
    this.#clock = clock
    this.#log = log
    this.#component = component
  }

  /** Something happened, perhaps again. */
  happened(object: Resource, why: Why): void {
    this.#tell(object, why, true)
  }

  /** Something is so. Telling it again changes nothing. */
  isSo(object: Resource, why: Why): void {
    this.#tell(object, why, false)
  }

  /** All that was told is written. */
  isIdle(): boolean {
    return this.#writing === undefined
  }

  /** Resolves once all that was told is written. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async stop(): Promise<void> {
    this.#queue.length = 0
    this.#stop.abort(new DOMException('the controller was stopped', 'AbortError'))
    await this.#writing
  }

  #tell(object: Resource, why: Why, counts: boolean): void {
    const { uid = '' } = object.metadata
    const name = eventName(object, why)
    const told = this.#told.get(name)
    if (told !== undefined && !counts) return
    if (this.#queue.length >= mostQueued || !this.#mayTell(uid)) return
    const nowMs = this.#clock.now()
    const { count, firstMs } = told ?? { count: 0, firstMs: nowMs }
    remember(this.#told, name, { count: count + 1, firstMs })
    this.#queue.push(() =>
      count === 0 ? this.#create(object, why, { name, nowMs, counts }) : this.#count(object, name, count + 1, nowMs),
    )
    this.#writing ??= this.#drain()
  }

  async #drain(): Promise<void> {
    for (let write = this.#queue.shift(); write !== undefined; write = this.#queue.shift()) {
      try {
        await write()
      } catch (error) {
        this.#log.debug('event lost', { error: messageOf(error) })
      }
    }
    this.#writing = undefined
  }

  async #create(
    object: Resource,
    why: Why,
    { name, nowMs, counts }: { name: string; nowMs: number; counts: boolean },
  ): Promise<void> {
    const time = timestamp(nowMs)
    const { namespace, name: objectName, uid, resourceVersion } = object.metadata
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: namespace ?? 'default' },
      involvedObject: {
        apiVersion: object.apiVersion,
        kind: object.kind,
        namespace,
        name: objectName,
        uid,
        resourceVersion,
      },
      reason: why.reason,
      message: cut(why.note),
      type: why.type ?? 'Normal',
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: this.#component },
      reportingComponent: this.#component,
      reportingInstance: this.#component,
    }
    try {
      await this.#client.create(Event, event, this.#calling)
    } catch (error) {
      // We told it before a restart: its name comes from its words.
      if (!isFault(error, 'conflict')) throw error
      if (!counts) return
      const before = await this.#client.get(Event, event.metadata, this.#calling)
      const count = (before.count ?? 1) + 1
      remember(this.#told, name, { count, firstMs: nowMs })
      await this.#count(object, name, count, nowMs)
    }
  }

  async #count(object: Resource, name: string, count: number, nowMs: number): Promise<void> {
    const place = { namespace: object.metadata.namespace ?? 'default', name }
    try {
      const patch = { count, lastTimestamp: timestamp(nowMs) }
      await this.#client.patch(Event, place, { type: 'merge', patch }, this.#calling)
    } catch (error) {
      if (isFault(error, 'missing')) this.#told.delete(name) // events expire; the next one starts anew
      throw error
    }
  }

  #mayTell(uid: string): boolean {
    const nowMs = this.#clock.now()
    const { tokens, atMs } = this.#allowance.get(uid) ?? { tokens: burst, atMs: nowMs }
    const now = Math.min(burst, tokens + (nowMs - atMs) / refillMs)
    remember(this.#allowance, uid, { tokens: now >= 1 ? now - 1 : now, atMs: nowMs })
    return now >= 1
  }
}

/**
 * Conditions whose status flipped, as events: to True from anything, and back from True. One that appears is no flip:
 * it is told only where it is bad, for an object that has just been made says enough by what was made for it.
 */
export function flips(before: unknown, after: unknown): Why[] {
  const former = new Map(conditionsOf(before).map((condition) => [condition.type, condition.status]))
  return conditionsOf(after).flatMap(({ type, status, reason, message }) => {
    const was = former.get(type)
    if (neutral.has(type) || was === status || (status !== 'True' && was !== 'True')) return []
    const isBad = badWhenTrue.has(type) === (status === 'True')
    if (was === undefined && !isBad) return []
    return [
      {
        reason: reason === '' ? type : reason,
        note: message === '' ? `${type} is ${status}` : message,
        type: isBad ? 'Warning' : 'Normal',
      },
    ]
  })
}

/** Condition types that speak of trouble; all others are good news while True. */
const badWhenTrue: ReadonlySet<string> = new Set([
  'Failed',
  'PodsFailing',
  'Degraded',
  'Stalled',
  'GangUnavailable',
  'NameConflict',
  'Conflicted',
  'PluginsInvalid',
])

/** Condition types that only say what is going on: what it leads to is told. */
const neutral: ReadonlySet<string> = new Set(['Progressing', 'UpdateInProgress', 'ExistingModelsReady'])

function conditionsOf(status: unknown): Condition[] {
  return isObject(status) && Array.isArray(status['conditions']) ? (status['conditions'] as Condition[]) : []
}

function eventName(object: Resource, why: Why): string {
  const { name = '', uid = '' } = object.metadata
  return `${name.slice(0, 230)}.${revisionHash([uid, why.reason, why.note, why.type ?? 'Normal'])}`
}

function cut(note: string): string {
  if (Buffer.byteLength(note) <= longestNoteBytes) return note
  const bytes = Buffer.from(note).subarray(0, longestNoteBytes - 3)
  // A character cut in two decodes to U+FFFD.
  return `${bytes.toString().replace(/\uFFFD+$/, '')}…`
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const oldest = map.keys().next().value
  if (map.size > mostRemembered && oldest !== undefined) map.delete(oldest)
}
