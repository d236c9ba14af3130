/**
 * What routers say of themselves: to which pods each of them sends requests now, and how many it has under way. They are
 * asked over HTTP and only read; a router that does not answer can send nobody anywhere, and is not counted.
 */
import { lookup } from 'node:dns/promises'
import { get } from 'node:http'
import { isObject } from '#base/json.ts'
import type { Clock } from '#base/clock.ts'

export interface RouterAnswer {
  /** Uids of the pods that get requests. */
  readonly routable: ReadonlySet<string>
  /** Requests under way, by uid of the pod. */
  readonly inFlight: ReadonlyMap<string, number>
  /** It has just not answered in time: what it does now nobody knows. */
  readonly silent: boolean
}

export interface Routers {
  /** One answer for each router that gave one. */
  read(signal: AbortSignal): Promise<readonly RouterAnswer[]>
}

export const noRouters: Routers = { read: () => Promise.resolve([]) }

/** Passes side by side share what one of them asked this long ago. */
const freshMs = 100
const patienceMs = 1_000
/** A router that has been silent for so long is gone. */
const forgetMs = 10_000

type Lookup = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>

/** Routers by the URLs of their listeners for operators; a name stands for all of its addresses. */
export function askRouters(
  urls: () => readonly string[],
  clock: Clock,
  resolve: Lookup = (hostname) => lookup(hostname, { all: true }),
): Routers {
  /** Addresses of a URL as they were last known. */
  const addresses = new Map<string, readonly string[]>()
  /** When an address answered last, or was asked first. */
  const heard = new Map<string, number>()
  let last: { readonly atMs: number; readonly answers: Promise<readonly RouterAnswer[]> } | undefined

  async function addressesOf(url: string): Promise<readonly string[]> {
    const { protocol, hostname, port } = new URL(url)
    try {
      const found = await resolve(hostname.replaceAll(/[[\]]/g, ''))
      const bases = found.map(
        ({ address, family }) => `${protocol}//${family === 6 ? `[${address}]` : address}:${port}`,
      )
      addresses.set(url, bases)
      return bases
    } catch (error) {
      // No such name: no router. A resolver that fails otherwise says nothing of routers.
      return (error as NodeJS.ErrnoException).code === 'ENOTFOUND' ? [] : (addresses.get(url) ?? [])
    }
  }

  async function answerOf(base: string): Promise<RouterAnswer | undefined> {
    if (!heard.has(base)) heard.set(base, clock.now())
    const answer = await ask(new URL('/debug/endpoints', base)).catch(absent)
    if (answer?.silent === false) heard.set(base, clock.now())
    return answer?.silent === true && clock.now() - (heard.get(base) ?? 0) > forgetMs ? undefined : answer
  }

  async function askAll(known: readonly string[]): Promise<readonly RouterAnswer[]> {
    const bases = (await Promise.all(known.map(addressesOf))).flat()
    for (const base of heard.keys()) if (!bases.includes(base)) heard.delete(base)
    return (await Promise.all(bases.map(answerOf))).filter((answer) => answer !== undefined)
  }

  return {
    read() {
      const known = urls()
      if (known.length === 0) return Promise.resolve([])
      if (last === undefined || clock.now() - last.atMs >= freshMs) {
        last = { atMs: clock.now(), answers: askAll(known) }
      }
      return last.answers
    },
  }
}

/** Where nobody listens there is no router; one that does not answer in time may be busy. */
function absent(error: NodeJS.ErrnoException): RouterAnswer | undefined {
  return error.code === 'ECONNREFUSED' ? undefined : { routable: new Set(), inFlight: new Map(), silent: true }
}

async function ask(url: URL): Promise<RouterAnswer | undefined> {
  const body = await new Promise<string>((resolve, reject) => {
    const request = get(url, { signal: AbortSignal.timeout(patienceMs) }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(response.statusCode === 200 ? text : ''))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
  return body === '' ? undefined : answerIn(JSON.parse(body))
}

function answerIn(value: unknown): RouterAnswer {
  const { servers, leaving } = isObject(value) ? value : {}
  const endpoints = listIn(servers).flatMap((server) => listIn(server['endpoints']))
  return {
    routable: new Set(endpoints.map(({ uid }) => String(uid))),
    inFlight: new Map([...endpoints, ...listIn(leaving)].map(({ uid, inFlight }) => [String(uid), Number(inFlight)])),
    silent: false,
  }
}

const listIn = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isObject) : [])
