import { type Clock, systemClock } from '#base/clock.ts'
import { isFault } from '#base/fault.ts'
import { factsOf, type Log, silentLog } from '#base/log.ts'
import { coreDocument } from '#api/core/document.ts'
import { reviewKinds } from '#api/core/kinds.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { forbidden, statusOf } from '#machinery/status.ts'
import type { Store } from '#embedded/store/store.ts'
import { authorize } from './authorize.ts'
import { createClusterIps } from './cluster-ips.ts'
import type { Call, Context } from './context.ts'
import { seed } from './seed.ts'
import { encodeStatus } from './encode.ts'
import { methodNotAllowed, noSuchPath, noSuchResource } from './failures.ts'
import { startHousekeeping } from './housekeeping.ts'
import { type Authenticate, identify, type User } from './identify.ts'
import { answerPath } from './paths.ts'
import { createNodePorts } from './node-ports.ts'
import { flag } from './list-options.ts'
import { createRegistry } from './registry.ts'
import { SelfSubjectReview } from './review-kinds.ts'
import { route } from './route.ts'
import { serve } from './verbs.ts'

export interface ApiServerOptions {
  readonly store: Store
  /** Kubernetes' own kinds to serve. */
  readonly kinds: readonly Kind[]
  /** CustomResourceDefinitions to install before the first request; those that are there are brought up to date. */
  readonly customKinds?: readonly unknown[]
  /** Namespaces that are there from the first request on, beside Kubernetes' own. */
  readonly namespaces?: readonly string[]
  readonly authenticate: Authenticate
  /** The kubelet of a node, for container logs. */
  readonly kubelet?: (nodeName: string) => Fetch | undefined
  readonly clock?: Clock
  readonly log?: Log
  /** Told of every answer to a request for a resource; for counting. */
  readonly onRequest?: (request: AnsweredRequest) => void
}

export interface AnsweredRequest {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly userAgent: string
  readonly status: number
}

/** A Kubernetes API server for one machine. It is a function from request to response; only `cli/` listens. */
export interface ApiServer extends AsyncDisposable {
  readonly fetch: Fetch
}

/** Resolves when the default namespaces and the custom kinds are in place. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, kinds, authenticate, clock = systemClock, log = silentLog, onRequest } = options
  const closing = new AbortController()
  const gitVersion = `${coreDocument().kubernetesVersion}+fairlead`
  const registry = createRegistry(store, kinds, [...reviewKinds, SelfSubjectReview], gitVersion)
  const context: Context = {
    store,
    kinds: registry,
    clock,
    log,
    clusterIps: createClusterIps(),
    nodePorts: createNodePorts(),
    kubelet: options.kubelet ?? (() => undefined),
    closing: closing.signal,
  }
  const documents = { registry, gitVersion }

  /** `identify → route → authorize`, then what the path or the verb asks for. */
  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const user = identify(request, url.pathname, authenticate)
    const isWatch = flag(url.searchParams, 'watch') ?? false
    const found = route(request.method, url.pathname, isWatch, registry)
    switch (found.to) {
      case 'nowhere':
        return noSuchPath()
      case 'nothing':
        throw noSuchResource()
      case 'badMethod':
        throw methodNotAllowed()
      case 'path':
        allow(user, { verb: request.method.toLowerCase(), path: found.path })
        return answerPath(documents, request, url, found.path)
      case 'resource': {
        const { target } = found
        const { group, plural } = target.served.kind
        const { verb, namespace, name, subresource } = target
        allow(user, { verb, group, resource: plural, subresource, namespace, name })
        const { deprecation } = target.served
        const warnings = deprecation === undefined ? [] : [deprecation]
        const call: Call = { request, query: url.searchParams, user, target, warnings }
        return counted(call, () => serve(context, call))
      }
    }
  }

  function allow(user: User, wanted: Parameters<typeof authorize>[1]): void {
    const { allowed, reason } = authorize(user, wanted)
    if (allowed) return
    throw forbidden(
      { group: wanted.group ?? '', plural: wanted.resource ?? wanted.path ?? '' },
      wanted.name ?? '',
      reason,
    )
  }

  async function counted(call: Call, run: () => Promise<Response>): Promise<Response> {
    const response = await run().catch((error: unknown) => failed(call.request, error, call.warnings))
    const { served, verb, subresource, namespace, name } = call.target
    onRequest?.({
      verb,
      group: served.kind.group,
      resource: served.kind.plural,
      subresource,
      namespace,
      name,
      userAgent: call.request.headers.get('user-agent') ?? '',
      status: response.status,
    })
    return response
  }

  function failed(request: Request, error: unknown, warnings?: readonly string[]): Response {
    if (!isFault(error)) log.error('request failed', { method: request.method, url: request.url, ...factsOf(error) })
    return encodeStatus(statusOf(error), request, warnings)
  }

  const server: ApiServer = {
    async fetch(request) {
      const response = await answer(request).catch((error: unknown) => failed(request, error))
      return request.method === 'HEAD' ? new Response(null, response) : response
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      housekeeping.stop()
      registry.stop()
    },
  }
  const housekeeping = startHousekeeping(context)
  const { customKinds = [], namespaces = [] } = options
  await seed(context, { definitions: customKinds as readonly AnyResource[], namespaces })
  return server
}
