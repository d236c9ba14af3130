import { hash } from 'node:crypto'
import { eachOf } from '#base/each-of.ts'
import { Fault, isFault } from '#base/fault.ts'
import type { Client, JsonPatchOperation } from '#kube/client.ts'
import type { Priority } from '#kube/limiter.ts'
import { type Kind, keyOf, placeOf, type Ref } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import type { CallStep, Outcome, Perform, Plan, Reader, Step, StepFailure } from './domain.ts'
import type { PassWrites } from './expectations.ts'
import { controllerOf } from './owned.ts'
import { wouldChange } from './would-change.ts'

const stepsAtOnce = 16
/** Objects remembered by `Applier`; each costs some 100 bytes. */
const mostSettled = 100_000

export interface ApplierOptions {
  readonly client: Client
  readonly reader: Reader
  readonly manager: string
  readonly perform?: Perform | undefined
}

export interface ApplyRequest {
  /** Whose children the steps write. */
  readonly owner: Resource
  readonly plan: Plan
  readonly writes: PassWrites
  readonly signal: AbortSignal
  readonly priority: Priority
  /** Called for each step that changed something on the server. */
  readonly onWritten?: (step: Step) => void
}

/** A wish that the server has had, and the state that it made of it: asking again would change nothing. */
interface Settled {
  readonly wish: string
  readonly at: string
}

/** Executes plans as one field manager. Whatever the caches show as done already costs no request. */
export class Applier {
  readonly #client: Client
  readonly #reader: Reader
  readonly #manager: string
  readonly #perform: Perform | undefined
  readonly #settled = new Map<string, Settled>()

  constructor({ client, reader, manager, perform }: ApplierOptions) {
    this.#client = client
    this.#reader = reader
    this.#manager = manager
    this.#perform = perform
  }

  /** Stage by stage, the steps of each side by side. A failed step ends the plan after its stage; nothing is thrown. */
  async execute(request: ApplyRequest): Promise<Outcome> {
    const failures: StepFailure[] = []
    let written = 0
    for (const stage of request.plan.stages) {
      const results = await eachOf(stage, stepsAtOnce, async (step): Promise<StepFailure | undefined> => {
        try {
          if (await this.#step(step, request)) {
            written++
            request.onWritten?.(step)
          }
          return undefined
        } catch (error) {
          return { step, error }
        }
      })
      failures.push(...results.filter((failure) => failure !== undefined))
      if (failures.length > 0) break
    }
    return { failures, written, complete: failures.length === 0 }
  }

