/** Registries as one place to ask. Each call is bounded in time, in size, and in how many are under way at once. */
import { type Clock, systemClock } from '#base/clock.ts'
import { Fault, isFault } from '#base/fault.ts'
import { type Log, silentLog } from '#base/log.ts'
import { asAnyone, identityAt, type Place, placesFor } from './access.ts'
import { BoundedCache } from './bounded-cache.ts'
import type { Credential } from './credentials.ts'
import { registryFaults } from './faults.ts'
import { HostGates } from './gate.ts'
import { connectRegistries } from './http.ts'
import { type ImageFacts, inspect, type Inspected } from './inspect.ts'
import { canonicalReference, parseReference, versionOf } from './reference.ts'
import { openSession, type Session } from './session.ts'
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
}

export interface RegistriesOptions {
  readonly settings?: RegistrySettings
  readonly clock?: Clock
  readonly log?: Log
}

const patienceMs = 60_000
const atOnce = { all: 4, perHost: 2 }
/** Tags move, and rights end. Weights are characters. */
const answerLimits = { lifetimeMs: 5 * 60_000, mostWeight: 16 << 20 }
/** What a digest names never changes; who asks has been shown that digest by the registry. */
const factLimits = { lifetimeMs: 6 * 3_600_000, mostWeight: 16 << 20 }

export function openRegistries({
  settings = {},
  clock = systemClock,
  log = silentLog,
}: RegistriesOptions = {}): Registries {
  const http = connectRegistries(settings)
  const gates = new HostGates(atOnce)
  const answers = new BoundedCache<InspectedImage>(answerLimits, clock)
  const facts = new BoundedCache<ImageFacts>(factLimits, clock)
  const flights = new SingleFlight<InspectedImage>()

  /** Does the work at the first place that lets it be done. */
  async function anywhere<T>(places: readonly Place[], signal: AbortSignal, work: Work<T>): Promise<T> {
    for (const [index, place] of places.entries()) {
      try {
        return await at(place, signal, work)
      } catch (error) {
        if (signal.aborted || index === places.length - 1) throw error
        log.info('mirror passed over', { mirror: place.endpoint, reason: (error as Error).message })
      }
    }
    throw new Error('no place to ask')
  }

  function at<T>(place: Place, signal: AbortSignal, work: Work<T>): Promise<T> {
    const { origin, repository } = place.endpoint
    const scope = `repository:${repository}:pull`
    return gates.run(origin, signal, () =>
      withPatience(clock, { signal, origin }, (patient) =>
        asAnyone(place, (login) =>
          work(openSession({ http, origin, scope, login, signal: patient, now: () => clock.now() }), repository),
        ),
      ),
    )
  }

  async function inspectImage(
    image: string,
    { credentials, architectures = [], fresh = false, signal }: InspectOptions,
  ) {
    const reference = parseReference(image)
    const canonical = canonicalReference(reference)
    const places = placesFor(reference, settings.rules ?? [], credentials)
    const platforms = architectures.join()
    const key = [canonical, platforms, identityAt(places)].join(' ')
    const remembered = fresh ? undefined : answers.get(key)
    if (remembered !== undefined) return remembered

    return flights.join(fresh ? `${key} fresh` : key, signal, async (flight) => {
      const inspected = await anywhere(places, flight, (session, repository) =>
        inspect(session, {
          repository,
          version: versionOf(reference),
          architectures,
          known: (digest) => facts.get(`${digest} ${platforms}`),
        }),
      ).catch((error: unknown) => {
        throw about(canonical, error)
      })
      const found = { reference: canonical, ...inspected }
      const weight = weightOf(found)
      answers.set(key, found, weight)
      facts.set(`${found.digest} ${platforms}`, found, weight)
      return found
    })
  }

  return { inspect: inspectImage, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() }
}

type Work<T> = (session: Session, repository: string) => Promise<T>

async function withPatience<T>(
  clock: Clock,
  { signal, origin }: { readonly signal: AbortSignal; readonly origin: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const message = `${new URL(origin).host} took more than ${patienceMs / 1000} s`
  const timer = clock.after(patienceMs, () => late.abort(new Fault('unavailable', registryFaults.failed, message)))
  try {
    return await work(AbortSignal.any([signal, late.signal]))
  } finally {
    timer.cancel()
  }
}

function about(image: string, error: unknown): unknown {
  if (!isFault(error)) return error
  const { kind, code, message, retryAfterMs } = error
  return new Fault(kind, code, `${image}: ${message}`, {
    cause: error,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

function weightOf(image: InspectedImage): number {
  return JSON.stringify(image).length
}
