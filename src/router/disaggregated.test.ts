import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Answer,
  ask,
  completion,
  disaggregated,
  engine,
  errorCode,
  event,
  events,
  json,
  nobody,
  prompt,
  routed,
  sample,
} from './router.testkit.ts'

const delta = { choices: [{ delta: { content: 'a' } }] }
const transfer = '{"remote_engine_id": "e", "remote_block_ids": [9007199254740993], "remote_port": 1}'
/** A prefill answer whose ids only survive as text. */
const prefilled: Answer = (response) =>
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(`{"id":"p", "kv_transfer_params": ${transfer}, "choices": []}`)
const chat = { ...prompt, stream: true, max_tokens: 50, max_completion_tokens: 50, seed: 7 }

for (const connector of ['nixl', 'mooncake'] as const) {
  test(`${connector}: prefill is asked to hold its cache, decode is told where, word by word`, async (t) => {
    const order: string[] = []
    const noting =
      (name: string, answer: Answer): Answer =>
      (...args) => {
        order.push(name)
        answer(...args)
      }
    const prefill = await engine(t, 'p', noting('prefill', prefilled))
    const decode = await engine(t, 'd', noting('decode', events(delta, '[DONE]')))
    const { url } = await routed(t, disaggregated(connector, [prefill], [decode]))
    const got = await ask(url, { body: chat, headers: { 'x-request-id': 'r' } }).answer
    assert.equal(got.text, event(delta) + event('[DONE]'))
    assert.deepEqual(order, ['prefill', 'decode'])
    assert.deepEqual(prefill.received[0]?.body, {
      ...prompt,
      model: 'engine-name',
      max_tokens: 1,
      max_completion_tokens: 1,
      seed: 7,
      kv_transfer_params: { do_remote_decode: true, do_remote_prefill: false },
    })
    assert.ok(decode.received[0]?.text.includes(`"kv_transfer_params":${transfer}`), decode.received[0]?.text)
    const { kv_transfer_params: _, ...rest } = decode.received[0]?.body ?? {}
    assert.deepEqual(rest, { ...chat, model: 'engine-name', stream_options: { include_usage: true } })
    for (const pod of [prefill, decode]) assert.equal(pod.received[0]?.headers['x-request-id'], 'r')
  })
}

for (const connector of ['http', 'lmcache'] as const) {
  test(`${connector}: prefill computes one token, then decode gets the request as it came`, async (t) => {
    const prefill = await engine(t, 'p', json(200, completion))
    const decode = await engine(t, 'd', json(200, completion))
    const { url, metricsUrl, lines } = await routed(t, disaggregated(connector, [prefill], [decode]))
    const got = await ask(url).answer
    assert.deepEqual(JSON.parse(got.text), completion)
    assert.deepEqual(prefill.received[0]?.body, { ...prompt, model: 'engine-name', max_tokens: 1 })
    assert.deepEqual(decode.received[0]?.body, { ...prompt, model: 'engine-name' })
    assert.equal(lines[0]?.['output_tokens'], 2) // counted in disaggregated answers too
    assert.equal(lines[0]?.['selected_pod'], 'default/d')
    for (const phase of ['prefill', 'decode']) {
      const labels = { model: 'chat', path: '/v1/chat/completions', status_code: '200' }
      assert.equal(await sample(metricsUrl, `kthena_router_request_${phase}_duration_seconds_count`, labels), 1)
    }
  })
}

test('a prefill that says nothing of its cache makes the member null', async (t) => {
  const prefill = await engine(t, 'p', json(200, { id: 'p' }))
  const decode = await engine(t, 'd', json(200, completion))
  const { url } = await routed(t, disaggregated('nixl', [prefill], [decode]))
  await ask(url).answer
  assert.equal(decode.received[0]?.body['kv_transfer_params'], null)
})

