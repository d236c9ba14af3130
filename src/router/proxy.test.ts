import assert from 'node:assert/strict'
import { Agent, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  ask,
  completion,
  engine,
  errorCode,
  event,
  events,
  json,
  nobody,
  plain,
  prompt,
  routed,
  sample,
} from './router.testkit.ts'

test('an answer passes as it is, and the model is rewritten to the name the engine serves', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { url } = await routed(t, plain([pod]))
  const got = await ask(url, {
    path: '/v1/chat/completions?x=1',
    headers: { 'x-request-id': 'id-1', traceparent: '00-a-b-01' },
  }).answer
  assert.equal(got.status, 200)
  assert.deepEqual(JSON.parse(got.text), completion)
  assert.equal(got.headers['x-request-id'], 'id-1')
  assert.equal(pod.received[0]?.path, '/v1/chat/completions?x=1')
  assert.deepEqual(pod.received[0]?.body, { ...prompt, model: 'engine-name' })
  assert.equal(pod.received[0]?.headers['x-request-id'], 'id-1')
  assert.equal(pod.received[0]?.headers['traceparent'], '00-a-b-01')
})

test('an adapter reaches the engine under its own name', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { url } = await routed(t, plain([pod]))
  await ask(url, { body: { ...prompt, model: 'sql' } }).answer
  assert.equal(pod.received[0]?.body['model'], 'sql')
})

test('integers above 2^53 and everything else in a body survive', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { url } = await routed(t, plain([pod]))
  const body =
    '{ "seed": 9007199254740993, "model":"chat", "prompt": "é\\u00e9 \\"model\\":", "logit_bias": {"1": 1.50} }'
  await ask(url, { path: '/v1/completions', body }).answer
  assert.equal(
    pod.received[0]?.text,
    '{"seed":9007199254740993,"model":"engine-name","prompt":"é\\u00e9 \\"model\\":","logit_bias":{"1": 1.50}}',
  )
})

test('credentials, cookies and hop-by-hop headers stay at the router, both ways', async (t) => {
  const pod = await engine(t, 'a', (response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'x-engine': '1',
      'x-hop': '1',
      connection: 'x-hop, keep-alive',
    })
    response.end('{}')
  })
  const { url } = await routed(t, plain([pod]))
  const headers = {
    authorization: 'Bearer s',
    cookie: 'c=1',
    'x-api-key': 's',
    'accept-encoding': 'gzip',
    te: 'trailers',
    'x-mine': '1',
    connection: 'x-drop',
    'x-drop': '1',
  }
  const got = await ask(url, { headers }).answer
  const seen = pod.received[0]?.headers ?? {}
  for (const name of ['authorization', 'cookie', 'x-api-key', 'te', 'x-drop']) assert.equal(seen[name], undefined, name)
  assert.equal(seen['x-mine'], '1')
  assert.equal(seen['accept-encoding'], 'identity')
  assert.equal(got.headers['x-engine'], '1')
  assert.equal(got.headers['x-hop'], undefined)
})

test('an engine’s headers that come twice are headers all the same, and no reason to ask again', async (t) => {
  const pod = await engine(t, 'a', (response) => {
    const json = ['content-type', 'application/json']
    response.writeHead(200, ['connection', 'x-hop', 'connection', 'keep-alive', 'x-hop', '1', ...json, ...json])
    response.end(JSON.stringify(completion))
  })
  const { url, lines } = await routed(t, plain([pod, await nobody('b')]))
  const got = await ask(url).answer
  assert.deepEqual([got.status, JSON.parse(got.text)], [200, completion])
  assert.equal(got.headers['x-hop'], undefined)
  assert.equal(pod.received.length, 1)
  assert.equal(lines[0]?.['output_tokens'], 2)
})

test('an engine’s 400 is the client’s, in its own words, and asked for once', async (t) => {
  const refused = { error: { message: 'context too long', type: 'BadRequestError', code: 400 } }
  const a = await engine(t, 'a', json(400, refused))
  const b = await engine(t, 'b', json(200, completion))
  const { url, lines } = await routed(t, plain([a, b]))
  const got = await ask(url).answer
  assert.equal(got.status, 400)
  assert.deepEqual(JSON.parse(got.text), refused)
  assert.equal(a.received.length + b.received.length, 1)
  assert.equal(lines[0]?.['error_origin'], 'upstream')
})

for (const status of [429, 500, 504]) {
  test(`an engine’s ${status} is passed on and not tried elsewhere`, async (t) => {
    const a = await engine(t, 'a', json(status, { error: { message: 'm' } }))
    const b = await engine(t, 'b', json(200, completion))
    const { url } = await routed(t, plain([a, b]))
    assert.equal((await ask(url).answer).status, status)
    assert.equal(b.received.length, 0)
  })
}

