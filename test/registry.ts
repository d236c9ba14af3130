/**
 * A small registry in this process, and images to push to it: for what a real one cannot be made to do (be slow, die,
 * redirect, count what it is asked), and for tests that need any registry at all.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Blob, imageParts, type TestImage } from './images.ts'

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`: the first part of references to its images. */
  readonly host: string
  /** Pushes `repository:tag`, such as `amd/x:1`; returns its digest. A tag that is there moves. */
  push(name: string, image: TestImage): Promise<string>
  /** `data` of a `kubernetes.io/dockerconfigjson` Secret for this registry. */
  dockerConfig(user?: string, password?: string): { readonly '.dockerconfigjson': string }
}

export interface LocalRegistry extends TestRegistry {
  /** Every request that came, such as `GET /v2/amd/x/manifests/1`, oldest first; empty it to count anew. */
  readonly requests: string[]
  /** The `Authorization` of each of them, or an empty string. */
  readonly authorizations: string[]
}

export interface TestRegistryOptions {
  /** How clients prove who they are; by default nobody must. */
  readonly auth?: 'none' | 'basic' | 'token'
}

export interface LocalRegistryOptions extends TestRegistryOptions {
  /** User → password; `{ alice: 'secret' }` by default. */
  readonly users?: Readonly<Record<string, string>>
  /** Gets every request first; true when it has dealt with it. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Makes it speak TLS; PEM. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Tags and repositories on one page of a list. */
  readonly pageSize?: number
}

const defaultUsers = { alice: 'secret' }

export async function startRegistry(options: LocalRegistryOptions = {}): Promise<LocalRegistry> {
  const contents = new Contents()
  const guard = guardOf(options)
  const requests: string[] = []
  const authorizations: string[] = []
  const server = options.tls === undefined ? createServer() : createSecureServer(options.tls)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`)
    authorizations.push(request.headers.authorization ?? '')
    if (options.instead?.(request, response) === true) return
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
    if (guard(request, url, response)) contents.serve(url, response, options.pageSize ?? 1000)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    requests,
    authorizations,
    push: (name, image) => Promise.resolve(contents.push(name, image)),
    dockerConfig: (user, password) => dockerConfig(host, user, password),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** By default with a user that every test registry knows. */
export function dockerConfig(host: string, user = 'alice', password: string = defaultUsers.alice) {
  const auths = { [host]: { auth: base64(`${user}:${password}`) } }
  return { '.dockerconfigjson': base64(JSON.stringify({ auths })) }
}

class Contents {
  readonly #blobs = new Map<string, Blob>()
  /** Repository → tag → digest. */
  readonly #tags = new Map<string, Map<string, string>>()

  push(name: string, image: TestImage): string {
    const [repository = '', tag = ''] = name.split(':')
    const { blobs, manifests } = imageParts(image)
    for (const blob of [...blobs, ...manifests]) this.#blobs.set(blob.digest, blob)
    const digest = manifests.at(-1)?.digest ?? ''
    this.#tags.set(repository, (this.#tags.get(repository) ?? new Map<string, string>()).set(tag, digest))
    return digest
  }

  serve(url: URL, response: ServerResponse, pageSize: number): void {
    const [, repository = '', what = '', version = ''] =
      /^\/v2\/(.*)\/(manifests|blobs|tags)\/(.*)$/.exec(url.pathname) ?? []
    if (url.pathname === '/v2/') return answer(response, 200, {})
    if (url.pathname === '/v2/_catalog') {
      return sendPage({ url, response, pageSize }, 'repositories', [...this.#tags.keys()].sort())
    }
    const tags = this.#tags.get(repository)
    if (tags === undefined) return refuse(response, 404, 'NAME_UNKNOWN')
    if (what === 'tags') return sendPage({ url, response, pageSize }, 'tags', [...tags.keys()].sort())
    const blob = this.#blobs.get(tags.get(version) ?? version)
    if (blob === undefined) return refuse(response, 404, what === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN')
    const type = what === 'blobs' ? 'application/octet-stream' : blob.mediaType
    response.writeHead(200, { 'content-type': type, 'docker-content-digest': blob.digest }).end(blob.body)
  }
}

interface Listing {
  readonly url: URL
  readonly response: ServerResponse
  readonly pageSize: number
}

function sendPage({ url, response, pageSize }: Listing, key: string, names: readonly string[]): void {
  const last = url.searchParams.get('last')
  const size = Math.min(pageSize, Number(url.searchParams.get('n') ?? pageSize))
  const rest = last === null ? names : names.filter((name) => name > last)
  const page = rest.slice(0, size)
  const next = `<${url.pathname}?n=${size}&last=${page.at(-1)}>; rel="next"`
  answer(response, 200, { [key]: page }, rest.length > size ? { link: next } : {})
}

type Guard = (request: IncomingMessage, url: URL, response: ServerResponse) => boolean

/** Answers what may not pass, and what asks for a token. */
function guardOf({ auth = 'none', users = defaultUsers }: LocalRegistryOptions): Guard {
  const known = new Set(Object.entries(users).map(([user, password]) => `Basic ${base64(`${user}:${password}`)}`))
  const tokens = new Set<string>()
  if (auth === 'none') return () => true
  return (request, url, response) => {
    const given = request.headers.authorization ?? ''
    if (auth === 'token' && url.pathname === '/token') {
      if (!known.has(given)) refuse(response, 401, 'UNAUTHORIZED')
      else {
        const token = randomUUID()
        tokens.add(`Bearer ${token} ${url.searchParams.get('scope')}`)
        answer(response, 200, { token })
      }
      return false
    }
    const scope = scopeOf(url)
    if (auth === 'basic' ? known.has(given) : tokens.has(`${given} ${scope}`)) return true
    const realm = `Bearer realm="http://${request.headers.host}/token",service="test",scope="${scope}"`
    refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': auth === 'basic' ? 'Basic realm="test"' : realm })
    return false
  }
}

function scopeOf({ pathname }: URL): string {
  if (pathname === '/v2/_catalog') return 'registry:catalog:*'
  return `repository:${/^\/v2\/(.*)\/(?:manifests|blobs|tags)\//.exec(pathname)?.[1]}:pull`
}

function refuse(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  answer(response, status, { errors: [{ code, message: 'no' }] }, headers)
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
