/** Registries as one place to ask. Each call is bounded in time, in size, and in how many are under way at once. */
import { type Clock, systemClock } from '#base/clock.ts'
import { Fault, isFault } from '#base/fault.ts'
import { type Log, silentLog } from '#base/log.ts'
import { identityAt, ownPlaceFor, placesFor } from './access.ts'
import { createAsker } from './asker.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { Credential } from './credentials.ts'
import { connectRegistries } from './http.ts'
import { type ImageFacts, inspect, type Inspected } from './inspect.ts'
import { type Listing, listNames } from './listing.ts'
import { canonicalReference, type ImageReference, nameOf, parseReference, versionOf } from './reference.ts'
import { listRepositories } from './repositories.ts'
import type { Session } from './session.ts'
import type { RegistrySettings } from './settings.ts'
import { SingleFlight } from './single-flight.ts'

export interface AskOptions {
  /** From `readPullSecrets`; those that fit the registry are tried in turn, then nobody's. */
  readonly credentials: readonly Credential[]
  readonly signal: AbortSignal
}

export interface InspectOptions extends AskOptions {
  /** Of an index without linux/amd64: the architectures to look for instead, best first, as OCI spells them. */
  readonly architectures?: readonly string[]
  /** Asks the registry whatever is remembered of the tag. */
  readonly fresh?: boolean
}

export interface InspectedImage extends Inspected {
  /** In canonical form: `docker.io/library/x:latest`. */
  readonly reference: string
}

/** All reject with a `Fault` of one of the codes in `registryFaults`, whose message names the image and the cause. */
export interface Registries extends AsyncDisposable {
  /**
   * The digest, platform and labels of an image. Who asks for the same with the same credentials, at the same time or
   * soon after, causes no request.
   */
  inspect(image: string, options: InspectOptions): Promise<InspectedImage>
  /** Of a repository; as the place itself has them, for mirrors need not have all. */
  tags(repository: RepositoryName, options: AskOptions): Promise<Listing>
  /**
   * Names, without the registry, of all repositories or of one owner's. Docker Hub and ghcr.io list the latter alone,
   * and ghcr.io only for who has a token.
   */
  repositories(registry: string, owner: string | undefined, options: AskOptions): Promise<Listing>
}

export type RepositoryName = Pick<ImageReference, 'registry' | 'repository'>

export interface RegistriesOptions {
  readonly settings?: RegistrySettings
  readonly clock?: Clock
  readonly log?: Log
}

/** Tags move, and rights end. Weights are characters. */
const answerLimits = { lifetimeMs: 5 * 60_000, mostWeight: 16 << 20 }
/** What a digest names never changes; who asks has been shown that digest by the registry. */
const factLimits = { lifetimeMs: 6 * 3_600_000, mostWeight: 16 << 20 }

export function openRegistries({
  settings = {},
  clock = systemClock,
  log = silentLog,
}: RegistriesOptions = {}): Registries {
  const { rules = [] } = settings
  const http = connectRegistries(settings)
  const asker = createAsker({ http, clock, log })
  const answers = new BoundedCache<InspectedImage>(answerLimits, clock)
  const facts = new BoundedCache<ImageFacts>(factLimits, clock)
  const flights = new SingleFlight<InspectedImage>()

  return {
    async inspect(image, { credentials, architectures = [], fresh = false, signal }) {
      const reference = parseReference(image)
      const canonical = canonicalReference(reference)
      const places = placesFor(reference, rules, credentials)
      const platforms = architectures.join()
      const key = [canonical, platforms, identityAt(places)].join(' ')
      const remembered = fresh ? undefined : answers.get(key)
      if (remembered !== undefined) return remembered

      const known = (digest: string) => facts.get(`${digest} ${platforms}`)
      const look = (session: Session, repository: string) =>
        inspect(session, { repository, version: versionOf(reference), architectures, known })
      return flights.join(fresh ? `${key} fresh` : key, signal, async (flight) => {
        const inspected = await about(canonical, asker.anywhere(places, flight, { scope: pullScope, run: look }))
        const found = { reference: canonical, ...inspected }
        const weight = JSON.stringify(found).length
        answers.set(key, found, weight)
        facts.set(`${found.digest} ${platforms}`, found, weight)
        return found
      })
    },
    async tags(repository, { credentials, signal }) {
      const list = ({ get }: Session, path: string) =>
        listNames((address, limitBytes) => get(address, { limitBytes }), `/v2/${path}/tags/list`, 'tags')
      const place = ownPlaceFor(repository, rules, credentials)
      return about(nameOf(repository), asker.at(place, signal, { scope: pullScope, run: list }))
    },
    async repositories(registry, owner, { credentials, signal }) {
      const place = ownPlaceFor({ registry, repository: owner ?? '' }, rules, credentials)
      const means = { http, asker, rules, now: () => clock.now() }
      return about(
        owner === undefined ? registry : `${registry}/${owner}`,
        listRepositories({ place, owner, signal }, means),
      )
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

function pullScope(repository: string): string {
  return `repository:${repository}:pull`
}

/** A fault then says of what it is. */
function about<T>(what: string, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!isFault(error)) throw error
    const { kind, code, message, retryAfterMs } = error
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
    throw new Fault(kind, code, `${what}: ${message}`, { cause: error, ...wait })
  })
}
