import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { coreKinds } from '#api/core/kinds.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { bearerToken } from '#embedded/apiserver/identify.ts'
import { type ApiServer, createApiServer } from '#embedded/apiserver/server.ts'
import { openStore } from '#embedded/store/store.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { gizmoDefinition } from './suites/api-target.ts'

const url = 'http://api'
const user = { username: 'suite', groups: ['system:authenticated'] }

async function open(bugs: unknown[] = []): Promise<ApiServer> {
  const log = { ...silentLog, error: (message: string, fields?: object) => bugs.push({ message, ...fields }) }
  return createApiServer({
    store: openStore({ path: ':memory:' }),
    kinds: coreKinds,
    customKinds: [gizmoDefinition],
    authenticate: () => user,
    log,
  })
}

test('whoever has no token is let in nowhere but to the health of the server', async () => {
  await using server = await createApiServer({
    store: openStore({ path: ':memory:' }),
    kinds: coreKinds,
    authenticate: (request) => (bearerToken(request) === 'secret' ? user : undefined),
  })
  const ask = async (path: string, token = ''): Promise<number> => {
    const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
    return (await server.fetch(new Request(url + path, { headers }))).status
  }
  for (const path of ['/api', '/api/v1/namespaces', '/openapi/v3', '/nothing']) {
    assert.deepEqual([path, await ask(path), await ask(path, 'wrong')], [path, 401, 401])
  }
  assert.equal(await ask('/api/v1/namespaces', 'secret'), 200)
  assert.equal(await ask('/healthz'), 200)
})

test('a page whose moment is compacted can be gone on with, inconsistently', async () => {
  const store = openStore({ path: ':memory:' })
  await using server = await createApiServer({ store, kinds: coreKinds, authenticate: () => user })
  const list = async (token: string) => {
    const response = await server.fetch(new Request(`${url}/api/v1/namespaces?limit=1&continue=${token}`))
    return { code: response.status, body: (await response.json()) as AnyResource & { metadata: { continue: string } } }
  }
  const first = await list('')
  await server.fetch(namespaceRequest('extra'))
  store.compact(store.revision)
  const expired = await list(first.body.metadata.continue)
  assert.deepEqual([expired.code, expired.body['reason']], [410, 'Expired'])
  assert.equal((await list(expired.body.metadata.continue)).code, 200)
})

test('a watch from what is compacted says so, and ends', async () => {
  const store = openStore({ path: ':memory:' })
  await using server = await createApiServer({ store, kinds: coreKinds, authenticate: () => user })
  const { revision } = store
  await server.fetch(namespaceRequest('extra'))
  store.compact(store.revision)
  const response = await server.fetch(new Request(`${url}/api/v1/namespaces?watch=true&resourceVersion=${revision}`))
  const { type, object } = JSON.parse(await response.text()) as { type: string; object: { code: number } }
  assert.deepEqual([type, object.code], ['ERROR', 410])
})

test('a watch that is asked for rows as nobody can write them is refused, and takes nothing down', async () => {
  await using server = await open()
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  const path = '/api/v1/namespaces?watch=true&includeObject=Some'
  assert.equal((await server.fetch(new Request(url + path, { headers }))).status, 400)
  assert.equal((await server.fetch(namespaceRequest('extra'))).status, 201)
})

test('a defect in what a watch tells ends that watch alone', async () => {
  const bugs: unknown[] = []
  let isBroken = false
  const now = (): number => {
    if (isBroken) throw new TypeError('no time')
    return Date.now()
  }
  await using server = await createApiServer({
    store: openStore({ path: ':memory:' }),
    kinds: coreKinds,
    authenticate: () => user,
    clock: { ...systemClock, now },
    log: { ...silentLog, error: (message) => bugs.push(message) },
  })
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  isBroken = true // rows have an age
  const watch = await server.fetch(new Request(`${url}/api/v1/namespaces?watch=true`, { headers }))
  assert.equal(await watch.text(), '')
  isBroken = false
  assert.deepEqual(bugs, ['watch broken'])
  assert.equal((await server.fetch(namespaceRequest('extra'))).status, 201)
})

test('a defect is told in the log, with its place, and not to the client', async () => {
  const bugs: unknown[] = []
  await using server = await createApiServer({
    store: openStore({ path: ':memory:' }),
    kinds: coreKinds,
    authenticate: () => {
      throw new TypeError('what a defect says')
    },
    log: { ...silentLog, error: (_, fields) => bugs.push(fields) },
  })
  const response = await server.fetch(new Request(`${url}/api/v1/namespaces`))
  assert.equal(response.status, 500)
  assert.doesNotMatch(await response.text(), /what a defect says/)
  assert.match(JSON.stringify(bugs), /what a defect says.*embedded-api\.test/s) // as a line of a log holds it
})

