import type { Clock } from '#base/clock.ts'
import { isFault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { Fetch } from '#machinery/http.ts'
import { fetchText } from './http-text.ts'
import { type Demand, sumOf } from './measure.ts'

export interface RouterLoadParts {
  readonly fetch: Fetch
  readonly clock: Clock
  /** Base URLs of the operators' listeners of all routers, as they are now. */
  readonly routers: () => readonly string[] | Promise<readonly string[]>
}

/** What all routers together have for each ModelServer, by `namespace/name`. */
export interface RouterLoad {
  readonly servers: ReadonlyMap<string, Demand>
  /** Whether every router answered; otherwise there may be more. */
  readonly complete: boolean
}

const readTimeoutMs = 2_000
/** Everybody who asks within this time gets the same answer. */
const freshMs = 900

/** The load of all targets in one request to each router, however many ask for it. Undefined without any router. */
export class RouterLoads {
  readonly #parts: RouterLoadParts
  #latest: { readonly atMs: number; readonly load: Promise<RouterLoad | undefined> } | undefined

  constructor(parts: RouterLoadParts) {
    this.#parts = parts
  }

  read(): Promise<RouterLoad | undefined> {
    const nowMs = this.#parts.clock.now()
    if (this.#latest === undefined || nowMs - this.#latest.atMs >= freshMs) {
      this.#latest = { atMs: nowMs, load: this.#readAll() }
    }
    return this.#latest.load
  }

  async #readAll(): Promise<RouterLoad | undefined> {
    const urls = await this.#parts.routers()
    if (urls.length === 0) return undefined
    const loads = await Promise.all(urls.map((url) => this.#readOne(url)))
    const servers = new Map<string, Demand>()
    for (const load of loads.filter((each) => each !== undefined)) {
      for (const [server, demand] of load) servers.set(server, sumOf([servers.get(server) ?? nothing, demand]))
    }
    return { servers, complete: !loads.includes(undefined) }
  }

  async #readOne(url: string): Promise<ReadonlyMap<string, Demand> | undefined> {
    const { fetch, clock } = this.#parts
    // Many wait for it, so none of them ends it; its time does.
    const signal = AbortSignal.any([])
    const request = {
      fetch,
      clock,
      url: `${url}/debug/load`,
      accept: 'application/json',
      timeoutMs: readTimeoutMs,
      signal,
    }
    try {
      return demandsIn(JSON.parse(await fetchText(request)))
    } catch (error) {
      if (!isFault(error) && !(error instanceof SyntaxError)) throw error
      return undefined // a router that cannot be asked makes the load incomplete
    }
  }
}

const nothing: Demand = { inFlight: 0, waiting: 0 }

function demandsIn(answer: unknown): ReadonlyMap<string, Demand> | undefined {
  const servers = isObject(answer) ? answer['servers'] : undefined
  if (!Array.isArray(servers)) return undefined
  const demands = new Map<string, Demand>()
  for (const each of servers) {
    if (!isObject(each)) return undefined
    const { server, inFlight, waiting } = each
    if (typeof server !== 'string' || typeof inFlight !== 'number' || typeof waiting !== 'number') return undefined
    demands.set(server, { inFlight, waiting })
  }
  return demands
}
