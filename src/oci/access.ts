/** At which places, and as whom, an image is asked for: mirrors before the place itself, credentials before nobody's. */
import { hash } from 'node:crypto'
import { Fault, isFault } from '#base/fault.ts'
import { type Credential, credentialsFor, type Login } from './credentials.ts'
import { type Endpoint, endpointsOf } from './endpoints.ts'
import type { ImageReference } from './reference.ts'
import type { RegistryRule } from './settings.ts'

export interface Place {
  readonly endpoint: Endpoint
  /** Those that fit the place, in the order to try them in. */
  readonly credentials: readonly Credential[]
  /** Whether there were any, fitting or not. */
  readonly hadCredentials: boolean
}

/** In the order to ask in; never empty. */
export function placesFor(
  repository: Pick<ImageReference, 'registry' | 'repository'>,
  rules: readonly RegistryRule[],
  credentials: readonly Credential[],
): readonly Place[] {
  return endpointsOf(repository, rules).map((endpoint) => ({
    endpoint,
    credentials: credentialsFor(credentials, endpoint.registry, endpoint.repository),
    hadCredentials: credentials.length > 0,
  }))
}

/** Past the mirrors. */
export function ownPlaceFor(...[repository, rules, credentials]: Parameters<typeof placesFor>): Place {
  return placesFor(repository, rules, credentials).at(-1) as Place // there is one at least
}

/** Equal for who may see the same there. Not to be turned back into what it was made of. */
export function identityAt(places: readonly Place[]): string {
  const facts = places.map(({ endpoint, credentials }) => [endpoint, credentials.map(({ login }) => login)])
  return hash('sha256', JSON.stringify(facts))
}

/** Does the work as the first who is let; then throws `denied` with whose credentials were refused, and what to do. */
export async function asAnyone<T>(place: Place, work: (login: Login | undefined) => Promise<T>): Promise<T> {
  let refused: Fault | undefined
  for (const login of [...place.credentials.map((each) => each.login), undefined]) {
    try {
      return await work(login)
    } catch (error) {
      if (!isFault(error, 'denied')) throw error
      refused ??= error
    }
  }
  throw new Fault('denied', refused?.code ?? '', `${refused?.message}: ${remedy(place)}`, { cause: refused })
}

function remedy({ credentials, hadCredentials, endpoint: { registry } }: Place): string {
  const secrets = [...new Set(credentials.map(({ secret }) => secret))]
  if (secrets.length > 0) {
    return `it refused the credentials in ${secrets.join(', ')}; correct them, or name another Secret in imagePullSecrets`
  }
  const why = hadCredentials
    ? `none of the pull secrets has an entry for ${registry}`
    : 'no pull secret with credentials was named'
  return `the image is missing or not accessible without credentials, and ${why}; name one in imagePullSecrets`
}