for (const status of [502, 503]) {
  test(`a ${status} is tried on another pod`, async (t) => {
    const a = await engine(t, 'a', json(status, {}))
    const b = await engine(t, 'b', json(200, completion))
    const { url, lines } = await routed(t, plain([a, b]))
    assert.equal((await ask(url).answer).status, 200)
    assert.deepEqual([a.received.length, b.received.length], [1, 1])
    assert.equal(lines[0]?.['upstream_attempts'], 2)
    assert.equal(lines[0]?.['selected_pod'], 'default/b')
  })
}

test('the last pod’s 503 is passed on in its own words', async (t) => {
  const a = await engine(t, 'a', json(503, { error: { message: 'full' } }))
  const { url } = await routed(t, plain([a]))
  const got = await ask(url).answer
  assert.equal(got.status, 503)
  assert.match(got.text, /full/)
  assert.equal(a.received.length, 1)
})

test('a pod that refuses connections is passed over', async (t) => {
  const b = await engine(t, 'b', json(200, completion))
  const { url, metricsUrl } = await routed(t, plain([await nobody('a'), b]))
  assert.equal((await ask(url).answer).status, 200)
  const labels = { model: 'chat', backend_name: 'default/srv' }
  assert.equal(await sample(metricsUrl, 'fairlead_router_upstream_connect_errors_total', labels), 1)
  assert.equal(await sample(metricsUrl, 'fairlead_router_retries_total', labels), 1)
})

test('a connection lost before the headers is tried on another pod', async (t) => {
  const a = await engine(t, 'a', (response) => response.destroy())
  const b = await engine(t, 'b', json(200, completion))
  const { url } = await routed(t, plain([a, b]))
  assert.equal((await ask(url).answer).status, 200)
})

test('no pod that answers is a 502', async (t) => {
  const { url } = await routed(t, plain([await nobody('a'), await nobody('b')]))
  const got = await ask(url).answer
  assert.equal(got.status, 502)
  assert.equal(errorCode(got.text), 'upstream_unreachable')
})

test('a pod without headers in time is left, and another one tried', async (t) => {
  const a = await engine(t, 'a', () => {})
  const b = await engine(t, 'b', json(200, completion))
  const { url } = await routed(t, plain([a, b], { timeoutMs: 50 }))
  assert.equal((await ask(url).answer).status, 200)
  await a.abandoned
})

test('time out on the last pod is a 504', async (t) => {
  const a = await engine(t, 'a', () => {})
  const { url } = await routed(t, plain([a], { timeoutMs: 50 }))
  const got = await ask(url).answer
  assert.equal(got.status, 504)
  assert.equal(errorCode(got.text), 'upstream_timeout')
})

test('the timeout ends with the headers', async (t) => {
  const a = await engine(t, 'a', (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event('one'))
    setTimeout(() => response.end(event('[DONE]')), 150)
  })
  const { url } = await routed(t, plain([a], { timeoutMs: 50 }))
  const got = await ask(url, { body: { ...prompt, stream: true } }).answer
  assert.equal(got.whole, true)
  assert.match(got.text, /DONE/)
})

test('a retry policy is kept: so many retries, on the same pod where there is no other', async (t) => {
  const a = await engine(t, 'a', json(503, {}))
  const { url } = await routed(t, plain([a], { retry: { attempts: 3, intervalMs: 1 } }))
  assert.equal((await ask(url).answer).status, 503)
  assert.equal(a.received.length, 4)
})

test('attempts: 0 means none', async (t) => {
  const a = await engine(t, 'a', json(503, {}))
  const b = await engine(t, 'b', json(200, completion))
  const { url } = await routed(t, plain([a, b], { retry: { attempts: 0, intervalMs: 1 } }))
  assert.equal((await ask(url).answer).status, 503)
  assert.equal(b.received.length, 0)
})

test('a stream arrives piece by piece', async (t) => {
  let finish: ((response: ServerResponse) => void) | undefined
  let open: ServerResponse | undefined
  const a = await engine(t, 'a', (response) => {
    open = response
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(event({ choices: [{ delta: { content: 'a' } }] }))
    finish = (r) => r.end(event('[DONE]'))
  })
  const { url } = await routed(t, plain([a]))
  const call = ask(url, { body: { ...prompt, stream: true } })
  assert.match(await call.firstChunk, /"content":"a"/) // before the engine has ended
  if (open !== undefined) finish?.(open)
  const got = await call.answer
  assert.equal(got.whole, true)
  assert.equal(got.text, event({ choices: [{ delta: { content: 'a' } }] }) + event('[DONE]'))
})

