/**
 * A machine whose API server and pods stay while our controllers come and go: `start` is a fresh process with empty
 * caches, and `Program.kill` ends one as abruptly as a signal would, whatever it was about to write.
 */
import type { TestContext } from 'node:test'
import { systemClock } from '#base/clock.ts'
import type { AutoscalingOptions } from '#cli/autoscaling.ts'
import type { CatalogOptions } from '#cli/catalog.ts'
import { type ControllerName, startControllers } from '#cli/controllers.ts'
import type { RunningController } from '#controller/controller.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Informer, Informers } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import type { Routers } from '#serving/routers.ts'
import { type GroundOptions, problemsOnly } from './ground.ts'
import { openGround } from './open-ground.ts'
import { type Tools, toolsOf } from './tools.ts'

export interface MachineOptions extends GroundOptions {
  /** Who sends requests to pods. */
  readonly routers?: Routers
  /** Which of our controllers; by default those that run unless asked otherwise. */
  readonly controllers?: readonly ControllerName[]
  readonly catalog?: CatalogOptions
}

export interface Machine extends AsyncDisposable, Tools {
  /** Starts the controllers as a new process would. `between` stands before the server and may break the line. */
  start(between?: (fetch: Fetch) => Fetch, autoscaling?: AutoscalingOptions): Program
}

/** Our controllers, once started; disposing kills them. */
export interface Program extends AsyncDisposable {
  readonly informers: Informers
  kill(): Promise<void>
}

interface Running {
  readonly controllers: readonly RunningController[]
  readonly caches: ReadonlyMap<Kind, Informer<Resource>>
}

const nobody: Running = { controllers: [], caches: new Map() }

export async function startMachine(
  t: Pick<TestContext, 'after'>,
  { routers, controllers: names, catalog, ...options }: MachineOptions = {},
  opening = openGround(options),
): Promise<Machine> {
  const ground = await opening
  const clock = systemClock
  const { log = problemsOnly } = options
  const programs = new Set<() => Promise<void>>()
  let running = nobody
  const machine: Machine = {
    ...toolsOf(
      ground,
      () => running.controllers.every((controller) => controller.idle()),
      () => ground.caughtUp(running.caches),
    ),
    start(between = (fetch) => fetch, autoscaling = {}) {
      const fetch = between(ground.lineOf('manager'))
      const clientOf = (userAgent: string) => createClient({ userAgent, fetch, baseUrl: ground.url, clock })
      const caches = new Map<Kind, Informer<Resource>>()
      const own = listing(createInformers({ client: clientOf('fairlead'), clock, log, freeze: true }), caches)
      const runtime = (name: string) => ({ client: clientOf(name), informers: own, clock, log })
      const controllers = startControllers(runtime, names, {
        ...(routers !== undefined && { routers }),
        autoscaling,
        ...(catalog !== undefined && { catalog }),
      })
      const started = (running = { controllers, caches })
      let dead: Promise<void> | undefined
      const kill = (): Promise<void> =>
        (dead ??= (async () => {
          if (running === started) running = nobody
          await Promise.all(controllers.map((controller) => controller[Symbol.asyncDispose]()))
          await own[Symbol.asyncDispose]()
        })())
      programs.add(kill)
      return { informers: own, kill, [Symbol.asyncDispose]: kill }
    },
    async [Symbol.asyncDispose]() {
      for (const kill of programs) await kill()
      await ground[Symbol.asyncDispose]()
    },
  }
  let ended: Promise<void> | undefined
  const end = (): Promise<void> => (ended ??= Promise.resolve(machine[Symbol.asyncDispose]()))
  t.after(end)
  return { ...machine, [Symbol.asyncDispose]: end }
}

/** The same informers, which enter into `caches` what they are asked for. */
function listing(informers: Informers, caches: Map<Kind, Informer<Resource>>): Informers {
  return {
    of<T extends Resource>(kind: Kind<T>): Informer<T> {
      const cache = informers.of(kind)
      caches.set(kind, cache)
      return cache
    },
    [Symbol.asyncDispose]: () => informers[Symbol.asyncDispose](),
  }
}
