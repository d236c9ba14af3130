import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { call } from './http-exchange.ts'
import { type Engine, startEngine } from './engine.ts'
import { parseEngineFlags } from './engine-flags.ts'

const instant = ['--simulate-ttft-ms', '0', '--simulate-prefill-ms-per-token', '0', '--simulate-inter-token-ms', '0']

async function start(flags: string[] = [], env: Record<string, string> = {}): Promise<Engine> {
  const { settings, errors } = parseEngineFlags(['--served-model-name', 'tiny', ...instant, ...flags], env)
  assert.deepEqual(errors, [])
  return startEngine({ settings, host: '127.0.0.1', port: 0, clock: systemClock })
}

async function ask(engine: Engine, path: string, json?: unknown) {
  const method = json === undefined ? 'GET' : 'POST'
  const answer = await call({ host: '127.0.0.1', port: engine.port, path, method, json, timeoutMs: 5_000 })
  const body = answer.body.startsWith('{') ? (JSON.parse(answer.body) as Record<string, unknown>) : {}
  return { ...answer, json: body }
}

interface Chunk {
  readonly choices: readonly { readonly delta: { role?: string; content: string }; finish_reason: string | null }[]
  readonly usage?: { readonly completion_tokens: number }
}

const hello = [{ role: 'user', content: 'Say hello to everyone in this house, please.' }]

test('a chat completion answers the same every time and says that it is simulated', async () => {
  await using engine = await start()
  const answers = []
  for (let i = 0; i < 2; i++) {
    const { json } = await ask(engine, '/v1/chat/completions', { model: 'tiny', messages: hello, max_tokens: 12 })
    const [choice] = json['choices'] as { message: { content: string }; finish_reason: string }[]
    const usage = json['usage'] as { completion_tokens: number; prompt_tokens: number; total_tokens: number }
    assert.equal(usage.completion_tokens, 12)
    assert.equal(usage.total_tokens, 12 + usage.prompt_tokens)
    assert.equal(choice?.finish_reason, 'length')
    answers.push(choice?.message.content)
  }
  assert.equal(answers[0], answers[1])
  assert.match(answers[0] ?? '', /simulated answer/)
})

test('a stream gives the same text in pieces, then usage when asked, then the end', async () => {
  await using engine = await start()
  const body = { model: 'tiny', messages: hello, max_tokens: 5 }
  const whole = await ask(engine, '/v1/chat/completions', body)
  const streamed = await ask(engine, '/v1/chat/completions', {
    ...body,
    stream: true,
    stream_options: { include_usage: true },
  })
  const events = streamed.body.trim().split('\n\n')
  assert.equal(events.pop(), 'data: [DONE]')
  const chunks = events.map((event) => JSON.parse(event.replace(/^data: /, '')) as Chunk)
  assert.equal(chunks.pop()?.usage?.completion_tokens, 5)
  assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant')
  assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, 'length')
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content).join('')
  assert.equal(text, (whole.json['choices'] as { message: { content: string } }[])[0]?.message.content)
})

test('a stop string ends the text before it', async () => {
  await using engine = await start()
  const { json } = await ask(engine, '/v1/completions', { model: 'tiny', prompt: 'x', stop: ' simulated' })
  const [choice] = json['choices'] as { text: string; finish_reason: string }[]
  assert.deepEqual([choice?.text, choice?.finish_reason], ['This is a', 'stop'])
})

test('a prompt seen before is cached, and the metrics say so', async () => {
  await using engine = await start()
  const body = { model: 'tiny', prompt: 'a long prompt '.repeat(40), max_tokens: 1 }
  const cached = async () => {
    const { json } = await ask(engine, '/v1/completions', body)
    return (json['usage'] as { prompt_tokens_details: { cached_tokens: number } }).prompt_tokens_details.cached_tokens
  }
  assert.equal(await cached(), 0)
  const hit = await cached()
  assert.ok(hit > 100, `${hit}`)
  const { body: metrics } = await ask(engine, '/metrics')
  assert.match(metrics, new RegExp(`vllm:prefix_cache_hits_total\\{model_name="tiny",engine="0"\\} ${hit}\\b`))
  assert.match(metrics, /vllm:time_to_first_token_seconds_count\{model_name="tiny",engine="0"\} 2/)
  assert.match(metrics, /vllm:num_requests_running\{model_name="tiny",engine="0"\} 0/)
})

const runtimeLora = { VLLM_ALLOW_RUNTIME_LORA_UPDATING: '1' }

test('adapters are loaded, listed, served and unloaded', async () => {
  await using engine = await start(['--lora-modules', 'sql=/l/sql'], runtimeLora)
  const adapter = { lora_name: 'new', lora_path: '/l/new' }
  const load = await ask(engine, '/v1/load_lora_adapter', adapter)
  assert.deepEqual([load.status, load.body], [200, "Success: LoRA adapter 'new' added successfully."])
  assert.equal((await ask(engine, '/v1/load_lora_adapter', adapter)).status, 400)
  const models = (await ask(engine, '/v1/models')).json['data'] as { id: string; parent: string | null }[]
  assert.deepEqual(
    models.map(({ id, parent }) => [id, parent]),
    [
      ['tiny', null],
      ['sql', 'tiny'],
      ['new', 'tiny'],
    ],
  )
  assert.equal((await ask(engine, '/v1/completions', { model: 'new', prompt: 'x' })).status, 200)
  assert.equal((await ask(engine, '/v1/unload_lora_adapter', { lora_name: 'new' })).status, 200)
  assert.equal((await ask(engine, '/v1/unload_lora_adapter', { lora_name: 'new' })).status, 404)
  assert.equal((await ask(engine, '/v1/completions', { model: 'new', prompt: 'x' })).status, 404)
})

