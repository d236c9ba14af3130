import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { emptySnapshot } from '#routing/snapshot.ts'
import { type Ask, ask, completion, engine, errorCode, json, plain, prompt, routed, sample } from './router.testkit.ts'

const refused: Record<string, { ask: Ask; status: number; code: string; param?: string }> = {
  'a body that is no JSON': { ask: { body: '{' }, status: 400, code: 'invalid_json' },
  'an empty body': { ask: { body: '' }, status: 400, code: 'invalid_json' },
  'two values in a body': { ask: { body: '{"model":"chat"} {}' }, status: 400, code: 'invalid_json' },
  'a body that is a list': { ask: { body: [] }, status: 400, code: 'invalid_json' },
  'no model': { ask: { body: { messages: [] } }, status: 400, code: 'missing_model', param: 'model' },
  'a blank model': { ask: { body: { ...prompt, model: '  ' } }, status: 400, code: 'invalid_model', param: 'model' },
  'a model that is a number': {
    ask: { body: { ...prompt, model: 1 } },
    status: 400,
    code: 'invalid_model',
    param: 'model',
  },
  'no messages': { ask: { body: { model: 'chat' } }, status: 400, code: 'invalid_prompt', param: 'messages' },
  'messages that are text': {
    ask: { body: { model: 'chat', messages: 'x' } },
    status: 400,
    code: 'invalid_prompt',
    param: 'messages',
  },
  'no prompt': {
    ask: { path: '/v1/completions', body: { model: 'chat' } },
    status: 400,
    code: 'invalid_prompt',
    param: 'prompt',
  },
  'no input': {
    ask: { path: '/v1/embeddings', body: { model: 'chat' } },
    status: 400,
    code: 'invalid_prompt',
    param: 'input',
  },
  'a model without a route': {
    ask: { body: { ...prompt, model: 'nope' } },
    status: 404,
    code: 'model_not_found',
    param: 'model',
  },
  'a path outside the API': { ask: { path: '/chat', body: prompt }, status: 404, code: 'unknown_url' },
  'the path that loads adapters': {
    ask: { path: '/v1/load_lora_adapter', body: prompt },
    status: 404,
    code: 'unknown_url',
  },
  'the same path in disguise': {
    ask: { path: '/v1/%6coad_lora_adapter', body: prompt },
    status: 404,
    code: 'unknown_url',
  },
  'the same path by a detour': {
    ask: { path: '/v1/x/../unload_lora_adapter', body: prompt },
    status: 404,
    code: 'unknown_url',
  },
  'the wrong method': { ask: { method: 'PUT' }, status: 405, code: 'method_not_allowed' },
  'a compressed body': { ask: { headers: { 'content-encoding': 'gzip' } }, status: 415, code: 'unsupported_encoding' },
  'a body that says it is too long': {
    ask: { body: 'x'.repeat(2000), headers: { 'content-length': '2000' } },
    status: 413,
    code: 'body_too_large',
  },
  'a body that turns out too long': {
    ask: { body: 'x'.repeat(2000), headers: { 'transfer-encoding': 'chunked' } },
    status: 413,
    code: 'body_too_large',
  },
}
for (const [name, { ask: what, status, code, param }] of Object.entries(refused)) {
  test(`${name} gets ${status} ${code}`, async (t) => {
    const pod = await engine(t, 'a', json(200, completion))
    const { url } = await routed(t, plain([pod]), { maxBodyBytes: 1000 })
    const got = await ask(url, what).answer
    assert.equal(got.status, status)
    assert.equal(errorCode(got.text), code)
    assert.equal(JSON.parse(got.text).error.param, param ?? null)
    assert.ok(got.headers['x-request-id'])
    assert.equal(pod.received.length, 0)
  })
}

test('a route without a ready pod is a 503 that says when to come back', async (t) => {
  const { url } = await routed(t, plain([]))
  const got = await ask(url).answer
  assert.equal(got.status, 503)
  assert.equal(errorCode(got.text), 'no_ready_pods')
  assert.ok(Number(got.headers['retry-after']) > 0)
})

