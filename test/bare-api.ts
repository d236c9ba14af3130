import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { coreKinds } from '#api/core/kinds.ts'
import { systemClock } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'
import type { RunningController } from '#controller/controller.ts'
import { type AnsweredRequest, createApiServer } from '#embedded/apiserver/server.ts'
import { startBuiltin } from '#embedded/builtin/start-builtin.ts'
import { openStore } from '#embedded/store/store.ts'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Informers } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'
import { startBinders } from './cluster/binders.ts'
import { openLines } from './cluster/lines.ts'
import { clusterTarget } from './cluster/target.ts'

/** An API server alone, without nodes and without controllers of ours, and a client of it. */
export interface BareApi extends AsyncDisposable {
  readonly client: Client
  readonly informers: Informers
  readonly clock: typeof systemClock
  readonly log: Log
  /** What changed something or tried to, in order, such as `patch configmaps a`; events apart. */
  readonly writes: string[]
  /** Bugs that were logged. A test that means none checks that there are none. */
  readonly bugs: unknown[]
  /** What Kubernetes' own controllers do; on a cluster only what its own do not. */
  startBuiltin(): Promise<RunningController>
}

interface Served extends AsyncDisposable {
  readonly fetch: Fetch
  readonly url?: string
}

export async function bareApi(): Promise<BareApi> {
  const writes: string[] = []
  const bugs: unknown[] = []
  const log: Log = { ...silentLog, with: () => log, error: (message, fields) => bugs.push({ message, ...fields }) }
  const tell = (request: AnsweredRequest): void => {
    if (isWrite(request)) writes.push(words(request))
  }
  const target = clusterTarget()
  const served = target === undefined ? await embedded(tell) : await openLines(target, { tell, clears: true })
  const client = createClient({
    fetch: 'fetch' in served ? served.fetch : served.lineOf('user'),
    ...(served.url !== undefined && { baseUrl: served.url }),
  })
  const clock = systemClock
  const informers = createInformers({ client, clock, log, freeze: true })
  const runtime = { client, informers, clock, log }
  return {
    ...runtime,
    writes,
    bugs,
    startBuiltin: async () =>
      target === undefined ? startBuiltin({ ...runtime, kinds: coreKinds }) : startBinders(runtime),
    async [Symbol.asyncDispose]() {
      await informers[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

async function embedded(tell: (request: AnsweredRequest) => void): Promise<Served> {
  const store = openStore({ path: ':memory:' })
  const server = await createApiServer({
    store,
    kinds: coreKinds,
    authenticate: () => ({ username: 'test', groups: ['system:masters'] }),
    onRequest: tell,
  })
  return {
    fetch: server.fetch,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

function isWrite({ verb, resource }: AnsweredRequest): boolean {
  return !['get', 'list', 'watch'].includes(verb) && resource !== 'events'
}

function words({ verb, resource, subresource, name }: AnsweredRequest): string {
  return `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`} ${name}`
}

const patienceMs = 30_000

/** Lets everything run until `done` holds; fails the test when it never does. */
export async function until(t: TestContext, what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs
  while (Date.now() < deadline) {
    if (await done()) return
    await turn()
  }
  throw new Error(`${t.name}: never came: ${what}`)
}
