/**
 * A machine whose API server and pods stay while our controllers come and go: `start` is a fresh process with empty
 * caches, and `Program.kill` ends one as abruptly as a signal would, whatever it was about to write.
 */
import type { TestContext } from 'node:test'
import { coreKinds } from '#api/core/kinds.ts'
import { crdOf } from '#api/crd.ts'
import { ownKinds } from '#api/kinds.ts'
import { systemClock } from '#base/clock.ts'
import { startControllers } from '#cli/controllers.ts'
import { tokenAuthenticator } from '#cli/identity.ts'
import type { RunningController, Runtime } from '#controller/controller.ts'
import { type AnsweredRequest, createApiServer } from '#embedded/apiserver/server.ts'
import { startBuiltin } from '#embedded/builtin/start-builtin.ts'
import { startNode } from '#embedded/node/node.ts'
import type { SimulationHandle } from '#embedded/node/simulated-runtime.ts'
import { openStore } from '#embedded/store/store.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Fetch } from '#machinery/http.ts'
import { problemsOnly, token, type Tools, toolsOf } from './world.ts'

export interface Machine extends AsyncDisposable, Tools {
  /** Starts the controllers as a new process would. `between` stands before the server and may break the line. */
  start(between?: (fetch: Fetch) => Fetch): Program
}

/** Our controllers, once started; disposing kills them. */
export interface Program extends AsyncDisposable {
  kill(): Promise<void>
}

export interface MachineOptions {
  readonly simulation: SimulationHandle
  /** A database file; by default nothing is kept. */
  readonly path?: string
}

export async function startMachine(
  t: Pick<TestContext, 'after'>,
  { simulation, path = ':memory:' }: MachineOptions,
): Promise<Machine> {
  const requests: AnsweredRequest[] = []
  await using stack = new AsyncDisposableStack()
  const clock = systemClock
  const log = problemsOnly
  const store = stack.use(openStore({ path, clock }))
  const server = stack.use(
    await createApiServer({
      store,
      kinds: coreKinds,
      customKinds: ownKinds.map(crdOf),
      authenticate: tokenAuthenticator(token),
      clock,
      log,
      onRequest: (request) => requests.push(request),
    }),
  )
  const clientOf = (userAgent: string, fetch: Fetch) =>
    createClient({
      userAgent,
      clock,
      fetch: (request) => {
        request.headers.set('authorization', `Bearer ${token}`)
        return fetch(request)
      },
    })
  const client = clientOf('fairlead', server.fetch)
  const informers = stack.use(createInformers({ client, clock, log, freeze: true }))
  const builtin = stack.use(startBuiltin({ client, informers, clock, log, kinds: coreKinds }))
  stack.use(await startNode({ client, informers, clock, log, simulation, dataDir: '/nonexistent' }))

  const programs = new Set<() => Promise<void>>()
  let running: readonly RunningController[] = []
  const machine: Machine = {
    ...toolsOf({ fetch: server.fetch, requests, controllers: () => [builtin, ...running] }),
    start(between = (fetch) => fetch) {
      const fetch = between(server.fetch)
      const own = createInformers({ client: clientOf('fairlead', fetch), clock, log, freeze: true })
      const runtime = (name: string): Runtime => ({ client: clientOf(name, fetch), informers: own, clock, log })
      const started = startControllers(runtime)
      running = started
      let dead: Promise<void> | undefined
      const kill = (): Promise<void> =>
        (dead ??= (async () => {
          if (running === started) running = []
          await Promise.all(started.map((controller) => controller[Symbol.asyncDispose]()))
          await own[Symbol.asyncDispose]()
        })())
      programs.add(kill)
      return { kill, [Symbol.asyncDispose]: kill }
    },
    async [Symbol.asyncDispose]() {
      for (const kill of programs) await kill()
      await parts.disposeAsync()
    },
  }
  const parts = stack.move()
  t.after(() => machine[Symbol.asyncDispose]())
  return machine
}
