import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { coreKinds } from '#api/core/kinds.ts'
import { systemClock } from '#base/clock.ts'
import { type Log, silentLog } from '#base/log.ts'
import { type AnsweredRequest, createApiServer } from '#embedded/apiserver/server.ts'
import { openStore } from '#embedded/store/store.ts'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Informers } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'

export interface EmbeddedApi extends AsyncDisposable {
  readonly client: Client
  readonly informers: Informers
  readonly clock: typeof systemClock
  readonly log: Log
  readonly fetch: Fetch
  /** What changed something or tried to, in order, such as `patch configmaps a`; events apart. */
  readonly writes: string[]
  /** Bugs that were logged. A test that means none checks that there are none. */
  readonly bugs: unknown[]
}

/** An API server in memory with the core kinds and these definitions, and a client of it. */
export async function embeddedApi(customKinds: readonly unknown[] = []): Promise<EmbeddedApi> {
  const writes: string[] = []
  const bugs: unknown[] = []
  const log: Log = { ...silentLog, with: () => log, error: (message, fields) => bugs.push({ message, ...fields }) }
  const store = openStore({ path: ':memory:' })
  const server = await createApiServer({
    store,
    kinds: coreKinds,
    customKinds,
    authenticate: () => ({ username: 'test', groups: ['system:masters'] }),
    onRequest: (request) => {
      if (isWrite(request)) writes.push(words(request))
    },
  })
  const client = createClient({ fetch: server.fetch })
  const informers = createInformers({ client, clock: systemClock, log, freeze: true })
  return {
    client,
    informers,
    clock: systemClock,
    log,
    fetch: server.fetch,
    writes,
    bugs,
    async [Symbol.asyncDispose]() {
      await informers[Symbol.asyncDispose]()
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

/** Lets everything run until `done` holds; fails the test when it never does. */
export async function until(t: TestContext, what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 2_000; turns++) {
    if (await done()) return
    await turn()
  }
  throw new Error(`${t.name}: never came: ${what}`)
}
