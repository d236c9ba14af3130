/** What goes wrong between a registry and us, each with what it means. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { loadIdentity } from '#cli/identity.ts'
import { type Credential, readPullSecrets } from '#oci/credentials.ts'
import { openRegistries } from '#oci/registries.ts'
import { mediaTypes, type TestImage } from './images.ts'
import { dockerConfig, startRegistry } from './registry.ts'
import { temporaryDirectory } from './up-process.ts'

const labels = { a: 'b' }
const signal = AbortSignal.timeout(30_000)

type Instead = (request: IncomingMessage, response: ServerResponse) => boolean

/** Deals with requests for paths that match. */
function on(path: RegExp, deal: (response: ServerResponse, request: IncomingMessage) => void): Instead {
  return (request, response) => {
    const isIt = path.test(request.url ?? '')
    if (isIt) deal(response, request)
    return isIt
  }
}

const send =
  (status: number, headers: Record<string, string>, body = '') =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(body)

const rows: Record<
  string,
  { instead?: Instead; image?: TestImage; want: RegExp; wantCode: string; wantKind: string; wantWaitMs?: number }
> = {
  'an answer that breaks off': {
    instead: on(/blobs/, (response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{"config":')
      setImmediate(() => response.destroy())
    }),
    want: /cannot reach 127\.0\.0\.1:\d+: the connection was broken off/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a connection that dies': {
    instead: on(/manifests/, (response) => response.destroy()),
    want: /the connection was broken off/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a server error': {
    instead: on(/manifests/, send(503, { 'retry-after': '7' }, 'no JSON')),
    want: /answered 503$/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
    wantWaitMs: 7000,
  },
  'too many requests': {
    instead: on(/manifests/, send(429, { 'retry-after': '120' }, '{"errors":[{"code":"TOOMANYREQUESTS"}]}')),
    want: /answered 429 TOOMANYREQUESTS: asked too often, to be asked again in 120 s/,
    wantCode: 'RegistryRateLimited',
    wantKind: 'exhausted',
    wantWaitMs: 120_000,
  },
  'a refusal that looks like something to refuse': {
    instead: on(/manifests/, send(500, {}, '{"errors":[{"code":"UNKNOWN","message":"401 404 credentials"}]}')),
    want: /answered 500 UNKNOWN$/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a manifest that is no JSON': {
    instead: on(/manifests/, send(200, { 'content-type': mediaTypes.oci.manifest }, '<html>')),
    want: /answered with a manifest that is no JSON object/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a manifest that is too large': {
    instead: on(/manifests/, send(200, {}, ' '.repeat((4 << 20) + 1))),
    want: /answered with more than the 4 MiB that we look at/,
    wantCode: 'UnsupportedImage',
    wantKind: 'invalid',
  },
  'a manifest of an earlier age': {
    instead: on(
      /manifests/,
      send(200, { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' }, '{}'),
    ),
    want: /it is of the type "application\/vnd\.docker\.distribution\.manifest\.v1\+prettyjws", which holds no image/,
    wantCode: 'UnsupportedImage',
    wantKind: 'invalid',
  },
  'a configuration that is too large': {
    image: { config: JSON.stringify({ config: { Labels: { a: 'x'.repeat(8 << 20) } } }) },
    want: /answered with more than the 8 MiB that we look at/,
    wantCode: 'UnsupportedImage',
    wantKind: 'invalid',
  },
  'a configuration that is no JSON': {
    image: { config: 'not json' },
    want: /its configuration is no JSON object/,
    wantCode: 'UnsupportedImage',
    wantKind: 'invalid',
  },
  'a configuration that is another': {
    instead: on(/blobs/, send(200, {}, '{"config":{"Labels":{"a":"evil"}}}')),
    want: /answered with something else than its digest says/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'indexes in indexes without an end': {
    image: { images: [{ images: [{ images: [{ images: [{ labels }] }] }] }] },
    want: /its index holds indexes more than 3 deep/,
    wantCode: 'UnsupportedImage',
    wantKind: 'invalid',
  },
  'nothing but attestations': {
    image: {
      images: [{ annotations: { 'vnd.docker.reference.type': 'attestation-manifest' }, platform: 'unknown/unknown' }],
    },
    want: /it has no image for Linux, only for: none/,
    wantCode: 'PlatformNotFound',
    wantKind: 'invalid',
  },
  'redirects in a circle': {
    instead: on(/manifests/, (response, request) => send(307, { location: request.url ?? '' })(response)),
    want: /answered 307$/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a redirect to where clouds keep their secrets': {
    instead: on(/blobs/, send(307, { location: 'https://169.254.169.254/latest/meta-data/' })),
    want: /169\.254\.169\.254 is never asked: it is no address of a registry/,
    wantCode: 'RegistryForbidden',
    wantKind: 'invalid',
  },
  'a redirect away from TLS': {
    instead: on(/blobs/, send(307, { location: 'http://registry.example/blob' })),
    want: /registry\.example is not asked without TLS; the administrator may allow it by a rule with the location "http:\/\/registry\.example"/,
    wantCode: 'RegistryForbidden',
    wantKind: 'invalid',
  },
  'a token service that is no address': {
    instead: on(/manifests/, send(401, { 'www-authenticate': 'Bearer realm="nowhere"' })),
    want: /answered with a token service that is no address/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a token service that gives none': {
    instead: (request, response) =>
      on(/token/, send(200, {}, '{"token": 5}'))(request, response) ||
      on(/manifests/, send(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }))(
        request,
        response,
      ),
    want: /answered with no token/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a token service that is not there': {
    instead: (request, response) =>
      on(/token/, send(404, {}))(request, response) ||
      on(/manifests/, send(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }))(
        request,
        response,
      ),
    want: /answered with 404 to a request for a token/,
    wantCode: 'MetadataExtractionFailed',
    wantKind: 'unavailable',
  },
  'a token that is not enough': {
    instead: (request, response) =>
      on(/token/, send(200, {}, '{"access_token": "t"}'))(request, response) ||
      on(/manifests/, send(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }))(
        request,
        response,
      ),
    want: /answered 401: the image is missing or not accessible without credentials, and no pull secret with credentials was named/,
    wantCode: 'ImagePullAuthFailure',
    wantKind: 'denied',
  },
}
for (const [name, { instead, image = { labels }, want, wantCode, wantKind, wantWaitMs }] of Object.entries(rows)) {
  test(`a registry with ${name}`, async () => {
    await using registry = await startRegistry({ ...(instead && { instead }) })
    await registry.push('amd/x:1', image)
    await using registries = openRegistries()
    await assert.rejects(registries.inspect(`${registry.host}/amd/x:1`, { credentials: [], signal }), {
      kind: wantKind,
      code: wantCode,
      message: want,
      retryAfterMs: wantWaitMs,
    })
  })
}

test('a registry that never answers is given up after a minute, and holds up no other', async () => {
  const asked = Promise.withResolvers<void>()
  let count = 0
  const instead = (): boolean => {
    if (++count === 2) asked.resolve()
    return true
  }
  await using silent = await startRegistry({ instead })
  await using other = await startRegistry()
  await other.push('amd/x:1', { labels })
  const clock = manualClock()
  await using registries = openRegistries({ clock })
  const hanging = Array.from({ length: 6 }, (_, index) =>
    registries.inspect(`${silent.host}/amd/x:${index}`, { credentials: [], signal }),
  )
  const ends = Promise.allSettled(hanging)
  await asked.promise
  assert.deepEqual((await registries.inspect(`${other.host}/amd/x:1`, { credentials: [], signal })).labels, labels)
  assert.equal(silent.requests.length, 2)
  clock.advance(60_000)
  await assert.rejects(hanging[0] ?? ends, {
    kind: 'unavailable',
    code: 'MetadataExtractionFailed',
    message: /127\.0\.0\.1:\d+ took more than 60 s/,
  })
})

test('nobody listens', async () => {
  const registry = await startRegistry()
  await registry[Symbol.asyncDispose]()
  await using registries = openRegistries()
  await assert.rejects(registries.inspect(`${registry.host}/amd/x:1`, { credentials: [], signal }), {
    code: 'MetadataExtractionFailed',
    message: `${registry.host}/amd/x:1: cannot reach ${registry.host}: nothing listens there`,
  })
})

test('#69 credentials go to the registry alone, whoever it sends us to', async () => {
  for (const auth of ['basic', 'token'] as const) {
    await using store = await startRegistry()
    await store.push('amd/x:1', { labels })
    const instead = on(/blobs/, (response, request) =>
      send(307, { location: `http://${store.host}${request.url}` })(response),
    )
    await using registry = await startRegistry({ auth, instead })
    await registry.push('amd/x:1', { labels })
    await using registries = openRegistries()
    const found = await registries.inspect(`${registry.host}/amd/x:1`, { credentials: of(registry.host), signal })
    assert.deepEqual(found.labels, labels)
    assert.match(registry.authorizations.at(-1) ?? '', auth === 'basic' ? /^Basic / : /^Bearer /)
    assert.deepEqual(store.authorizations, [''])
  }
})

test('credentials that another host would like to have are not shown to it', async () => {
  const challenge = { 'www-authenticate': 'Basic realm="please"' }
  await using thief = await startRegistry({ instead: on(/./, send(401, challenge)) })
  await using registry = await startRegistry({
    auth: 'basic',
    instead: on(/blobs/, (response, request) =>
      send(307, { location: `http://${thief.host}${request.url}` })(response),
    ),
  })
  await registry.push('amd/x:1', { labels })
  await using registries = openRegistries()
  await assert.rejects(registries.inspect(`${registry.host}/amd/x:1`, { credentials: of(registry.host), signal }), {
    code: 'ImagePullAuthFailure',
  })
  assert.ok(thief.authorizations.length > 0 && thief.authorizations.every((each) => each === ''))
})

test('a token that runs out midway is renewed', async () => {
  let refused = 0
  const instead: Instead = (request, response) =>
    /blobs/.test(request.url ?? '') &&
    refused++ === 0 &&
    on(/blobs/, send(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }))(
      request,
      response,
    )
  await using registry = await startRegistry({ auth: 'token', instead })
  await registry.push('amd/x:1', { labels })
  await using registries = openRegistries()
  const found = await registries.inspect(`${registry.host}/amd/x:1`, { credentials: of(registry.host), signal })
  assert.deepEqual(found.labels, labels)
  assert.equal(registry.requests.filter((each) => each.includes('/token')).length, 2)
})

