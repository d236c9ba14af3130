import type { KindRegistry, ServedKind } from './served-kind.ts'

/** What a request asks for, in the words of Kubernetes' authorizer. */
export const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'] as const
export type Verb = (typeof verbs)[number]

/** A request to a resource; `kind` says how it is served. */
export interface Target {
  readonly served: ServedKind
  readonly verb: Verb
  /** Empty for a cluster-scoped object and for a list over all namespaces. */
  readonly namespace: string
  /** Empty for a collection. */
  readonly name: string
  readonly subresource: string
  /** What follows the subresource, as in `pods/x/proxy/a/b`. */
  readonly rest: string
}

export type Route =
  | { readonly to: 'resource'; readonly target: Target }
  | { readonly to: 'path'; readonly path: string }
  /** Nothing that a group of Kubernetes' own serves. */
  | { readonly to: 'nothing' }
  /** No group that is served, or no resource of somebody's group. */
  | { readonly to: 'nowhere' }
  | { readonly to: 'badMethod' }

interface ResourcePath {
  /** On the older path of watches, which may name an object too. */
  readonly watched: boolean
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly rest: string
}

/** Finds what a path names. Pure, but for the registry's look-up. */
export function route(method: string, pathname: string, isWatch: boolean, kinds: KindRegistry): Route {
  const segments = decodeSegments(pathname)
  if (segments === undefined) return { to: 'nowhere' }
  const path = resourcePath(segments)
  if (path === undefined) return { to: 'path', path: `/${segments.join('/')}` }
  const served = kinds.find(path.group, path.version, path.plural)
  if (served === undefined) {
    const known = path.group === '' || kinds.all().some(({ kind }) => kind.builtin && kind.group === path.group)
    return { to: known ? 'nothing' : 'nowhere' }
  }
  const { namespace, name, subresource, rest } = path
  if (served.kind.namespaced ? name !== '' && namespace === '' : namespace !== '') {
    return { to: served.kind.builtin ? 'nothing' : 'nowhere' }
  }
  const verb = path.watched && method === 'GET' ? 'watch' : verbOf(method, name !== '', isWatch)
  if (verb === undefined) return { to: 'badMethod' }
  // Only a list or a watch may span namespaces.
  const spans = served.kind.namespaced && namespace === '' && served.use === 'store'
  if (spans && verb !== 'list' && verb !== 'watch') return { to: 'badMethod' }
  return { to: 'resource', target: { served, verb, namespace, name, subresource, rest } }
}

function decodeSegments(pathname: string): string[] | undefined {
  try {
    return pathname
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent)
  } catch {
    return undefined
  }
}

function resourcePath(segments: readonly string[]): ResourcePath | undefined {
  const [root, ...rest] = segments
  if (root === 'api' && rest.length >= 2) return inVersion('', rest[0] ?? '', rest.slice(1))
  if (root === 'apis' && rest.length >= 3) return inVersion(rest[0] ?? '', rest[1] ?? '', rest.slice(2))
  return undefined
}

/** `namespaces/x` alone is the object; `namespaces/x/y` is a resource in it, unless `y` is one of its subresources. */
function inVersion(group: string, version: string, given: readonly string[]): ResourcePath {
  const watched = given[0] === 'watch'
  const segments = watched ? given.slice(1) : given
  const [first = '', second = '', third] = segments
  const inNamespace =
    first === 'namespaces' && third !== undefined && !(group === '' && ['status', 'finalize'].includes(third))
  const [plural = '', name = '', subresource = '', ...rest] = inNamespace ? segments.slice(2) : segments
  const namespace = inNamespace ? second : ''
  return { watched, group, version, plural, namespace, name, subresource, rest: rest.join('/') }
}

function verbOf(method: string, named: boolean, isWatch: boolean): Verb | undefined {
  switch (method) {
    case 'GET':
      if (named) return 'get'
      return isWatch ? 'watch' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return named ? 'update' : undefined
    case 'PATCH':
      return named ? 'patch' : undefined
    case 'DELETE':
      return named ? 'delete' : 'deletecollection'
    default:
      return undefined
  }
}
