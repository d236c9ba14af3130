/** Which repositories there are: told by the registry itself, but for two that leave that to their owners' sites. */
import { Fault } from '#base/fault.ts'
import { ownPlaceFor, type Place } from './access.ts'
import type { Asker } from './asker.ts'
import { nonsense, refusal } from './failure.ts'
import { registryFaults } from './faults.ts'
import type { RegistryHttp } from './http.ts'
import { type GetPage, type Listing, listDockerHub, listGitHub, listNames } from './listing.ts'
import { dockerHub } from './reference.ts'
import type { RegistryRule } from './settings.ts'

export interface RepositoriesQuestion {
  readonly place: Place
  /** First part of the names; all repositories when undefined. */
  readonly owner: string | undefined
  readonly signal: AbortSignal
}

interface Means {
  readonly http: RegistryHttp
  readonly asker: Asker
  readonly rules: readonly RegistryRule[]
  readonly now: () => number
}

export function listRepositories(question: RepositoriesQuestion, means: Means): Promise<Listing> {
  switch (question.place.endpoint.registry) {
    case dockerHub:
      return atDockerHub(question, means)
    case 'ghcr.io':
      return atGitHub(question, means)
    default:
      return atRegistry(question, means)
  }
}

async function atRegistry({ place, owner, signal }: RepositoriesQuestion, { asker }: Means): Promise<Listing> {
  const listing = await asker.at(place, signal, {
    scope: () => 'registry:catalog:*',
    run: (session) =>
      listNames((address, limitBytes) => session.get(address, { limitBytes }), '/v2/_catalog', 'repositories'),
  })
  // Where a rule leads below a path of another registry, that path stands for the owner.
  const prefix = place.endpoint.repository.replace(/(?<=[^/])$/, '/')
  const names = listing.names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  return { ...listing, names: owner === undefined ? names : names.map((name) => `${owner}/${name}`) }
}

async function atDockerHub({ owner, signal }: RepositoriesQuestion, means: Means): Promise<Listing> {
  if (owner === undefined) throw ownerless(dockerHub)
  return atSite('hub.docker.com', means, { signal }, (get) => listDockerHub(get, '/v2', owner))
}

async function atGitHub({ place, owner, signal }: RepositoriesQuestion, means: Means): Promise<Listing> {
  const { registry } = place.endpoint
  if (owner === undefined) throw ownerless(registry)
  const [token] = place.credentials.flatMap(({ login }) => (login.by === 'password' ? [login.password] : []))
  if (token === undefined) {
    const message = `GitHub lists packages for nobody without a token: name a pull secret with an entry for ${registry} in imagePullSecrets`
    throw new Fault('denied', registryFaults.denied, message)
  }
  const list = (path: string) =>
    atSite('api.github.com', means, { signal, authorization: `Bearer ${token}` }, (get) => listGitHub(get, path, owner))
  return list('/orgs').catch((error: unknown) => {
    if (!(error instanceof Fault) || error.kind !== 'missing') throw error
    return list('/users')
  })
}

interface SiteOptions {
  readonly signal: AbortSignal
  readonly authorization?: string
}

/** The list of a site that is no registry. A rule may lead elsewhere, as for registries. */
function atSite(
  site: string,
  { http, asker, rules, now }: Means,
  { signal, authorization }: SiteOptions,
  list: (get: GetPage) => Promise<Listing>,
): Promise<Listing> {
  const { origin } = ownPlaceFor({ registry: site, repository: '' }, rules, []).endpoint
  return asker.bounded(origin, signal, (patient) =>
    list(async (address, limitBytes) => {
      const url = new URL(address, origin)
      if (url.origin !== origin) throw nonsense(new URL(origin), `an address of another host, ${url.host}`)
      const answer = await http.ask({ url, from: origin, authorization, limitBytes, signal: patient })
      if (answer.status !== 200) throw refusal(answer, now())
      return answer
    }),
  )
}

function ownerless(registry: string): Fault {
  return new Fault(
    'invalid',
    registryFaults.noListing,
    `${registry} lists the repositories of one owner at a time: name the owner`,
  )
}
