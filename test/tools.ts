/** What a test does with a cluster: it says what shall be, and waits for what must come. Nothing sleeps. */
import { coreKinds } from '#api/core/kinds.ts'
import { legacyKinds } from '#api/family-kinds.ts'
import { ownKinds } from '#api/kinds.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { Client } from '#kube/client.ts'
import { createClient } from '#kube/create-client.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource, Condition, Place, Resource } from '#machinery/meta.ts'
import type { Ground } from './ground.ts'

export interface Tools {
  /** A user's client, so that requests can be told from those of the controllers. */
  readonly client: Client
  /** Every request that the server answered, oldest first. */
  readonly requests: readonly AnsweredRequest[]
  apply(object: AnyResource): Promise<AnyResource>
  /** `undefined` when it is not there. */
  find<T extends Resource>(kind: Kind<T>, place: Place): Promise<T | undefined>
  list<T extends Resource>(kind: Kind<T>, labelSelector?: string): Promise<T[]>
  /** Waits until `check` returns something else than undefined or false; says what it last saw when it never does. */
  until<R>(what: string, check: () => Promise<R | undefined | false> | R | undefined | false): Promise<R>
  condition(kind: Kind, name: string, type: string, status?: Condition['status']): Promise<Condition>
  /** Waits until all that was seen has been acted on, and acting on it caused nothing more. */
  settled(): Promise<void>
}

const lookAgainMs = 10
/** Rounds of an idle event loop that count as rest. */
const restRounds = 5

export function toolsOf(ground: Ground, idle: () => boolean, caughtUp: () => Promise<boolean>): Tools {
  const { requests, url, patienceMs } = ground
  const client = createClient({ userAgent: 'a-user', fetch: ground.lineOf('user'), baseUrl: url })
  const tools: Tools = {
    client,
    requests,
    async apply(object) {
      const applied = await client.apply(kindOf(object), object, {
        fieldManager: 'test',
        force: true,
        fieldValidation: 'Strict',
      })
      return applied as AnyResource
    },
    find: (kind, place) =>
      client.get(kind, place).catch((error: unknown) => {
        if ((error as { kind?: string }).kind === 'missing') return undefined
        throw error
      }),
    async list(kind, labelSelector) {
      return (await client.list(kind, labelSelector === undefined ? {} : { labelSelector })).items
    },
    async until(what, check) {
      const deadline = Date.now() + patienceMs
      for (;;) {
        const found = await check()
        if (found !== undefined && found !== false) return found
        if (Date.now() > deadline) throw new Error(`never came: ${what}`)
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
      }
    },
    async condition(kind, name, type, status = 'True') {
      let seen: unknown
      try {
        return await tools.until(`${kind.kind} ${name} ${type}=${status}`, async () => {
          const object = (await tools.find(kind, { namespace: 'default', name })) as AnyResource | undefined
          const conditions = (object?.status?.['conditions'] ?? []) as Condition[]
          seen = conditions
          return conditions.find(
            (each) =>
              each.type === type &&
              each.status === status &&
              (each.observedGeneration ?? 0) >= (object?.metadata.generation ?? 0),
          )
        })
      } catch (error) {
        throw new Error(`${(error as Error).message}; last seen: ${JSON.stringify(seen)}`, { cause: error })
      }
    },
    async settled() {
      let rest = 0
      let seen = -1
      await tools.until('rest', async () => {
        await new Promise((resolve) => setImmediate(resolve))
        const still = requests.length === seen && ground.idle() && idle() && (await caughtUp())
        seen = requests.length
        rest = still ? rest + 1 : 0
        return rest >= restRounds
      })
    },
  }
  return tools
}

export function kindOf(object: Resource): Kind {
  const kind = [...ownKinds, ...legacyKinds, ...coreKinds].find(
    (each) => each.kind === object.kind && apiVersionOf(each) === object.apiVersion,
  )
  if (kind === undefined) throw new Error(`no kind ${object.kind} of ${object.apiVersion}`)
  return kind
}

/** Writes that changed or tried to change something, events apart. */
export function writesIn(requests: readonly AnsweredRequest[]): AnsweredRequest[] {
  return requests.filter(({ verb, resource }) => !['get', 'list', 'watch'].includes(verb) && resource !== 'events')
}