test('more bodies than there is memory for are refused, until one of them is answered', async (t) => {
  const held: ServerResponse[] = []
  const pod = await engine(t, 'a', (response) => held.push(response))
  const { url } = await routed(t, plain([pod]), { maxBodiesBytes: 1000 })
  const long = { ...prompt, user: 'x'.repeat(600) }
  const first = ask(url, { body: long })
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const refusedOne = await ask(url, { body: long }).answer
  assert.deepEqual([refusedOne.status, errorCode(refusedOne.text)], [503, 'router_busy'])
  assert.ok(Number(refusedOne.headers['retry-after']) > 0)
  held.shift()?.end('{}')
  assert.equal((await first.answer).status, 200)
  const left = ask(url, { body: long })
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
  left.leave()
  await pod.abandoned
  held.length = 0
  const last = ask(url, { body: long })
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
  held[0]?.end('{}')
  assert.equal((await last.answer).status, 200)
})

test('prompts that are lists are fine', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { url } = await routed(t, plain([pod]))
  for (const value of ['a', ['a', 'b'], [1, 2]]) {
    assert.equal(
      (await ask(url, { path: '/v1/completions', body: { model: 'chat', prompt: value } }).answer).status,
      200,
    )
  }
})

test('any other JSON body with a model passes through', async (t) => {
  const pod = await engine(t, 'a', json(200, { results: [] }))
  const { url } = await routed(t, plain([pod]))
  const got = await ask(url, { path: '/v1/rerank', body: { model: 'chat', query: 'q', documents: ['d'] } }).answer
  assert.equal(got.status, 200)
  assert.deepEqual(pod.received[0]?.body, { model: 'engine-name', query: 'q', documents: ['d'] })
})

test('models are listed once and in order, and can be asked for one by one', async (t) => {
  const { url } = await routed(t, plain([]))
  const get = (path: string) => ask(url, { path, method: 'GET' }).answer
  const list = JSON.parse((await get('/v1/models')).text)
  assert.equal(list.object, 'list')
  assert.deepEqual(
    list.data.map((model: { id: string }) => model.id),
    ['chat', 'sql'],
  )
  assert.equal(JSON.parse((await get('/v1/models/chat')).text).id, 'chat')
  assert.equal(errorCode((await get('/v1/models/nope')).text), 'model_not_found')
})

test('HEAD is answered where GET is, and a refused method is told which ones are taken', async (t) => {
  const { url } = await routed(t, plain([]))
  const head = await ask(url, { path: '/v1/models', method: 'HEAD', body: '' }).answer
  assert.deepEqual([head.status, head.text], [200, ''])
  const refused = await ask(url, { path: '/v1/models', method: 'DELETE' }).answer
  assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD'])
})

test('no routes are an empty list', async (t) => {
  const { url } = await routed(t, emptySnapshot)
  const got = await ask(url, { path: '/v1/models', method: 'GET' }).answer
  assert.deepEqual(JSON.parse(got.text), { object: 'list', data: [] })
})

test('health and readiness answer; metrics only on their own port unless asked for', async (t) => {
  const { url, metricsUrl } = await routed(t, plain([]))
  const status = async (base: string, path: string) => (await ask(base, { path, method: 'GET' }).answer).status
  assert.equal(await status(url, '/healthz'), 200)
  assert.equal(await status(url, '/readyz'), 200)
  assert.equal(await status(url, '/metrics'), 404)
  assert.equal(await status(url, '/debug/endpoints'), 404)
  assert.equal(await status(metricsUrl, '/metrics'), 200)
  const both = await routed(t, plain([]), { exposeMetricsOnRouterPort: true })
  assert.equal(await status(both.url, '/metrics'), 200)
})

test('what can be routed to is told with roles', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { metricsUrl } = await routed(t, plain([pod]))
  const got = JSON.parse((await ask(metricsUrl, { path: '/debug/endpoints', method: 'GET' }).answer).text)
  assert.deepEqual(got.models[0], { model: 'chat', adapter: false, routes: ['default/route'] })
  assert.deepEqual(got.servers[0].server, 'default/srv')
  const { pod: name, uid, origin, role, inFlight } = got.servers[0].endpoints[0]
  assert.deepEqual(
    { name, uid, origin, role, inFlight },
    { name: 'default/a', uid: 'a', origin: pod.origin, role: 'serve', inFlight: 0 },
  )
})

