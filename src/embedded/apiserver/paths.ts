import { aggregated, apiGroup, apiGroups, apiResources, apiVersions } from './discovery.ts'
import { json } from './encode.ts'
import { methodNotAllowed, noSuchPath, noSuchResource } from './failures.ts'
import { negotiate } from './negotiate.ts'
import { openApiGroup, openApiIndex, openApiV2 } from './openapi.ts'
import type { LiveRegistry } from './registry.ts'

export interface Documents {
  readonly registry: LiveRegistry
  /** Such as `v1.37.2+fairlead`. */
  readonly gitVersion: string
}

/** What is served beside resources: health, version, discovery, OpenAPI. Faults: 404, 405, 406. */
export function answerPath(documents: Documents, request: Request, url: URL, path: string): Response {
  const [root = '', ...rest] = path.slice(1).split('/')
  switch (root) {
    case 'healthz':
    case 'livez':
    case 'readyz':
      return new Response('ok', { headers: healthHeaders })
    case 'version':
      if (request.method !== 'GET') throw methodNotAllowed()
      return json(versionInfo(documents.gitVersion))
    case 'api':
    case 'apis':
      return discovery(documents, request, url, root, rest)
    case 'openapi':
      return openApi(documents, request, rest)
    case '':
      return json({
        paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v2', '/openapi/v3', '/readyz', '/version'],
      })
    default:
      return noSuchPath()
  }
}

const healthHeaders = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache, private' }

function versionInfo(gitVersion: string): object {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? []
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'node',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  }
}

function discovery(
  { registry }: Documents,
  request: Request,
  url: URL,
  root: string,
  rest: readonly string[],
): Response {
  const isCore = root === 'api'
  if (rest.length === 0) {
    const { form } = negotiate(request.headers.get('accept'), { forms: ['discovery'] })
    if (form === 'discovery') {
      const type = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
      return json(aggregated(registry, isCore), 200, {
        'content-type': type,
        'cache-control': 'public',
        etag: `"${registry.tag}"`,
        vary: 'Accept',
      })
    }
    return json(isCore ? apiVersions(url.host) : apiGroups(registry), 200, { vary: 'Accept' })
  }
  const [first = '', second] = rest
  const found =
    !isCore && second === undefined
      ? apiGroup(registry, first)
      : apiResources(registry, isCore ? '' : first, isCore ? first : (second ?? ''))
  const isKnown = isCore || apiGroup(registry, first) !== undefined
  if (!isKnown) return noSuchPath()
  if (found === undefined || rest.length > (isCore ? 1 : 2)) throw noSuchResource()
  return json(found)
}

function openApi(
  { registry, gitVersion }: Documents,
  request: Request,
  [version, ...rest]: readonly string[],
): Response {
  if (version === 'v2' && rest.length === 0) return openApiV2(request.headers.get('accept'), gitVersion)
  if (version !== 'v3') return noSuchPath()
  negotiate(request.headers.get('accept'), { forms: [] })
  if (rest.length === 0) return json(openApiIndex(registry))
  const document = openApiGroup(registry, gitVersion, rest.join('/'))
  if (document === undefined)
    return new Response(null, { status: 404, headers: { 'cache-control': 'no-cache, private' } })
  return json(document)
}
