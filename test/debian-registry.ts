/** A `docker-registry` as a process of its own, with the test as its token service. */
import { spawn } from 'node:child_process'
import { randomUUID, sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { loadIdentity } from '#cli/identity.ts'
import { type Blob, imageParts } from './images.ts'
import { dockerConfig, type TestRegistry, type TestRegistryOptions } from './registry.ts'

/** Of alice and "secret"; the registry takes bcrypt alone. */
const htpasswd = 'alice:$2b$04$FD1NBrPmEchqbjcG50saheEnXqqfGfFNhjNbv8efG91fSovoopGZK\n'
const alice = `Basic ${Buffer.from('alice:secret').toString('base64')}`
const service = 'test-registry'

export async function startDebianRegistry(
  program: string,
  { auth = 'none' }: TestRegistryOptions,
): Promise<TestRegistry> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.adopt(mkdtempSync(join(tmpdir(), 'fairlead-registry-')), (path) =>
    rmSync(path, { recursive: true }),
  )
  const tokens = auth === 'token' ? stack.use(await startTokenService(folder)) : undefined
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const ways = {
    none: {},
    basic: { auth: { htpasswd: { realm: 'test', path: file('htpasswd', htpasswd) } } },
    token: { auth: { token: { realm: tokens?.url, service, issuer: service, rootcertbundle: tokens?.authorities } } },
  }
  const config = { version: '0.1', storage: { inmemory: {} }, http: { addr: '127.0.0.1:0' }, ...ways[auth] }
  const host = await startProcess(stack, program, file('config.yml', JSON.stringify(config)))
  const authorization = { none: '', basic: alice, token: '' }[auth]
  const kept = stack.move()
  return {
    host,
    async push(name, image) {
      const [repository = '', tag = ''] = name.split(':')
      const scope = { type: 'repository', name: repository, actions: ['pull', 'push'] }
      const as = tokens === undefined ? authorization : `Bearer ${tokens.issue([scope])}`
      const { blobs, manifests } = imageParts(image)
      const store = { base: `http://${host}/v2/${repository}`, as }
      for (const blob of blobs) await pushBlob(store, blob)
      for (const manifest of manifests) {
        const isLast = manifest === manifests.at(-1)
        await put(`${store.base}/manifests/${isLast ? tag : manifest.digest}`, store.as, manifest)
      }
      return manifests.at(-1)?.digest ?? ''
    },
    dockerConfig: (user, password) => dockerConfig(host, user, password),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Resolves with where it listens. */
async function startProcess(stack: AsyncDisposableStack, program: string, config: string): Promise<string> {
  const child = spawn(program, ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] })
  stack.defer(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  const said: string[] = []
  child.stdout.resume()
  for await (const line of createInterface({ input: child.stderr })) {
    const host = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1]
    if (host !== undefined) {
      child.stderr.resume()
      return host
    }
    said.push(line)
  }
  throw new Error(`${program} ended: ${said.join('\n')}`)
}

interface Store {
  readonly base: string
  readonly as: string
}

async function pushBlob({ base, as }: Store, blob: Blob): Promise<void> {
  const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers: { authorization: as } })
  const place = new URL(begun.headers.get('location') ?? '', base)
  place.searchParams.set('digest', blob.digest)
  await put(place.href, as, { ...blob, mediaType: 'application/octet-stream' })
}

async function put(url: string, as: string, { mediaType, body }: Blob): Promise<void> {
  const headers = { authorization: as, 'content-type': mediaType }
  const answer = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) })
  if (!answer.ok) throw new Error(`PUT ${url}: ${answer.status} ${await answer.text()}`)
}

interface Access {
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

interface TokenService extends AsyncDisposable {
  readonly url: string
  /** File with the certificates that the registry trusts tokens by. */
  readonly authorities: string
  issue(access: readonly Access[]): string
}

/** Gives alice what she asks for, and nobody else anything. */
async function startTokenService(folder: string): Promise<TokenService> {
  const { ca, cert, key } = await loadIdentity(folder, Date.now())
  const authorities = join(folder, 'authorities.pem')
  writeFileSync(authorities, ca)
  const header = { typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(cert).raw.toString('base64')] }
  const issue = (access: readonly Access[]): string => {
    const seconds = Math.floor(Date.now() / 1000)
    const times = { iat: seconds, nbf: seconds - 5, exp: seconds + 300 }
    const claims = { iss: service, sub: 'alice', aud: service, jti: randomUUID(), ...times, access }
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
  const server = createServer((request, response) => {
    const scopes = new URL(request.url ?? '', 'http://x').searchParams.getAll('scope')
    const [isAlice, isNobody] = [request.headers.authorization === alice, request.headers.authorization === undefined]
    response.statusCode = isAlice || isNobody ? 200 : 401
    response.end(
      JSON.stringify(response.statusCode === 200 ? { token: issue(isAlice ? scopes.map(accessOf) : []) } : {}),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    authorities,
    issue,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function accessOf(scope: string): Access {
  const [type = '', name = '', actions = ''] = scope.split(':')
  return { type, name, actions: actions.split(',') }
}
