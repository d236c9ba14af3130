import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Client } from '#kube/client.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import type { Domain, Perform, Reader } from './domain.ts'
import type { PassOutcome, RunnerStats } from './runner.ts'
import type { Informers } from '#kube/informer.ts'

/** A controller as data: what it reconciles and which other objects wake which key. */
export interface ControllerDefinition<T extends Resource, Observed, Status> {
  /** Field manager of its applies, component of its events, label of its metrics. */
  readonly name: string
  readonly kind: Kind<T>
  readonly domain: Domain<T, Observed, Status>
  readonly watches: readonly Watch[]
  /**
   * For answers that come from elsewhere than the API: called once passes begin, with the way to have a key reconciled.
   * Returns how to stop it.
   */
  readonly listen?: (wake: (key: string) => void) => () => void
  /** Whether an object of the kind is its business at all; by default each is. */
  readonly concerns?: (object: T) => boolean
  /** Makes the calls of a plan, where it has any. */
  readonly perform?: Perform
  /** Keys reconciled side by side; default 5. */
  readonly workers?: number
}

/** Maps an object that appeared, changed or went to the keys (`namespace/name`) to reconcile. */
export interface Watch {
  readonly kind: Kind
  readonly keysOf: (object: Resource, read: Reader) => readonly string[]
}

export interface Runtime {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  /** Called after every pass: for metrics, and for tests that no bug may pass unseen. */
  readonly onPass?: (pass: PassOutcome & { readonly controller: string }) => void
}

/** A started controller; disposing it ends its watches and waits for passes under way. */
export interface RunningController extends AsyncDisposable {
  /** Nothing queued, nothing running: all that was seen so far has been acted on. */
  idle(): boolean
}

/** One of ours, once started. */
export interface StartedController extends RunningController {
  readonly name: string
  /** Begins no further pass; resolves once those under way have ended and all events are written. */
  drain(): Promise<void>
  stats(): RunnerStats
}
