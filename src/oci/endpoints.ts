/** Where the repositories of a reference are asked for: mirrors, then the place itself. Pure. */
import { canonicalRegistry, dockerHub, nameOf } from './reference.ts'
import type { RegistryRule } from './settings.ts'

export interface Endpoint {
  /** Scheme and authority. */
  readonly origin: string
  /** What credentials are looked up by: of the registry that is asked, never of the one that it stands for. */
  readonly registry: string
  readonly repository: string
}

/** Docker Hub's registry goes by another name than its images do. */
const dockerHubHost = 'registry-1.docker.io'
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/

/** In the order to ask in; never empty. */
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

/** Authorities that may be asked without TLS: this machine's own, and those that a rule names so. */
export function speaksPlainly(authority: string, rules: readonly RegistryRule[]): boolean {
  const places = rules.flatMap(({ location, mirrors = [] }) => [...mirrors, location ?? ''])
  return loopback.test(authority) || places.some((each) => splitAddress(each).origin === `http://${authority}`)
}

function endpointAt(address: string): Endpoint {
  const { origin, registry, repository } = splitAddress(address)
  return { origin, registry, repository }
}

function splitAddress(address: string): Endpoint {
  const scheme = /^https?:\/\//.exec(address)?.[0]
  const [authority = '', ...path] = address.slice(scheme?.length ?? 0).split('/')
  const registry = canonicalRegistry(authority)
  const host = registry === dockerHub ? dockerHubHost : registry
  return {
    origin: `${scheme ?? (loopback.test(host) ? 'http://' : 'https://')}${host}`,
    registry,
    repository: path.join('/'),
  }
}
