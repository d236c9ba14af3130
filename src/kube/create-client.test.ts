import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { isFault } from '#base/fault.ts'
import { metadataOf } from '#machinery/kind.ts'
import { createClient } from './create-client.ts'
import { Limiter } from './limiter.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { event, failure, list, scripted, status, stream, Thing, thing } from './script.testkit.ts'

const place = { namespace: 'default', name: 'a' }

/** A server that says what it was asked. */
function echo() {
  const asked: { method: string; path: string; type: string | null; body: string }[] = []
  const client = createClient({
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const type = request.headers.get('content-type')
      asked.push({ method: request.method, path: pathname + search, type, body: await request.text() })
      return Response.json(thing('a', 1))
    },
  })
  return { client, asked }
}

const things = '/apis/test.fairlead.dev/v1/namespaces/default/things'
const write = { fieldManager: 'me', dryRun: true }
const calls: Record<string, { call: (client: ReturnType<typeof createClient>) => Promise<unknown>; want: string }> = {
  get: { call: (client) => client.get(Thing, place), want: `GET ${things}/a` },
  'get of a scale': {
    call: (client) => client.get(Thing, place, { subresource: 'scale' }),
    want: `GET ${things}/a/scale`,
  },
  create: {
    call: (client) => client.create(Thing, thing('a', 1), write),
    want: `POST ${things}?dryRun=All&fieldManager=me`,
  },
  update: { call: (client) => client.update(Thing, thing('a', 1)), want: `PUT ${things}/a` },
  'update of the status': {
    call: (client) => client.updateStatus(Thing, thing('a', 1)),
    want: `PUT ${things}/a/status`,
  },
  'JSON patch of a scale': {
    call: (client) => client.patch(Thing, place, { type: 'json', patch: [] }, { subresource: 'scale' }),
    want: `PATCH ${things}/a/scale application/json-patch+json`,
  },
  'merge patch': {
    call: (client) => client.patch(Thing, place, { type: 'merge', patch: {} }),
    want: `PATCH ${things}/a application/merge-patch+json`,
  },
  'forced apply of a status': {
    call: (client) =>
      client.apply(Thing, { ...thing('a', 1) }, { fieldManager: 'me', force: true, subresource: 'status' }),
    want: `PATCH ${things}/a/status?fieldManager=me&force=true application/apply-patch+yaml`,
  },
  delete: { call: (client) => client.delete(Thing, place, { uid: 'u' }), want: `DELETE ${things}/a` },
}
for (const [name, { call, want }] of Object.entries(calls)) {
  test(`the request for ${name}`, async () => {
    const { client, asked } = echo()
    await call(client)
    const said = asked.map(({ method, path, type }) => `${method} ${path}${type?.includes('patch') ? ` ${type}` : ''}`)
    assert.deepEqual(said, [want])
  })
}

test('a delete carries the uid, how to go on with dependents, and nothing that was not asked for', async () => {
  const { client, asked } = echo()
  await client.delete(Thing, place, { uid: 'u', propagationPolicy: 'Foreground' })
  const want = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u' }, propagationPolicy: 'Foreground' }
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), want)
})

test('JSON is written byte by byte as Go writes it, so that a server that writes it anew changes nothing', async () => {
  const { client, asked } = echo()
  await client.create(Thing, { ...thing('a', 1), data: 'a && b <c> \u2028 é' } as never)
  assert.match(asked[0]?.body ?? '', /"a \\u0026\\u0026 b \\u003cc\\u003e \\u2028 é"/)
})

test('an object without a name is never asked for: that would be the collection', async () => {
  const { client, asked } = echo()
  const nameless = { namespace: 'default', name: '' }
  await assert.rejects(client.delete(Thing, nameless), /no name/)
  await assert.rejects(client.get(Thing, nameless), /no name/)
  assert.equal(asked.length, 0)
})

test('items of a list are told their kind, which built-in kinds leave out', async () => {
  const { apiVersion: _apiVersion, kind: _kind, ...bare } = thing('a', 1)
  const { fetch } = scripted([list(10, [bare as Thing])])
  const { items } = await createClient({ fetch }).list(Thing)
  assert.deepEqual(
    items.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
    ['test.fairlead.dev/v1 Thing'],
  )
})

const ownerRefused =
  'things.test.fairlead.dev "a" is forbidden: cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion test.fairlead.dev/v1 Kind Owner: no matches for kind "Owner" in version "test.fairlead.dev/v1"'