const refusals: Record<string, { path: string; body: unknown; flags?: string[]; want: [number, string] }> = {
  'an unknown model': {
    path: '/v1/chat/completions',
    body: { model: 'nope', messages: hello },
    want: [404, 'The model `nope` does not exist.'],
  },
  'a prompt beyond the context': {
    path: '/v1/completions',
    body: { model: 'tiny', prompt: 'x'.repeat(400) },
    flags: ['--max-model-len', '50'],
    want: [400, "This model's maximum context length is 50 tokens."],
  },
  'an answer that cannot fit': {
    path: '/v1/completions',
    body: { model: 'tiny', prompt: 'x', max_tokens: 99 },
    flags: ['--max-model-len', '50'],
    want: [400, 'is too large: 99'],
  },
  'no messages': { path: '/v1/chat/completions', body: { model: 'tiny' }, want: [400, 'messages'] },
  'stream options without a stream': {
    path: '/v1/chat/completions',
    body: { messages: hello, stream_options: { include_usage: true } },
    want: [400, 'stream=True'],
  },
  'a limit of zero': { path: '/v1/completions', body: { prompt: 'x', max_tokens: 0 }, want: [400, 'at least 1'] },
  'a body that is a list': { path: '/v1/completions', body: [], want: [400, 'JSON object'] },
  'adapters without leave': { path: '/v1/load_lora_adapter', body: {}, want: [404, ''] },
  'embeddings of nothing': { path: '/v1/embeddings', body: { model: 'tiny' }, want: [400, 'input'] },
  'a failure on request': {
    path: '/v1/completions',
    body: { prompt: 'x' },
    flags: ['--simulate-fail-requests-ratio', '1'],
    want: [500, 'simulated failure'],
  },
}
for (const [name, { path, body, flags, want }] of Object.entries(refusals)) {
  test(`${name} is refused in vLLM's envelope`, async () => {
    await using engine = await start(flags)
    const { status, json } = await ask(engine, path, body)
    const error = (json['error'] ?? { message: '' }) as { message: string; code?: number }
    assert.equal(status, want[0])
    assert.ok(error.message.includes(want[1]), error.message)
    if (json['error'] !== undefined) assert.equal(error.code, want[0])
  })
}

test('tokens give their text back, and embeddings depend on the text alone', async () => {
  await using engine = await start()
  const prompt = 'Grüße, 世界!'
  const { json } = await ask(engine, '/tokenize', { model: 'tiny', prompt })
  const back = await ask(engine, '/detokenize', { model: 'tiny', tokens: json['tokens'] })
  assert.equal(back.json['prompt'], prompt)
  const vectors = (await ask(engine, '/v1/embeddings', { model: 'tiny', input: ['a', 'b', 'a'] })).json['data']
  const [a, b, again] = vectors as { embedding: number[] }[]
  assert.deepEqual(a?.embedding, again?.embedding)
  assert.notDeepEqual(a?.embedding, b?.embedding)
})

test('a prefill engine hands over its blocks, a plain one does not', async () => {
  const body = { prompt: 'x', max_tokens: 1, kv_transfer_params: { do_remote_decode: true, do_remote_prefill: false } }
  await using plain = await start()
  assert.equal((await ask(plain, '/v1/completions', body)).json['kv_transfer_params'], null)
  await using producer = await start(['--kv-transfer-config', '{"kv_role":"kv_producer"}'])
  const params = (await ask(producer, '/v1/completions', body)).json['kv_transfer_params'] as Record<string, unknown>
  assert.equal(params['do_remote_prefill'], true)
  assert.deepEqual(params['remote_block_ids'], [0])
})

test('the key that was set is asked for', async () => {
  await using engine = await start(['--api-key', 'k'])
  assert.equal((await ask(engine, '/v1/models')).status, 401)
  assert.equal((await ask(engine, '/health')).status, 200)
})

test('a client that leaves frees its place at once', async () => {
  await using engine = await start(['--max-num-seqs', '1', '--simulate-inter-token-ms', '60000'])
  const options = { host: '127.0.0.1', port: engine.port, path: '/v1/completions', method: 'POST' }
  const held = request(options)
  held.on('error', () => {}) // our own abort
  held.end(JSON.stringify({ prompt: 'x', stream: true, max_tokens: 9 }))
  const [response] = (await once(held, 'response')) as [AsyncIterable<Buffer>]
  const second = ask(engine, '/v1/completions', { prompt: 'y', max_tokens: 1 })
  await response[Symbol.asyncIterator]().next()
  assert.match((await ask(engine, '/metrics')).body, /num_requests_running\{[^}]*\} 1/)
  held.destroy()
  assert.equal((await second).status, 200)
})
