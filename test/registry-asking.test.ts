/** Whom the client asks for an image, as whom, and how often. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { type Credential, readPullSecrets } from '#oci/credentials.ts'
import { openRegistries } from '#oci/registries.ts'
import { dockerConfig, startRegistry } from './registry.ts'

const labels = { a: 'b' }
const signal = AbortSignal.timeout(30_000)
const asNobody = { credentials: [], signal }

test('a rule sends us elsewhere, and the image keeps its name', async () => {
  await using registry = await startRegistry()
  await registry.push('hub/amd/x:1', { labels })
  await using registries = openRegistries({
    settings: { rules: [{ prefix: 'docker.io', location: `${registry.host}/hub` }] },
  })
  const found = await registries.inspect('amd/x:1', asNobody)
  assert.deepEqual([found.labels, found.reference], [labels, 'docker.io/amd/x:1'])
})

test('mirrors are asked in order, and what they lack or refuse is asked for at the place itself', async () => {
  await using closed = await startRegistry()
  await closed[Symbol.asyncDispose]()
  await using lacking = await startRegistry()
  await using refusing = await startRegistry({ auth: 'basic' })
  await using registry = await startRegistry()
  await registry.push('amd/x:1', { labels })
  const rules = [{ prefix: 'ghcr.io', mirrors: [closed.host, lacking.host, refusing.host], location: registry.host }]
  await using registries = openRegistries({ settings: { rules } })
  assert.deepEqual((await registries.inspect('ghcr.io/amd/x:1', asNobody)).labels, labels)
  assert.deepEqual(
    [lacking, refusing].map(({ requests }) => requests.length),
    [1, 1],
  )

  await lacking.push('amd/x:2', { labels })
  registry.requests.length = 0
  await registries.inspect('ghcr.io/amd/x:2', asNobody)
  assert.deepEqual(registry.requests, [])
  await assert.rejects(registries.inspect('ghcr.io/amd/x:3', asNobody), {
    code: 'ImageNotFound',
    message: `ghcr.io/amd/x:3: ${registry.host} answered 404 MANIFEST_UNKNOWN`,
  })
})

test('a mirror sees its own credentials, never those of the registry that it stands for', async () => {
  await using mirror = await startRegistry({ auth: 'basic' })
  await mirror.push('amd/x:1', { labels })
  const rules = [{ prefix: 'ghcr.io', location: mirror.host }]
  await using registries = openRegistries({ settings: { rules } })
  const ghcr = credentialsOf('ghcr.io', 'somebody', 'else')
  await assert.rejects(registries.inspect('ghcr.io/amd/x:1', { credentials: ghcr, signal }), {
    code: 'ImagePullAuthFailure',
    message: /none of the pull secrets has an entry for 127\.0\.0\.1:\d+/,
  })
  assert.ok(mirror.authorizations.every((each) => each === ''))
  const both = [...ghcr, ...credentialsOf(mirror.host)]
  assert.deepEqual((await registries.inspect('ghcr.io/amd/x:1', { credentials: both, signal })).labels, labels)
})

test('what many want at once is asked for once', async () => {
  await using registry = await startRegistry({ auth: 'token' })
  await registry.push('amd/x:1', { labels })
  await using registries = openRegistries()
  const options = { credentials: credentialsOf(registry.host), signal }
  await Promise.all(Array.from({ length: 50 }, () => registries.inspect(`${registry.host}/amd/x:1`, options)))
  // Refused, token, manifest, configuration.
  assert.equal(registry.requests.length, 4)
  await registries.inspect(`${registry.host}/amd/x:1`, options)
  assert.equal(registry.requests.length, 4)
})

test('who shows other credentials is not answered from what was found with somebody else’s', async () => {
  await using registry = await startRegistry({ auth: 'basic' })
  await registry.push('amd/x:1', { labels })
  await using registries = openRegistries()
  const image = `${registry.host}/amd/x:1`
  await registries.inspect(image, { credentials: credentialsOf(registry.host), signal })
  await assert.rejects(registries.inspect(image, asNobody), { code: 'ImagePullAuthFailure' })
  const wrong = credentialsOf(registry.host, 'alice', 'guess')
  await assert.rejects(registries.inspect(image, { credentials: wrong, signal }), { code: 'ImagePullAuthFailure' })
})

test('a failure is not remembered', async () => {
  await using registry = await startRegistry()
  await using registries = openRegistries()
  const image = `${registry.host}/amd/x:1`
  await assert.rejects(registries.inspect(image, asNobody), { code: 'ImageNotFound' })
  await registry.push('amd/x:1', { labels })
  assert.deepEqual((await registries.inspect(image, asNobody)).labels, labels)
})

test('a tag is asked for again after five minutes, or when told to; its image only when it is another', async () => {
  const clock = manualClock()
  await using registry = await startRegistry()
  await registry.push('amd/x:1', { labels })
  await using registries = openRegistries({ clock })
  const image = `${registry.host}/amd/x:1`
  const asked = async (fresh: boolean): Promise<readonly string[]> => {
    registry.requests.length = 0
    await registries.inspect(image, { ...asNobody, fresh })
    return registry.requests.map((each) => each.split('/').at(-2) ?? '')
  }
  assert.deepEqual(await asked(false), ['manifests', 'blobs'])
  clock.advance(299_000)
  assert.deepEqual(await asked(false), [])
  assert.deepEqual(await asked(true), ['manifests'])
  clock.advance(301_000)
  assert.deepEqual(await asked(false), ['manifests'])
  await registry.push('amd/x:1', { labels: { a: 'new' } })
  assert.deepEqual(await asked(true), ['manifests', 'blobs'])
  assert.deepEqual((await registries.inspect(image, asNobody)).labels, { a: 'new' })
})

test('the same image under two tags is looked at once', async () => {
  await using registry = await startRegistry()
  for (const tag of ['1', 'latest']) await registry.push(`amd/x:${tag}`, { images: [{ labels }] })
  await using registries = openRegistries()
  for (const tag of ['1', 'latest']) await registries.inspect(`${registry.host}/amd/x:${tag}`, asNobody)
  assert.deepEqual(
    registry.requests.map((each) => each.split('/').at(-2)),
    ['manifests', 'manifests', 'blobs', 'manifests'],
  )
})

test('who gives up takes nothing from the others; when all have, the registry is let go', async () => {
  const held = Promise.withResolvers<() => void>()
  const closed = Promise.withResolvers<void>()
  await using registry = await startRegistry({
    instead: (_, response) => {
      response.on('close', () => closed.resolve())
      held.resolve(() => response.destroy())
      return true
    },
  })
  await using registries = openRegistries()
  const [first, second] = [new AbortController(), new AbortController()]
  const ask = ({ signal: own }: AbortController) =>
    registries.inspect(`${registry.host}/amd/x:1`, { credentials: [], signal: own })
  const asked = [ask(first), ask(second)] as const
  await held.promise
  first.abort(new Error('enough'))
  await assert.rejects(asked[0], { message: 'enough' })
  second.abort(new Error('enough too'))
  await assert.rejects(asked[1], { message: 'enough too' })
  await closed.promise
  assert.equal(registry.requests.length, 1)
})

test('scenario 13 an image without linux/amd64 is looked at for the architecture of the nodes', async () => {
  await using registry = await startRegistry()
  const platforms = ['windows/amd64', 'linux/s390x', 'linux/arm64/v8']
  await registry.push('amd/x:1', { images: platforms.map((platform) => ({ platform, labels: { platform } })) })
  await using registries = openRegistries()
  const image = `${registry.host}/amd/x:1`
  assert.equal((await registries.inspect(image, { ...asNobody, architectures: ['arm64'] })).platform, 'linux/arm64/v8')
  assert.equal((await registries.inspect(image, asNobody)).platform, 'linux/s390x')
})

test('a configuration that came along is not asked for', async () => {
  await using registry = await startRegistry()
  await registry.push('amd/x:1', { images: [{ hidesPlatform: true, inlinesConfig: true, labels }] })
  await using registries = openRegistries()
  const found = await registries.inspect(`${registry.host}/amd/x:1`, asNobody)
  assert.deepEqual([found.labels, found.platform], [labels, 'linux/amd64'])
})

function credentialsOf(host: string, user?: string, password?: string): readonly Credential[] {
  const type = 'kubernetes.io/dockerconfigjson'
  return readPullSecrets([{ name: 's', namespace: 'ns', type, data: dockerConfig(host, user, password) }]).credentials
}
