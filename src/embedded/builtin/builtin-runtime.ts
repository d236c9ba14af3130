import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Client } from '#kube/client.ts'
import type { Informers } from '#kube/informer.ts'

/** What every builtin controller works with. */
export interface BuiltinRuntime {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
}