test('a watch of many objects misses nothing that happens while it tells what is there', async () => {
  await using server = await open()
  const there = Array.from({ length: 3_000 }, (_, i) => `m-${String(i).padStart(5, '0')}`)
  const make = (name: string) => server.fetch(configMapRequest(name))
  await Promise.all(there.map(make))
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const response = await server.fetch(new Request(`${url}/api/v1/namespaces/default/configmaps?${query}`))
  const late = ['z-1', 'z-2', 'z-3']
  const writes = Promise.all(late.map(make))
  const seen: string[] = []
  let rest = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + Buffer.from(chunk).toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { type, object } = JSON.parse(line) as { type: string; object: AnyResource }
      seen.push(type === 'ADDED' ? (object.metadata.name ?? '') : type)
    }
    if (seen.length === there.length + 1 + late.length) break
  }
  await writes
  assert.deepEqual(seen, [...there, 'BOOKMARK', ...late])
})

function configMapRequest(name: string): Request {
  const body = JSON.stringify({ metadata: { name }, data: { k: 'x'.repeat(500) } })
  const headers = { 'content-type': 'application/json' }
  return new Request(`${url}/api/v1/namespaces/default/configmaps`, { method: 'POST', body, headers })
}

function namespaceRequest(name: string): Request {
  const body = JSON.stringify({ metadata: { name } })
  return new Request(`${url}/api/v1/namespaces`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
}

const paths = fc.constantFrom(
  '/api/v1/namespaces/default/configmaps',
  '/api/v1/namespaces/default/pods',
  '/api/v1/namespaces/default/services',
  '/api/v1/namespaces/default/secrets',
  '/api/v1/namespaces',
  '/apis/batch/v1/namespaces/default/jobs',
  '/apis/events.k8s.io/v1/namespaces/default/events',
  '/apis/suite.example.com/v1/namespaces/default/gizmos',
  '/apis/suite.example.com/v1beta1/namespaces/default/gizmos',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
)
const tails = fc.constantFrom(
  '',
  '/x',
  '/x/status',
  '/x/scale',
  '/x/binding',
  '/x/eviction',
  '/x/finalize',
  '/x/log',
  '/x/y',
)
const queries = fc.constantFrom(
  '',
  '?dryRun=All',
  '?fieldValidation=Strict',
  '?fieldManager=m&force=true',
  '?labelSelector=a%3Db',
  '?limit=1',
)
const types = fc.constantFrom(
  'application/json',
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'text/plain',
)
const names = fc.constantFrom('x', 'gizmos.suite.example.com', '', '__proto__', 'constructor')
const member = fc.oneof(
  fc.constantFrom(
    'apiVersion',
    'kind',
    'metadata',
    'spec',
    'status',
    'data',
    'name',
    'labels',
    'finalizers',
    'containers',
  ),
  fc.constantFrom(
    'ports',
    'versions',
    'names',
    'replicas',
    'template',
    'managedFields',
    'ownerReferences',
    '$patch',
    'op',
  ),
  names,
)
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, 0, -1, 1e300, '', 'x', [], {}),
    fc.string({ maxLength: 8 }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(member, tie('json'), { maxKeys: 5 }),
  ),
}))
const objects = fc.record(
  {
    apiVersion: fc.constantFrom('v1', 'batch/v1', 'suite.example.com/v1', 'apiextensions.k8s.io/v1'),
    kind: fc.constantFrom(
      'ConfigMap',
      'Pod',
      'Service',
      'Secret',
      'Namespace',
      'Job',
      'Gizmo',
      'CustomResourceDefinition',
    ),
    metadata: fc.oneof(
      json,
      fc.record({ name: names, labels: json, finalizers: json, managedFields: json }, { requiredKeys: ['name'] }),
    ),
    spec: json,
    status: json,
    data: json,
  },
  { requiredKeys: [] },
)
const bodies = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  objects.map((value) => JSON.stringify(value)),
  fc.string(),
  fc.nat(2_000).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => `k8s\0${Buffer.from(bytes).toString('latin1')}`),
)
const methods = fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE')

test('no body makes the server answer anything but an object or a Status', async () => {
  const bugs: unknown[] = []
  await using server = await open(bugs)
  await fc.assert(
    fc.asyncProperty(methods, paths, tails, queries, types, bodies, async (method, path, tail, query, type, body) => {
      const request = new Request(url + path + tail + query, { method, body, headers: { 'content-type': type } })
      const response = await server.fetch(request)
      const answer = JSON.parse(await response.text()) as { kind?: string; status?: unknown; code?: number }
      assert.deepEqual(bugs, [])
      assert.ok(response.status < 500, `${response.status}`)
      assert.equal(typeof answer.kind, 'string')
      if (response.status < 400) return
      assert.deepEqual([answer.kind, answer.status, answer.code], ['Status', 'Failure', response.status])
    }),
    { numRuns: 1_500 },
  )
})