const usage = { prompt_tokens: 3, completion_tokens: 2 }
const delta = { choices: [{ delta: { content: 'a' } }] }

test('usage is asked for and taken out again, and counted', async (t) => {
  const a = await engine(t, 'a', events(delta, { choices: [], usage }, '[DONE]'))
  const { url, lines } = await routed(t, plain([a]))
  const got = await ask(url, { body: { ...prompt, stream: true, stream_options: { continuous_usage_stats: false } } })
    .answer
  assert.deepEqual(a.received[0]?.body['stream_options'], { continuous_usage_stats: false, include_usage: true })
  assert.equal(got.text, event(delta) + event('[DONE]'))
  assert.deepEqual([lines[0]?.['input_tokens'], lines[0]?.['output_tokens']], [3, 2])
})

test('usage that the client asked for is left in', async (t) => {
  const a = await engine(t, 'a', events(delta, { choices: [], usage }, '[DONE]'))
  const { url, lines } = await routed(t, plain([a]))
  const got = await ask(url, { body: { ...prompt, stream: true, stream_options: { include_usage: true } } }).answer
  assert.equal(got.text, event(delta) + event({ choices: [], usage }) + event('[DONE]'))
  assert.equal(lines[0]?.['output_tokens'], 2)
})

test('a chunk with content is never taken out, whatever else it carries', async (t) => {
  const a = await engine(t, 'a', events({ ...delta, usage }, '[DONE]'))
  const { url, lines } = await routed(t, plain([a]))
  const got = await ask(url, { body: { ...prompt, stream: true } }).answer
  assert.equal(got.text, event({ ...delta, usage }) + event('[DONE]'))
  assert.equal(lines[0]?.['output_tokens'], 2)
})

test('a body that is no stream gets no options added, and its usage is counted', async (t) => {
  const a = await engine(t, 'a', json(200, completion))
  const { url, lines, metricsUrl } = await routed(t, plain([a]))
  await ask(url, { path: '/v1/embeddings', body: { model: 'chat', input: ['a'] } }).answer
  assert.deepEqual(a.received[0]?.body, { model: 'engine-name', input: ['a'] })
  assert.equal(lines[0]?.['input_tokens'], 3)
  const labels = { model: 'chat', path: '/v1/embeddings', token_type: 'input', backend_name: 'default/srv' }
  assert.equal(await sample(metricsUrl, 'kthena_router_tokens_total', labels), 3)
})

test('a stream that the engine cuts is cut for the client too', async (t) => {
  const a = await engine(t, 'a', (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event('one'), () => response.destroy())
  })
  const b = await engine(t, 'b', json(200, completion))
  const { url } = await routed(t, plain([a, b]))
  const got = await ask(url, { body: { ...prompt, stream: true } }).answer
  assert.equal(got.whole, false)
  assert.equal(b.received.length, 0)
})

test('a client that leaves a stream frees the engine at once', async (t) => {
  const a = await engine(t, 'a', (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('one'))
  })
  const { url } = await routed(t, plain([a]))
  const call = ask(url, { body: { ...prompt, stream: true } })
  await call.firstChunk
  const start = performance.now()
  call.leave()
  await a.abandoned
  assert.ok(performance.now() - start < 200)
})

test('a client that leaves before the headers frees the engine, and nobody else is asked', async (t) => {
  const asked = Promise.withResolvers<void>()
  const a = await engine(t, 'a', () => asked.resolve())
  const b = await engine(t, 'b', json(200, completion))
  const { url, lines, metricsUrl } = await routed(t, plain([a, b]))
  const call = ask(url)
  await asked.promise
  call.leave()
  await a.abandoned
  const listed = await ask(metricsUrl, { path: '/debug/endpoints', method: 'GET' }).answer
  assert.equal(b.received.length, 0)
  assert.equal(lines[0]?.['status_code'], 499)
  assert.doesNotMatch(listed.text, /"inFlight":1/)
})

/** An engine that answers with so many bytes, as fast as they are taken. */
async function flood(t: TestContext, total: number) {
  const chunk = Buffer.alloc(64 << 10, 'x')
  const written = { bytes: 0 }
  const stalled = Promise.withResolvers<void>()
  const pod = await engine(t, 'a', (response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    const write = (): void => {
      while (written.bytes < total) {
        written.bytes += chunk.length
        if (!response.write(chunk)) {
          const waiting = setTimeout(() => stalled.resolve(), 300)
          return void response.once('drain', () => {
            clearTimeout(waiting)
            write()
          })
        }
      }
      response.end()
    }
    write()
  })
  return { pod, written, stalled: stalled.promise }
}

