/** Where the repositories of a reference are asked for: mirrors, then the place itself. Pure. */
import { Fault } from '#base/fault.ts'
import { registryFaults } from './faults.ts'
import { canonicalRegistry, dockerHub, nameOf } from './reference.ts'
import type { RegistryRule } from './settings.ts'

export interface Endpoint {
  /** Scheme and authority, as `URL` writes them: without the port that the scheme implies. */
  readonly origin: string
  /** What credentials are looked up by: of the registry that is asked, never of the one that it stands for. */
  readonly registry: string
  readonly repository: string
}

/** Docker Hub's registry goes by another name than its images do. */
const dockerHubHost = 'registry-1.docker.io'
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/

/** In the order to ask in; never empty. Throws `invalid` for a host that no address can have, such as `1.2.3.4.5`. */
export function endpointsOf(
  place: { readonly registry: string; readonly repository: string },
  rules: readonly RegistryRule[],
): readonly Endpoint[] {
  const name = nameOf(place)
  const fitting = rules.filter(({ prefix }) => name === prefix || name.startsWith(`${prefix}/`))
  const [rule] = fitting.toSorted((a, b) => b.prefix.length - a.prefix.length)
  if (rule === undefined) return [endpointAt(name)]
  const rest = name.slice(rule.prefix.length)
  return [...(rule.mirrors ?? []), rule.location ?? rule.prefix].map((each) => endpointAt(`${each}${rest}`))
}

/**
 * Whether an address may be asked at all. Without TLS: what a rule names so, and this machine's own, unless it is a
 * registry elsewhere, or one with TLS, that sends us there.
 */
export function mayBeAsked({ protocol, host }: URL, from: string, rules: readonly RegistryRule[]): boolean {
  if (protocol !== 'http:') return protocol === 'https:'
  const origin = new URL(from)
  if (loopback.test(host) && origin.protocol === protocol && loopback.test(origin.host)) return true
  const places = rules.flatMap(({ location, mirrors = [] }) => [...mirrors, location ?? ''])
  return places.some((each) => splitAddress(each).origin === `http://${host}`)
}

function endpointAt(address: string): Endpoint {
  const endpoint = splitAddress(address)
  if (URL.canParse(endpoint.origin)) return endpoint
  throw new Fault('invalid', registryFaults.invalidReference, `"${endpoint.registry}" is no host that can be asked`)
}

function splitAddress(address: string): Endpoint {
  const scheme = /^https?:\/\//.exec(address)?.[0]
  const [authority = '', ...path] = address.slice(scheme?.length ?? 0).split('/')
  const registry = canonicalRegistry(authority)
  const host = registry === dockerHub ? dockerHubHost : registry
  const origin = `${scheme ?? (loopback.test(host) ? 'http://' : 'https://')}${host}`
  return { origin: URL.parse(origin)?.origin ?? origin, registry, repository: path.join('/') }
}
