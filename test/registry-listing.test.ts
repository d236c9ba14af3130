/** Lists that no registry keeps as OCI has it, or that are longer than anybody wants to read. */
import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { Credential } from '#oci/credentials.ts'
import { openRegistries, type Registries } from '#oci/registries.ts'
import type { RegistryRule } from '#oci/settings.ts'
import { startRegistry } from './registry.ts'

const signal = AbortSignal.timeout(30_000)
const asNobody = { credentials: [], signal }

test('tags come in pages', async () => {
  await using registry = await startRegistry({ pageSize: 3 })
  const tags = Array.from({ length: 8 }, (_, index) => `v${index}`)
  for (const tag of tags) await registry.push(`amd/x:${tag}`, {})
  await using registries = openRegistries()
  const listed = await registries.tags({ registry: registry.host, repository: 'amd/x' }, asNobody)
  assert.deepEqual(listed, { names: tags, isComplete: true })
  assert.equal(registry.requests.length, 3)
})

test('a rule that leads below a path leads back from it', async () => {
  await using registry = await startRegistry()
  for (const name of ['hub/amd/x:1', 'hub/library/y:1', 'other/z:1']) await registry.push(name, {})
  const mirrors = ['127.0.0.1:1']
  await using registries = openRegistries({
    settings: { rules: [{ prefix: 'docker.io', location: `${registry.host}/hub`, mirrors }] },
  })
  assert.deepEqual((await registries.repositories('docker.io', undefined, asNobody)).names, ['amd/x', 'library/y'])
  assert.deepEqual((await registries.repositories('docker.io', 'amd', asNobody)).names, ['amd/x'])
  assert.deepEqual((await registries.tags({ registry: 'docker.io', repository: 'amd/x' }, asNobody)).names, ['1'])
})

test('a list without an end is read up to ten thousand names', async () => {
  const page = JSON.stringify({ tags: Array.from({ length: 3000 }, (_, index) => `t${index}`) })
  await using registry = await startRegistry({
    instead: json(() => [page, { link: '</v2/x/tags/list?more>; rel="next"' }]),
  })
  await using registries = openRegistries()
  const { names, isComplete } = await registries.tags({ registry: registry.host, repository: 'x' }, asNobody)
  assert.deepEqual([names.length, isComplete, registry.requests.length], [10_000, false, 4])
})

test('a page may be as long as its registry likes', async () => {
  const page = JSON.stringify({ tags: Array.from({ length: 200_000 }, (_, index) => `t${index}`) })
  await using registry = await startRegistry({ instead: json(() => [page, {}]) })
  await using registries = openRegistries()
  const { names, isComplete } = await registries.tags({ registry: registry.host, repository: 'x' }, asNobody)
  assert.deepEqual([names.length, isComplete], [10_000, false])
})

test('a host that no address can have is told as such', async () => {
  await using registries = openRegistries()
  const want = { kind: 'invalid', code: 'InvalidImageReference', message: /"localhost:99999" is no host/ }
  await assert.rejects(registries.inspect('localhost:99999/x', asNobody), want)
  await assert.rejects(registries.tags({ registry: 'localhost:99999', repository: 'x' }, asNobody), want)
})

test('pages of nothing are not read for ever', async () => {
  await using registry = await startRegistry({
    instead: json(() => ['{"tags":null}', { link: '</v2/x>; rel="next"' }]),
  })
  await using registries = openRegistries()
  const listed = await registries.tags({ registry: registry.host, repository: 'x' }, asNobody)
  assert.deepEqual([listed.names, registry.requests.length], [[], 1])
})

test('a list goes on at the host where it began, or not at all', async () => {
  await using other = await startRegistry()
  await using registry = await startRegistry({
    instead: json(() => ['{"tags":["a"]}', { link: `<http://${other.host}/v2/x/tags/list>; rel="next"` }]),
  })
  await using registries = openRegistries()
  await assert.rejects(registries.tags({ registry: registry.host, repository: 'x' }, asNobody), {
    code: 'MetadataExtractionFailed',
    message: /answered with an address of another host/,
  })
  assert.deepEqual(other.requests, [])
})

test('Docker Hub’s own list is of one owner', async () => {
  await using hub = await startRegistry({
    instead: json(({ url = '' }) =>
      url.includes('page=2')
        ? ['{"next":null,"results":[{"name":"aim-base"}]}']
        : ['{"next":"?page=2","results":[{"name":"aim-llama"},{"name":"Aim-Qwen"}]}'],
    ),
  })
  await using registries = elsewhere('hub.docker.com', hub.host)
  const listed = await registries.repositories('docker.io', 'amd', asNobody)
  assert.deepEqual(listed.names, ['amd/aim-llama', 'amd/aim-qwen', 'amd/aim-base'])
  assert.match(hub.requests[0] ?? '', /^GET \/v2\/namespaces\/amd\/repositories\?page_size=100$/)
  await assert.rejects(registries.repositories('docker.io', undefined, asNobody), {
    code: 'ListingUnsupported',
    message: 'docker.io: docker.io lists the repositories of one owner at a time: name the owner',
  })
})

test('GitHub’s list is of an organisation or a person, and for who has a token', async () => {
  const userAgents: (string | undefined)[] = []
  const answer = json(({ url = '' }) => (url.startsWith('/users/') ? ['[{"name":"llama/x"}]'] : undefined))
  await using github = await startRegistry({
    instead(request, response) {
      userAgents.push(request.headers['user-agent'])
      return answer(request, response)
    },
  })
  await using registries = elsewhere('api.github.com', github.host)
  await assert.rejects(registries.repositories('ghcr.io', 'amd', asNobody), {
    code: 'ImagePullAuthFailure',
    message: /name a pull secret with an entry for ghcr\.io/,
  })
  assert.deepEqual(github.requests, [])
  const login = { by: 'password', username: 'me', password: 'token' } as const
  const credentials: readonly Credential[] = [{ host: 'ghcr.io', path: '', login, secret: 'ns/s' }]
  const listed = await registries.repositories('ghcr.io', 'amd', { credentials, signal })
  assert.deepEqual(listed.names, ['amd/llama/x'])
  assert.deepEqual(github.authorizations, ['Bearer token', 'Bearer token'])
  assert.deepEqual(userAgents, ['fairlead', 'fairlead'])
})

type Paged = readonly [body: string, headers?: Record<string, string>]

/** Answers with JSON; 404 where there is none. */
function json(answer: (request: IncomingMessage) => Paged | undefined) {
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const [body, headers = {}] = answer(request) ?? ['{}']
    response.writeHead(answer(request) === undefined ? 404 : 200, headers).end(body)
    return true
  }
}

function elsewhere(site: string, host: string): Registries {
  const rules: readonly RegistryRule[] = [{ prefix: site, location: host }]
  return openRegistries({ settings: { rules } })
}
