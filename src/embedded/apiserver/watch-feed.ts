import type { Change, Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { type Answer, answerOf, answerOfEntry, textAs } from './encode.ts'
import type { Representation } from './negotiate.ts'
import type { Selection } from './select.ts'
import type { ServedKind } from './served-kind.ts'
import { servedText } from './stored-object.ts'

const encoder = new TextEncoder()

type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** What one client of a watch is told, as lines of JSON. After `end` everything is ignored. */
export interface Feed {
  /** Each object as added; many of them over several turns. */
  all(entries: readonly Entry[]): Promise<void>
  changes(changes: readonly Change[]): void
  bookmark(revision: number, annotations?: Readonly<Record<string, string>>): void
  error(status: unknown): void
  /** Lines that the client has not taken yet. */
  queued(): number
  end(): void
}

interface FeedOptions {
  readonly wants: Selection | undefined
  readonly representation: Representation
}

const turnMs = 8

export function createFeed(
  controller: ReadableStreamDefaultController<Uint8Array>,
  { clock }: Context,
  call: Call,
  { wants, representation }: FeedOptions,
): Feed {
  const { served, namespace } = call.target
  let ended = false
  const inPlace = (entry: Entry): boolean => namespace === '' || entry.namespace === namespace
  const chosen = (entry: Entry): boolean => wants === undefined || wants(entry)
  const write = (line: Uint8Array): void => {
    if (!ended) controller.enqueue(line)
  }
  const isPlain = representation.form === 'object'
  let isFirst = true
  /** Columns are told once. */
  const watched = (answer: Answer): string => {
    const text = textAs(call, representation, answer, clock)
    if (representation.form !== 'table' || isFirst) {
      isFirst = false
      return text
    }
    return JSON.stringify({ ...(JSON.parse(text) as object), columnDefinitions: null })
  }
  const encode = (type: EventType, entry: Entry): Uint8Array => {
    const text = isPlain ? servedText(entry, served) : watched(answerOfEntry(entry, served))
    return encoder.encode(`{"type":"${type}","object":${text}}\n`)
  }
  const send = (type: EventType, change: Change): void => {
    write(isPlain ? sharedLine(type, change, served, encode) : encode(type, change.entry))
  }
  const sendChange = (change: Change): void => {
    const { entry, previous, deleted } = change
    const was = previous !== undefined && chosen(previous)
    if (deleted) {
      if (was) send('DELETED', change)
    } else if (chosen(entry)) send(was ? 'MODIFIED' : 'ADDED', change)
    else if (was) write(encode('DELETED', { ...previous, text: atRevision(previous, entry.revision) }))
  }
  return {
    async all(entries) {
      let turnEndsMs = performance.now() + turnMs
      for (const [i, entry] of entries.entries()) {
        if (ended) return
        if (chosen(entry)) write(encode('ADDED', entry))
        if (i % 16 === 15 && performance.now() > turnEndsMs) {
          await new Promise((resolve) => setImmediate(resolve))
          turnEndsMs = performance.now() + turnMs
        }
      }
    },
    changes(changes) {
      for (const change of changes) if (inPlace(change.entry)) sendChange(change)
    },
    bookmark(revision, annotations) {
      const isPartial = representation.form === 'partial'
      const object = {
        kind: isPartial ? 'PartialObjectMetadata' : served.kind.kind,
        apiVersion: isPartial ? `meta.k8s.io/${representation.version}` : served.apiVersion,
        metadata: {
          resourceVersion: String(revision),
          ...(annotations === undefined ? {} : { annotations }),
        },
      }
      const text = isPlain ? JSON.stringify(object) : watched(answerOf(object))
      write(encoder.encode(`{"type":"BOOKMARK","object":${text}}\n`))
    },
    error: (status) => write(encoder.encode(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)),
    queued: () => 1 - (controller.desiredSize ?? 0),
    end() {
      if (ended) return
      ended = true
      try {
        controller.close()
      } catch {
        // The client has already cancelled the stream.
      }
    },
  }
}

/** An object that left a selection is shown as it was, with the version of the change that took it out. */
function atRevision(entry: Entry, revision: number): string {
  const object = JSON.parse(entry.text) as { metadata: object }
  return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
}

/** A change is encoded once, however many watch. It is forgotten with the change, when that is compacted. */
const lines = new WeakMap<Change, Map<string, Uint8Array>>()

function sharedLine(
  type: EventType,
  change: Change,
  served: ServedKind,
  encode: (type: EventType, entry: Entry) => Uint8Array,
): Uint8Array {
  let known = lines.get(change)
  if (known === undefined) lines.set(change, (known = new Map()))
  const id = `${type} ${served.apiVersion}`
  let line = known.get(id)
  if (line === undefined) {
    line = encode(type, change.entry)
    known.set(id, line)
  }
  return line
}