const faults: Record<string, { answer: Response; wantKind: string; wantCode: string }> = {
  'a Status': { answer: failure(409, 'Conflict'), wantKind: 'conflict', wantCode: 'Conflict' },
  'an object that is not there': {
    answer: failure(404, 'NotFound', {}, { kind: 'things', name: 'a' }),
    wantKind: 'missing',
    wantCode: 'NotFound',
  },
  'a path that is not there': { answer: failure(404, 'NotFound'), wantKind: 'missing', wantCode: 'KindNotServed' },
  'a page that says so': {
    answer: new Response('404 page not found', { status: 404 }),
    wantKind: 'missing',
    wantCode: 'KindNotServed',
  },
  'an owner of a kind that was installed a moment ago': {
    answer: Response.json({ ...status(403, 'Forbidden'), message: ownerRefused }, { status: 403 }),
    wantKind: 'unavailable',
    wantCode: 'OwnerKindUnknown',
  },
  'a page of HTML': {
    answer: new Response('<h1>Bad Gateway</h1>', { status: 502 }),
    wantKind: 'unavailable',
    wantCode: 'Unknown',
  },
  'an answer that is not JSON': { answer: new Response('hello'), wantKind: 'unavailable', wantCode: 'BadAnswer' },
  'an answer that is no object': { answer: Response.json([]), wantKind: 'unavailable', wantCode: 'BadAnswer' },
  'a wish to come back too late': {
    answer: failure(429, 'TooManyRequests', { 'retry-after': '600' }),
    wantKind: 'exhausted',
    wantCode: 'TooManyRequests',
  },
}
for (const [name, { answer, wantKind, wantCode }] of Object.entries(faults)) {
  test(`${name} is a fault of its kind`, async () => {
    const { fetch } = scripted([answer])
    await assert.rejects(createClient({ fetch }).get(Thing, place), (error) => {
      assert.ok(isFault(error))
      assert.deepEqual([error.kind, error.code], [wantKind, wantCode])
      assert.doesNotMatch(error.message, /<h1>|hello/, 'bodies stay out of messages')
      return true
    })
  })
}

test('waits as long as Retry-After says, a few times, then gives up with what the server asked for', async () => {
  const clock = manualClock()
  const busy = () => failure(429, 'TooManyRequests', { 'retry-after': '2' })
  const { fetch, requests } = scripted([busy, busy, Response.json(thing('a', 1)), busy, busy, busy, busy, busy, busy])
  const client = createClient({ fetch, clock })
  const settle = async (call: Promise<unknown>) => {
    const startMs = clock.now()
    let isDone = false
    const ended = call.catch((error: unknown) => error).finally(() => (isDone = true))
    for (let rounds = 0; rounds < 100; rounds++) {
      for (let turns = 0; turns < 5; turns++) await turn()
      if (isDone) return { result: await ended, tookMs: clock.now() - startMs }
      clock.advance(500)
    }
    throw new Error('never ended')
  }
  assert.equal((await settle(client.get(Thing, place))).tookMs, 4_000)
  const { result } = await settle(client.get(Thing, place))
  assert.ok(isFault(result, 'exhausted'))
  assert.equal(result.retryAfterMs, 2_000)
  assert.equal(requests.length, 3 + 5)
})

test('every call ends with the signal of the client', async () => {
  const { fetch } = scripted([])
  const stop = new AbortController()
  const call = createClient({ fetch, signal: stop.signal }).get(Thing, place)
  stop.abort(new Error('enough'))
  await assert.rejects(call, /enough/)
})

test('what waits out the wish of a server ends with its signal', async () => {
  const { fetch } = scripted([failure(429, 'TooManyRequests', { 'retry-after': '5' })])
  const clock = manualClock()
  const stop = new AbortController()
  const call = createClient({ fetch, clock }).get(Thing, place, { signal: stop.signal })
  while (clock.pending === 0) await turn()
  stop.abort(new Error('enough'))
  await assert.rejects(call, /enough/)
  assert.equal(clock.pending, 0)
})

test('a client that shall not repeat calls tells at once', async () => {
  const { fetch, requests } = scripted([failure(429, 'TooManyRequests', { 'retry-after': '1' })])
  await assert.rejects(createClient({ fetch, retries: 0 }).get(Thing, place), { retryAfterMs: 1_000 })
  assert.equal(requests.length, 1)
})

test('a server that is busy holds back everybody who shares the pace', async () => {
  const clock = manualClock()
  const busy = failure(429, 'TooManyRequests', { 'retry-after': '2' })
  const { fetch, requests } = scripted([busy, Response.json(thing('a', 1)), Response.json(thing('a', 1))])
  const limiter = new Limiter({ clock, qps: 0, burst: 0 })
  const first = createClient({ fetch, clock, flow: limiter.flow() }).get(Thing, place)
  while (clock.pending === 0) await turn()
  const second = createClient({ fetch, clock, flow: limiter.flow() }).get(Thing, place)
  await clock.pass(1_900)
  assert.equal(requests.length, 1)
  await clock.pass(200)
  await Promise.all([first, second])
})

test('of a kind whose metadata alone is wanted nothing else is asked for, and its objects are of that kind', async () => {
  const accepts: (string | null)[] = []
  const { apiVersion: _a, kind: _k, spec: _s, ...partial } = thing('a', 1)
  const object = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', ...partial }
  const answers = scripted([Response.json(object), list(10, [object]), stream([event('ADDED', object)], 'end')])
  const client = createClient({
    fetch(request) {
      accepts.push(request.headers.get('accept'))
      return answers.fetch(request)
    },
  })
  const kind = metadataOf(Thing)
  const seen = [await client.get(kind, place), ...(await client.list(kind)).items]
  for await (const told of client.watch(kind, {}, new AbortController().signal)) seen.push(told.object)
  const wanted = { ...partial, apiVersion: 'test.fairlead.dev/v1', kind: 'Thing' }
  assert.deepEqual(seen, [wanted, wanted, wanted])
  assert.deepEqual(
    accepts.map(
      (accept) => /^application\/json;as=(\w+);g=meta\.k8s\.io;v=v1,application\/json$/.exec(accept ?? '')?.[1],
    ),
    ['PartialObjectMetadata', 'PartialObjectMetadataList', 'PartialObjectMetadata'],
  )
})
