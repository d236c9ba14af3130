import type { FamilyKinds } from '#api/family-kinds.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Informers } from '#kube/informer.ts'
import type { RouterConfig } from './config.ts'
import { createRouter, type Router } from './create-router.ts'
import { followSnapshots } from './snapshot-source.ts'

export interface RouterOptions {
  readonly config: RouterConfig
  /** Of ModelRoutes, ModelServers and Pods; the router never writes to the API. They stay the caller's to dispose. */
  readonly informers: Informers
  /** Whose routes and servers; ours by default. */
  readonly families?: readonly FamilyKinds[]
  readonly log: Log
  /** Takes lines of the access log, without the last newline; all of them before `close` resolves. */
  readonly write: (lines: string) => void
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * Listens at once and is ready when its caches are filled; until then it answers 503.
 * Rejects with a `Fault` (`PortTaken`, `ListenFailed`), whose `details` name host and port.
 */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { config, informers, families, log, write, clock = systemClock, random = Math.random } = options
  const source = followSnapshots(informers, clock, log, families)
  try {
    const router = await createRouter({
      config,
      snapshot: source.current,
      synced: source.synced,
      clock,
      random,
      log,
      write,
    })
    return {
      ...router,
      async close() {
        await router.close()
        source.stop()
      },
    }
  } catch (error) {
    source.stop()
    throw error
  }
}