test('an identity token buys tokens, and is sent to the token service alone', async () => {
  let form = ''
  const instead = on(/\/token$/, (response, request) => {
    request.on('data', (chunk: Buffer) => (form += chunk.toString()))
    request.on('end', () => send(200, {}, '{"access_token":"bought"}')(response))
  })
  const guarded: Instead = (request, response) =>
    instead(request, response) ||
    (request.headers.authorization !== 'Bearer bought' &&
      on(/./, send(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="s"` }))(
        request,
        response,
      ))
  await using registry = await startRegistry({ instead: guarded })
  await registry.push('amd/x:1', { labels })
  await using registries = openRegistries()
  const credential: Credential = {
    host: registry.host,
    path: '',
    login: { by: 'identity-token', token: 'id' },
    secret: 'ns/s',
  }
  await registries.inspect(`${registry.host}/amd/x:1`, { credentials: [credential], signal })
  assert.deepEqual(Object.fromEntries(new URLSearchParams(form)), {
    grant_type: 'refresh_token',
    refresh_token: 'id',
    client_id: 'fairlead',
    service: 's',
    scope: 'repository:amd/x:pull',
  })
})

test('an identity token is sent on to nobody', async () => {
  await using thief = await startRegistry()
  const instead: Instead = (request, response) =>
    on(/token/, send(307, { location: `http://${thief.host}/token` }))(request, response) ||
    on(/./, send(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }))(request, response)
  await using registry = await startRegistry({ instead })
  await using registries = openRegistries()
  const login = { by: 'identity-token', token: 'id' } as const
  const credentials: readonly Credential[] = [{ host: registry.host, path: '', login, secret: 'ns/s' }]
  await assert.rejects(registries.inspect(`${registry.host}/amd/x:1`, { credentials, signal }), /answered 307/)
  assert.deepEqual(thief.requests, [])
})

test('a registry’s certificate is trusted by the authority that the administrator names', async (t) => {
  const { ca, cert, key } = await loadIdentity(temporaryDirectory(t), Date.now())
  await using registry = await startRegistry({ tls: { cert, key } })
  await registry.push('amd/x:1', { labels })
  const rules = [{ prefix: 'registry.internal', location: `https://${registry.host}` }]
  await using wary = openRegistries({ settings: { rules } })
  await assert.rejects(wary.inspect('registry.internal/amd/x:1', { credentials: [], signal }), {
    kind: 'unavailable',
    code: 'RegistryTLSError',
    message: /its certificate is signed by no authority that we trust/,
  })
  await using registries = openRegistries({ settings: { rules, certificateAuthorities: ca } })
  const found = await registries.inspect('registry.internal/amd/x:1', { credentials: [], signal })
  assert.deepEqual([found.labels, found.reference], [labels, 'registry.internal/amd/x:1'])
})

test('a registry elsewhere does not send us to what listens on this machine', async (t) => {
  const { ca, cert, key } = await loadIdentity(temporaryDirectory(t), Date.now())
  await using local = await startRegistry()
  const instead = on(/blobs/, (response) => send(307, { location: `http://${local.host}/metrics` })(response))
  await using registry = await startRegistry({ tls: { cert, key }, instead })
  await registry.push('amd/x:1', { labels })
  const rules = [{ prefix: 'registry.internal', location: `https://localhost:${registry.host.split(':')[1]}` }]
  await using registries = openRegistries({ settings: { rules, certificateAuthorities: ca } })
  await assert.rejects(registries.inspect('registry.internal/amd/x:1', { credentials: [], signal }), {
    code: 'RegistryForbidden',
  })
  assert.deepEqual(local.requests, [])
})

test('a proxy is asked for what is elsewhere', async () => {
  await using registry = await startRegistry()
  await registry.push('amd/x:1', { labels })
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    const { host, pathname } = new URL(request.url ?? '')
    asked.push(host)
    void fetch(`http://${registry.host}${pathname}`).then(async (answer) => {
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
      response.end(Buffer.from(await answer.arrayBuffer()))
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const rules = ['a', 'b'].map((name) => ({ prefix: `${name}.internal`, location: `http://${name}.internal` }))
  const settings = { rules, proxy: { http: address, https: address, no: 'b.internal' } }
  {
    await using registries = openRegistries({ settings })
    for (const host of ['a.internal', registry.host]) {
      assert.deepEqual((await registries.inspect(`${host}/amd/x:1`, { credentials: [], signal })).labels, labels)
    }
    await assert.rejects(registries.inspect('b.internal/amd/x:1', { credentials: [], signal }), {
      message: /cannot reach b\.internal/,
    })
  }
  proxy.closeAllConnections()
  proxy.close()
  assert.deepEqual([...new Set(asked)], ['a.internal'])
})

function of(host: string): readonly Credential[] {
  const type = 'kubernetes.io/dockerconfigjson'
  return readPullSecrets([{ name: 's', namespace: 'ns', type, data: dockerConfig(host) }]).credentials
}
