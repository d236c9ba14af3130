import { unauthorized } from '#machinery/status.ts'
import { failure } from './failures.ts'

/** Who asks; the words are those of Kubernetes' `UserInfo`. */
export interface User {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Gives the user behind a request, or undefined for nobody we know. */
export type Authenticate = (request: Request) => User | undefined

/** Paths that anybody may ask, as on a cluster: a probe has no token. */
export const openPaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/version'])

const anonymous: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

/** Faults: 401; 403 for who wants to act as somebody else, whose rights nobody here knows. */
export function identify(request: Request, pathname: string, authenticate: Authenticate): User {
  const user = authenticate(request)
  if (user !== undefined) {
    if (!request.headers.has('impersonate-user')) return user
    throw failure(403, 'Forbidden', 'this server does not know other users: it lets nobody impersonate one')
  }
  if (openPaths.has(pathname)) return anonymous
  throw unauthorized()
}

/** The token of an `Authorization: Bearer` header. */
export function bearerToken(request: Request): string | undefined {
  return /^bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
}