test('usage that we asked for is taken out, a chunk with content stays', async (t) => {
  const usage = { prompt_tokens: 3, completion_tokens: 2 }
  const prefill = await engine(t, 'p', json(200, completion))
  const decode = await engine(t, 'd', events({ ...delta, usage }, { choices: [], usage }, '[DONE]'))
  const { url } = await routed(t, disaggregated('http', [prefill], [decode]))
  const got = await ask(url, { body: { ...prompt, stream: true } }).answer
  assert.equal(got.text, event({ ...delta, usage }) + event('[DONE]'))
})

test('a prefill pod that fails is replaced by another one', async (t) => {
  const bad = await engine(t, 'p1', json(503, {}))
  const good = await engine(t, 'p2', json(200, completion))
  const decode = await engine(t, 'd', json(200, completion))
  const { url } = await routed(t, disaggregated('http', [bad, good], [decode]))
  assert.equal((await ask(url).answer).status, 200)
  assert.deepEqual([bad.received.length, good.received.length, decode.received.length], [1, 1, 1])
})

test('a decode pod that cannot be reached is replaced by another one', async (t) => {
  const prefill = await engine(t, 'p', json(200, completion))
  const decode = await engine(t, 'd2', json(200, completion))
  const { url } = await routed(t, disaggregated('http', [prefill], [await nobody('d1'), decode]))
  assert.equal((await ask(url).answer).status, 200)
  assert.equal(decode.received.length, 1)
})

test('a prefill’s 400 is the client’s, and decode is not asked', async (t) => {
  const prefill = await engine(t, 'p', json(400, { error: { message: 'too long' } }))
  const decode = await engine(t, 'd', json(200, completion))
  const { url } = await routed(t, disaggregated('nixl', [prefill], [decode]))
  const got = await ask(url).answer
  assert.equal(got.status, 400)
  assert.match(got.text, /too long/)
  assert.equal(decode.received.length, 0)
})

test('a decode cut in mid-answer is not followed by a second answer', async (t) => {
  const prefill = await engine(t, 'p', json(200, completion))
  const cut = await engine(t, 'd1', (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event(delta), () => response.destroy())
  })
  const other = await engine(t, 'd2', events(delta, '[DONE]'))
  const { url } = await routed(t, disaggregated('http', [prefill], [cut, other]))
  const got = await ask(url, { body: { ...prompt, stream: true } }).answer
  assert.equal(got.whole, false)
  assert.equal(other.received.length, 0)
})

test('a client that leaves during prefill frees the prefill pod, and decode is not asked', async (t) => {
  const asked = Promise.withResolvers<void>()
  const prefill = await engine(t, 'p', () => asked.resolve())
  const decode = await engine(t, 'd', json(200, completion))
  const { url } = await routed(t, disaggregated('nixl', [prefill], [decode]))
  const call = ask(url)
  await asked.promise
  call.leave()
  await prefill.abandoned
  assert.equal(decode.received.length, 0)
})

test('the timeout holds for prefill too', async (t) => {
  const prefill = await engine(t, 'p', () => {})
  const decode = await engine(t, 'd', json(200, completion))
  const { url } = await routed(t, disaggregated('http', [prefill], [decode], { timeoutMs: 50 }))
  assert.equal((await ask(url).answer).status, 504)
  assert.equal(decode.received.length, 0)
})

test('a prefill answer that breaks off is tried on another pod', async (t) => {
  const bad = await engine(t, 'p1', (response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('{', () => response.destroy())
  })
  const good = await engine(t, 'p2', prefilled)
  const decode = await engine(t, 'd', json(200, completion))
  const { url } = await routed(t, disaggregated('nixl', [bad, good], [decode]))
  assert.equal((await ask(url).answer).status, 200)
  assert.equal(decode.received.length, 1)
})

test('SGLang’s own connector is refused in words, not guessed at', async (t) => {
  const pod = await engine(t, 'p', json(200, completion))
  const { url, metricsUrl } = await routed(t, disaggregated('sglang', [pod], [pod]))
  const got = await ask(url).answer
  assert.equal(got.status, 501)
  assert.equal(errorCode(got.text), 'kv_connector_not_supported')
  assert.equal(pod.received.length, 0)
  assert.equal(await sample(metricsUrl, 'fairlead_router_retries_total', {}), undefined)
})
