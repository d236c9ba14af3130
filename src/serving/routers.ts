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

/** Routers by the URLs of their listeners for operators; a name stands for all of its addresses. */
export function askRouters(urls: () => readonly string[], clock: Clock): Routers {
  const heard = new Map<string, number>()
  let last: { readonly atMs: number; readonly answers: Promise<readonly RouterAnswer[]> } | undefined
  return {
    read() {
      const known = urls()
      if (known.length === 0) return Promise.resolve([])
      if (last === undefined || clock.now() - last.atMs >= freshMs)
        last = { atMs: clock.now(), answers: askAll(known, heard, clock) }
      return last.answers
    },
  }
}

async function askAll(urls: readonly string[], heard: Map<string, number>, clock: Clock) {
  const bases = (await Promise.all(urls.map(addressesOf))).flat()
  const answers = await Promise.all(
    bases.map(async (base): Promise<RouterAnswer | undefined> => {
      const answer = await ask(new URL('/debug/endpoints', base)).catch(absent)
      if (answer !== undefined && !answer.silent) heard.set(base, clock.now())
      return answer?.silent === true && clock.now() - (heard.get(base) ?? 0) > forgetMs ? undefined : answer
    }),
  )
  return answers.filter((answer) => answer !== undefined)
}

/** Where nobody listens there is no router; one that does not answer in time may be busy. */
function absent(error: NodeJS.ErrnoException): RouterAnswer | undefined {
  return error.code === 'ECONNREFUSED' ? undefined : { routable: new Set(), inFlight: new Map(), silent: true }
}

async function addressesOf(url: string): Promise<string[]> {
  const { protocol, hostname, port } = new URL(url)
  const found = await lookup(hostname.replaceAll(/[[\]]/g, ''), { all: true }).catch(() => []) // no such name: no router
  return found.map(({ address, family }) => `${protocol}//${family === 6 ? `[${address}]` : address}:${port}`)
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
