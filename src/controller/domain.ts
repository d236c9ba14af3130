import type { JsonPatchOperation } from '#kube/client.ts'
import type { Kind, Ref } from '#machinery/kind.ts'
import type { AnyResource, Place, Resource } from '#machinery/meta.ts'

/**
 * What a domain supplies to the runtime: read, decide, tell. The runtime does the writing.
 * Only `observe` may do I/O. `plan` and `status` see the same observation.
 */
export interface Domain<T extends Resource, Observed, Status> {
  /** Reads all that the decision needs, once. `read` is the caches; a live client for `plan`; files for `plan -f`. */
  observe(object: T, read: Reader, signal: AbortSignal): Observed | Promise<Observed>
  /** Decides. Same arguments, same plan; emits nothing, mutates nothing. */
  plan(object: T, observed: Observed, nowMs: number): Plan
  /** Tells: the whole status, from what was seen and how the writes went. `undefined` leaves it as it is. */
  status(object: T, observed: Observed, outcome: Outcome, nowMs: number): Status | undefined
}

/** Objects as they are now; frozen, never to be changed in place. */
export interface Reader {
  get<T extends Resource>(kind: Kind<T>, place: Place): T | undefined
  list<T extends Resource>(kind: Kind<T>, query?: ReaderQuery): readonly T[]
  /** The objects that `index` files under `value`, of all namespaces. */
  find<T extends Resource>(kind: Kind<T>, index: Index<T>, value: string): readonly T[]
}

/** Finds objects without a look at every one of them. A constant beside its use: caches know it by its name. */
export interface Index<T extends Resource> {
  readonly name: string
  readonly valuesOf: (object: T) => readonly string[]
}

export interface ReaderQuery {
  readonly namespace?: string | undefined
  /** Only objects whose controller ownerReference has this uid. */
  readonly controllerUid?: string
  /** Only objects that carry all of these labels. */
  readonly labels?: Readonly<Record<string, string>>
}

/** The reason goes to the log and, once the write has succeeded, into an event on the planned object. */
export interface Why {
  /** PascalCase constant, the event's reason. */
  readonly reason: string
  readonly note: string
  readonly type?: 'Normal' | 'Warning'
}

/** One intended write. */
export type Step =
  /** Forced server-side apply of just the fields that the controller owns; of the status where it says so. */
  | {
      readonly do: 'apply'
      readonly kind: Kind
      readonly object: AnyResource
      readonly subresource?: 'status'
      readonly why: Why
    }
  /** Plain create: for objects that are never changed once they are there, such as pods. */
  | { readonly do: 'create'; readonly kind: Kind; readonly object: AnyResource; readonly why: Why }
  /** Carries the uid as a precondition; an object that is gone already counts as done. */
  | { readonly do: 'delete'; readonly ref: Ref; readonly uid: string; readonly why: Why }
  /** For fields that somebody else moves too. */
  | { readonly do: 'patch'; readonly ref: Ref; readonly patch: readonly JsonPatchOperation[]; readonly why: Why }
  /** Requests to a pod, in order, by the controller's `perform`. */
  | { readonly do: 'call'; readonly ref: Ref; readonly calls: readonly PodCall[]; readonly why: Why }
  /** Through the scale subresource, if there are still `from`: whoever moved the number meanwhile is heard first. */
  | { readonly do: 'scale'; readonly ref: Ref; readonly from: number; readonly to: number; readonly why: Why }

export type CallStep = Extract<Step, { readonly do: 'call' }>

/** One request to what runs in a pod. */
export interface PodCall {
  readonly port: number
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
}

/** Makes the calls of a step; throws what the runner is to make of one that failed. */
export type Perform = (step: CallStep, tools: PerformTools) => Promise<void>

interface PerformTools {
  /** The pod as the cache has it. */
  readonly live: Resource
  /** Writes down on the pod what came of the calls. */
  readonly record: (patch: readonly JsonPatchOperation[]) => Promise<unknown>
  readonly signal: AbortSignal
}

export interface Plan {
  /** The steps of a stage are independent and run side by side; the next stage needs all of them done. */
  readonly stages: readonly (readonly Step[])[]
  /** Events to tell apart from any write; the runtime drops those it has told already. */
  readonly notes?: readonly Why[]
  /** Look again after this long, even if nothing wakes the key. */
  readonly recheckAfterMs?: number
}

/** How a pass went. */
export interface Outcome {
  /** Steps that were tried and failed, in plan order. */
  readonly failures: readonly StepFailure[]
  /** Steps that changed something on the server. */
  readonly written: number
  /** True when every step of every stage was done (a step that needed no write counts). */
  readonly complete: boolean
}

export interface StepFailure {
  readonly step: Step
  readonly error: unknown
}

/** Nothing to write: every step done. For previews and tests. */
export const untouched: Outcome = { failures: [], written: 0, complete: true }