  /** Resolves to whether the server's state was changed. */
  #step(step: Step, request: ApplyRequest): Promise<boolean> {
    // What is only scaled need not be of a kind that anybody watches.
    if (step.do !== 'scale') request.writes.of(step.do === 'apply' || step.do === 'create' ? step.kind : step.ref.kind)
    switch (step.do) {
      case 'apply':
        return this.#apply(step, request)
      case 'create':
        return this.#create(step.kind, step.object, request)
      case 'delete':
        return this.#delete(step.ref, step.uid, request)
      case 'patch':
        return this.#patch(step.ref, step.patch, request)
      case 'call':
        return this.#call(step, request)
      case 'scale':
        return this.#scale(step, request)
    }
  }

  async #apply({ kind, object, subresource }: Extract<Step, { do: 'apply' }>, request: ApplyRequest): Promise<boolean> {
    const { owner, writes } = request
    const live = this.#reader.get(kind, placeOf(object))
    if (live !== undefined) this.#mustBeOurs(kind, live, object, owner)
    if (live !== undefined && !this.mustWrite(kind, live, object, subresource)) return false
    const { uid } = live?.metadata ?? {}
    const desired = uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } }
    const options = { ...this.#writing(request), force: true, ...(subresource && { subresource }) }
    const written = await this.#client.apply(kind, desired, options)
    writes.landed(written, live)
    this.settle(written, object, subresource)
    return written.metadata.resourceVersion !== live?.metadata.resourceVersion
  }

  async #create(kind: Kind, object: AnyResource, request: ApplyRequest): Promise<boolean> {
    const { owner, writes } = request
    const live = this.#reader.get(kind, placeOf(object))
    if (live !== undefined) {
      this.#mustBeOurs(kind, live, object, owner)
      return false
    }
    try {
      writes.landed(await this.#client.create(kind, object, this.#writing(request)), undefined)
      return true
    } catch (error) {
      if (!isFault(error, 'conflict') || error.code !== 'AlreadyExists') throw error
      const there = await this.#client.get(kind, placeOf(object), this.#writing(request))
      this.#mustBeOurs(kind, there, object, owner)
      writes.landed(there, undefined)
      return false
    }
  }

  async #delete(ref: Ref, uid: string, { writes, signal, priority }: ApplyRequest): Promise<boolean> {
    const live = this.#reader.get(ref.kind, ref)
    if (live?.metadata.uid === uid && live.metadata.deletionTimestamp !== undefined) return false
    try {
      await this.#client.delete(ref.kind, ref, { uid, propagationPolicy: 'Background', signal, priority })
    } catch (error) {
      // Gone already, or the name is another object's by now.
      if (!isFault(error, 'missing') && !isFault(error, 'conflict')) throw error
      return false
    }
    if (live !== undefined) writes.deleted(uid)
    return true
  }

  async #patch(ref: Ref, patch: readonly JsonPatchOperation[], request: ApplyRequest): Promise<boolean> {
    const live = this.#reader.get(ref.kind, ref)
    const written = await this.#client.patch(ref.kind, ref, { type: 'json', patch }, this.#writing(request))
    request.writes.landed(written, live)
    return written.metadata.resourceVersion !== live?.metadata.resourceVersion
  }

  async #call(step: CallStep, request: ApplyRequest): Promise<boolean> {
    const live = this.#reader.get(step.ref.kind, step.ref)
    if (live === undefined) return false
    const { signal } = request
    if (this.#perform === undefined) throw new TypeError(`${this.#manager} plans calls and has nobody to make them`)
    await this.#perform(step, { live, record: (patch) => this.#patch(step.ref, patch, request), signal })
    return true
  }

  async #scale({ ref, from, to }: Extract<Step, { do: 'scale' }>, request: ApplyRequest): Promise<boolean> {
    const patch: JsonPatchOperation[] = [
      // A scale of zero comes without its number.
      from === 0 ? { op: 'test', path: '/spec', value: {} } : { op: 'test', path: '/spec/replicas', value: from },
      { op: 'add', path: '/spec/replicas', value: to },
    ]
    try {
      await this.#client.patch(
        ref.kind,
        ref,
        { type: 'json', patch },
        { ...this.#writing(request), subresource: 'scale' },
      )
    } catch (error) {
      if (!isFault(error, 'invalid')) throw error
      const message = `${ref.kind.kind} ${keyOf(ref)} has no longer ${from} replicas: somebody else scales it, too`
      throw new Fault('conflict', 'ReplicasMoved', message, { cause: error })
    }
    return true
  }

  #writing({ signal, priority }: ApplyRequest): { fieldManager: string; signal: AbortSignal; priority: Priority } {
    return { fieldManager: this.#manager, signal, priority }
  }

  /** Whether applying `desired` to `live` is worth a request. */
  mustWrite(kind: Kind, live: Resource, desired: AnyResource, subresource?: 'status'): boolean {
    const settled = this.#settled.get(settledKey(live, subresource))
    if (settled?.at === stateOf(live, subresource) && settled.wish === textHash(desired)) return false
    return wouldChange(kind, live, desired, { manager: this.#manager, subresource })
  }

  /** Remembers that `written` is what the server answered to an apply of `desired`. */
  settle(written: Resource, desired: AnyResource, subresource?: 'status'): void {
    const key = settledKey(written, subresource)
    this.#settled.delete(key)
    this.#settled.set(key, { wish: textHash(desired), at: stateOf(written, subresource) })
    const oldest = this.#settled.keys().next().value
    if (this.#settled.size > mostSettled && oldest !== undefined) this.#settled.delete(oldest)
  }

  /**
   * A name that is taken: ours are the objects that the owner controls and, of those without a controller, those that
   * it owns at all (earlier controllers said no more) and those that this manager has applied before (their owner was
   * deleted with its children orphaned, and made anew).
   */
  #mustBeOurs(kind: Kind, live: Resource, desired: AnyResource, owner: Resource): void {
    const controller = controllerOf(live)
    const named = `${kind.kind} ${keyOf(placeOf(live))}`
    if (live.metadata.deletionTimestamp !== undefined) {
      throw new Fault('conflict', 'BeingDeleted', `${named} is being deleted; it is made anew once it is gone`)
    }
    if (controller?.uid !== undefined && controller.uid === owner.metadata.uid) return
    if (controller !== undefined && controllerOf(desired)?.uid === controller.uid) return
    const applied = live.metadata.managedFields?.some((e) => e.manager === this.#manager && e.operation === 'Apply')
    const owned = live.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid)
    if (controller === undefined && (applied === true || owned === true)) return
    const whose = controller === undefined ? 'was not made by us' : `belongs to ${controller.kind} ${controller.name}`
    throw new Fault('conflict', 'NameConflict', `${named} ${whose}; rename or delete it`)
  }
}

function settledKey({ metadata }: Resource, subresource: string | undefined): string {
  return `${metadata.uid} ${subresource ?? ''}`
}

/**
 * Changes whenever what we applied may have changed, and as seldom as can be: a status that moves brings a new
 * resourceVersion, but neither a generation nor other metadata of ours.
 */
function stateOf({ metadata }: Resource, subresource: string | undefined): string {
  const { generation, resourceVersion = '', labels, annotations, ownerReferences, finalizers } = metadata
  if (subresource !== undefined || generation === undefined) return resourceVersion
  return `${generation} ${textHash([labels, annotations, ownerReferences, finalizers])}`
}

/** Members in another order make another hash: that costs a closer look and no more. */
function textHash(value: unknown): string {
  return hash('sha1', JSON.stringify(value), 'base64')
}
