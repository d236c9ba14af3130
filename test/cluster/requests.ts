/** What a server would say of its requests, from where they are sent. */
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { Fetch } from '#machinery/http.ts'

/** Tells of every answer to a request for a resource. */
export function recorded(fetch: Fetch, tell: (request: AnsweredRequest) => void): Fetch {
  return async (request) => {
    const { method, url, headers } = request
    const response = await fetch(request)
    const asked = askedFor(method, new URL(url))
    const userAgent = headers.get('user-agent') ?? ''
    if (asked !== undefined) tell({ ...asked, userAgent, status: response.status })
    return response
  }
}

function askedFor(
  method: string,
  { pathname, searchParams }: URL,
): Omit<AnsweredRequest, 'userAgent' | 'status'> | undefined {
  const [root, ...segments] = pathname.slice(1).split('/').map(decodeURIComponent)
  if (root !== 'api' && root !== 'apis') return undefined
  const group = root === 'apis' ? (segments.shift() ?? '') : ''
  segments.shift() // the version
  // A namespace is itself a resource when nothing follows its name but its own subresources.
  const within = segments[0] === 'namespaces' && segments.length > 2 && !namespaceParts.has(segments[2] ?? '')
  const namespace = within ? (segments.splice(0, 2)[1] ?? '') : ''
  const [resource = '', name = '', subresource = ''] = segments
  if (resource === '') return undefined
  const verb = verbOf(method, name !== '', searchParams.get('watch') === 'true')
  return { verb, group, resource, subresource, namespace, name }
}

const namespaceParts: ReadonlySet<string> = new Set(['status', 'finalize'])

function verbOf(method: string, named: boolean, watches: boolean): string {
  switch (method) {
    case 'GET':
      if (named) return 'get'
      return watches ? 'watch' : 'list'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'DELETE':
      return named ? 'delete' : 'deletecollection'
    default:
      return method.toLowerCase()
  }
}