/** The begun answer to a request, of which nothing is read yet. */
async function unread(url: string): Promise<IncomingMessage> {
  const request = httpRequest(`${url}/v1/completions`, { method: 'POST', agent: false })
  const response = Promise.withResolvers<IncomingMessage>()
  request.on('response', (incoming) => response.resolve(incoming)).end(JSON.stringify({ model: 'chat', prompt: 'x' }))
  const incoming = await response.promise
  incoming.pause()
  return incoming
}

test('an engine waits for a client that does not read', async (t) => {
  const total = 64 << 20
  const { pod, written, stalled } = await flood(t, total)
  const { url } = await routed(t, plain([pod]))
  const incoming = await unread(url)
  await stalled
  assert.ok(written.bytes < total, `${written.bytes} bytes left the engine`)
  let read = 0
  for await (const piece of incoming) read += (piece as Buffer).length
  assert.equal(read, total)
})

test('a client that stops reading is cut, and keeps no pod', async (t) => {
  const { pod } = await flood(t, 64 << 20)
  const { url, metricsUrl, lines } = await routed(t, plain([pod]), { streamIdleTimeoutMs: 200 })
  const incoming = await unread(url)
  await pod.abandoned
  const listed = await ask(metricsUrl, { path: '/debug/endpoints', method: 'GET' }).answer
  assert.doesNotMatch(listed.text, /"inFlight":1/)
  assert.deepEqual(lines[0]?.['error'], { type: 'response_forwarding', message: 'client_stalled' })
  incoming.destroy()
})

test('requests go to the pod with the fewest under way', async (t) => {
  const held: ServerResponse[] = []
  const hold = (response: ServerResponse) => {
    held.push(response)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('x'))
  }
  const a = await engine(t, 'a', hold)
  const b = await engine(t, 'b', hold)
  const { url, metricsUrl } = await routed(t, plain([a, b]))
  const calls = []
  for (let i = 0; i < 4; i++) {
    const call = ask(url, { body: { ...prompt, stream: true } })
    await call.firstChunk
    calls.push(call)
  }
  assert.deepEqual([a.received.length, b.received.length], [2, 2])
  const listed = JSON.parse((await ask(metricsUrl, { path: '/debug/endpoints', method: 'GET' }).answer).text)
  assert.deepEqual(
    listed.servers[0].endpoints.map((e: { inFlight: number }) => e.inFlight),
    [2, 2],
  )
  for (const response of held) response.end()
  await Promise.all(calls.map((call) => call.answer))
})

test('a shutdown lets a running stream end, and refuses what is new', async (t) => {
  let open: ServerResponse | undefined
  const a = await engine(t, 'a', (response) => {
    open = response
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('one'))
  })
  const { url, router } = await routed(t, plain([a]), { drainMs: 10_000 })
  const agent = new Agent({ keepAlive: true })
  await ask(url, { path: '/healthz', method: 'GET', agent }).answer // a connection that stays open
  const call = ask(url, { body: { ...prompt, stream: true } })
  await call.firstChunk
  assert.equal(router.ready(), true)
  const closed = router.close()
  assert.equal(router.ready(), false)
  await assert.rejects(ask(url).answer)
  open?.end(event('[DONE]'))
  const got = await call.answer
  assert.equal(got.whole, true)
  assert.match(got.text, /DONE/)
  await closed
  agent.destroy()
})

test('a shutdown cuts what does not end in time', async (t) => {
  const a = await engine(t, 'a', (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('one'))
  })
  const { url, router } = await routed(t, plain([a]), { drainMs: 50 })
  const call = ask(url, { body: { ...prompt, stream: true } })
  await call.firstChunk
  await router.close()
  assert.equal((await call.answer).whole, false)
  await a.abandoned
})

test('a connection without a request does not hold a shutdown up', async (t) => {
  const { router } = await routed(t, plain([]), { drainMs: 60_000 })
  const socket = connect(router.port, '127.0.0.1')
  const over = new Promise((resolve) => socket.once('close', resolve))
  await new Promise((resolve) => socket.once('connect', resolve))
  await router.close()
  await over
})

test('while it drains, a router says on its own port that it is not ready', async (t) => {
  let open: ServerResponse | undefined
  const a = await engine(t, 'a', (response) => {
    open = response
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('one'))
  })
  const { url, metricsUrl, router } = await routed(t, plain([a]), { drainMs: 60_000 })
  const call = ask(url)
  await call.firstChunk
  const closed = router.close()
  assert.equal((await ask(metricsUrl, { path: '/readyz', method: 'GET' }).answer).status, 503)
  open?.end()
  await closed
})