test('made-up paths and models make no new series', async (t) => {
  const { url, metricsUrl } = await routed(t, plain([]))
  for (let i = 0; i < 5; i++) await ask(url, { path: `/v1/path${i}`, body: { model: `model${i}` } }).answer
  const metrics = (await ask(metricsUrl, { path: '/metrics', method: 'GET' }).answer).text
  assert.doesNotMatch(metrics, /path\d|model\d/)
  const labels = { model: 'unknown', path: 'other', status_code: '404', error_type: 'route_not_found' }
  assert.equal(await sample(metricsUrl, 'kthena_router_requests_total', labels), 5)
})

test('one line a request, without prompt or answer', async (t) => {
  const pod = await engine(t, 'a', json(200, { choices: [{ text: 'secret answer' }], usage: completion.usage }))
  const { url, lines } = await routed(t, plain([pod]))
  await ask(url, {
    path: '/v1/completions',
    body: { model: 'chat', prompt: 'secret prompt' },
    headers: { 'x-request-id': 'r' },
  }).answer
  assert.equal(lines.length, 1)
  const { method, path, status_code, model_name, model_route, model_server, request_id, upstream_model } =
    lines[0] ?? {}
  assert.deepEqual(
    { method, path, status_code, model_name, model_route, model_server, request_id, upstream_model },
    {
      method: 'POST',
      path: '/v1/completions',
      status_code: 200,
      model_name: 'chat',
      model_route: 'default/route',
      model_server: 'default/srv',
      request_id: 'r',
      upstream_model: 'engine-name',
    },
  )
  assert.doesNotMatch(JSON.stringify(lines), /secret/)
})

/** What a raw connection gets back until the router closes it. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => (got += chunk.toString()))
    socket.on('error', () => {})
    socket.on('close', () => resolve(got))
  })
}

test('a client that is slow with its headers is closed', async (t) => {
  const { router } = await routed(t, plain([]), { headersTimeoutMs: 100, requestTimeoutMs: 200 })
  assert.match(await raw(router.port, 'POST /v1/completions HTTP/1.1\r\nhost: x\r\n'), /^HTTP\/1.1 408/)
})

test('a client that is slow with its body is closed', async (t) => {
  const { router } = await routed(t, plain([]), { headersTimeoutMs: 100, requestTimeoutMs: 200 })
  const head = 'POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{'
  assert.match(await raw(router.port, head), /^HTTP\/1.1 408/)
})

test('what is not HTTP gets a 400', async (t) => {
  const { router } = await routed(t, plain([]))
  const got = await raw(router.port, 'hello\r\n\r\n')
  assert.match(got, /^HTTP\/1.1 400/)
  assert.equal(errorCode(got.slice(got.indexOf('\r\n\r\n') + 4)), 'bad_request')
})

test('a taken port is a fault that names it', async (t) => {
  const { router } = await routed(t, plain([]))
  await assert.rejects(routed(t, plain([]), { port: router.port }), { code: 'PortTaken' })
})

test('any JSON body gets an OpenAI error or an engine’s answer', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { url, lines } = await routed(t, plain([pod]))
  const body = fc.oneof(
    fc.json(),
    fc
      .record(
        {
          model: fc.oneof(fc.constant('chat'), fc.jsonValue()),
          messages: fc.oneof(fc.array(fc.record({ role: fc.string(), content: fc.jsonValue() })), fc.jsonValue()),
          stream: fc.oneof(fc.boolean(), fc.jsonValue()),
          stream_options: fc.jsonValue(),
          ['__proto__']: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom('/v1/chat/completions', '/v1/completions', '/v1/x'), async (text, path) => {
      const got = await ask(url, { path, body: text }).answer
      if (got.status === 200) assert.deepEqual(JSON.parse(got.text), completion)
      else assert.ok(errorCode(got.text) !== '' && got.status < 500, got.text)
    }),
    { numRuns: 200 },
  )
  assert.ok(lines.length >= 200)
})
