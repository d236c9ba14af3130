import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import type { RoutingSnapshot, TokenLimit } from '#routing/snapshot.ts'
import { RateLimits, tokensSpent } from './rate-limits.ts'
import {
  type Answer,
  ask,
  completion,
  disaggregated,
  engine,
  errorCode,
  events,
  json,
  plain,
  prompt,
  routed,
  sample,
} from './router.testkit.ts'

const limit = (input?: number, output?: number): TokenLimit => ({ input, output, unit: 'minute', unitMs: 60_000 })

test('a limit that is taken away, or one half of it, limits no more', () => {
  const limits = new RateLimits(manualClock())
  assert.ok(limits.admit('a', limit(5, 5), 5).admitted)
  assert.ok(!limits.admit('a', limit(5, 5), 5).admitted)
  assert.ok(limits.admit('a', limit(undefined, 5), 5).admitted)
})

test('a limit that is said again, or of another route, gives nothing back', () => {
  const limits = new RateLimits(manualClock())
  assert.ok(limits.admit('a', limit(5), 5).admitted)
  assert.ok(limits.admit('b', limit(5), 5).admitted)
  assert.ok(!limits.admit('a', limit(5), 1).admitted)
  assert.ok(!limits.admit('a', limit(500), 1).admitted)
})

test('an answer under way is charged, though another route is asked for meanwhile', () => {
  const limits = new RateLimits(manualClock())
  const slow = limits.admit('a', limit(undefined, 5), 5)
  assert.ok(limits.admit('b', limit(5), 5).admitted)
  assert.ok(slow.admitted)
  slow.settle({ ...answered, usage: { inputTokens: 5, outputTokens: 100 } })
  assert.ok(!limits.admit('a', limit(undefined, 5), 5).admitted)
})

const answered = { upstreamStatus: 200, streamed: false, chunks: 1, attempts: 1, status: 200 }
const asked = { streamed: false, chunks: 0, attempts: 1 }
const spending: Record<string, { record: Parameters<typeof tokensSpent>[0]; want: [input: number, output: number] }> = {
  'usage counts, not the estimate': {
    record: { ...answered, usage: { inputTokens: 30, outputTokens: 7 } },
    want: [30, 7],
  },
  'an answer without usage costs the estimate': { record: answered, want: [10, 0] },
  'a stream without usage costs a token for each piece': {
    record: { ...answered, streamed: true, chunks: 4 },
    want: [10, 4],
  },
  'an engine that refuses costs nothing': { record: { ...asked, upstreamStatus: 400, status: 400 }, want: [0, 0] },
  'a client that leaves an engine at work pays for the prompt': { record: { ...asked, status: 499 }, want: [10, 0] },
  'a client that leaves before an engine was asked pays nothing': {
    record: { ...asked, status: 499, attempts: 0 },
    want: [0, 0],
  },
  'a router without a pod costs nothing': { record: { ...asked, status: 503 }, want: [0, 0] },
}
for (const [name, { record, want }] of Object.entries(spending)) {
  test(name, () => assert.deepEqual(Object.values(tokensSpent(record, 10)), want))
}

/** The snapshot with a limit on its one route; by the month, so that nothing comes back within a test. */
function limited(snapshot: RoutingSnapshot, input?: number, output?: number): RoutingSnapshot {
  const route = snapshot.byModel.get('chat')?.[0]
  assert.ok(route)
  const month: TokenLimit = { input, output, unit: 'month', unitMs: 30 * 86_400_000 }
  const routes = [{ ...route, limit: month }]
  return { ...snapshot, byModel: new Map([['chat', routes]]), byAdapter: new Map([['sql', routes]]) }
}

async function limitedEngine(t: TestContext, answer: Answer, input?: number, output?: number) {
  const pod = await engine(t, 'a', answer)
  return { pod, ...(await routed(t, limited(plain([pod]), input, output))) }
}

test('over its limit, a client gets OpenAI’s 429 with Retry-After, and no engine hears of it', async (t) => {
  const { pod, url, metricsUrl, lines } = await limitedEngine(t, json(200, completion), 10)
  assert.equal((await ask(url).answer).status, 200) // about 8 tokens, by the engine’s count 3
  assert.equal((await ask(url).answer).status, 429)
  const got = await ask(url).answer
  assert.equal(errorCode(got.text), 'rate_limit_exceeded')
  assert.equal(JSON.parse(got.text).error.type, 'rate_limit_error')
  // 8 tokens where 7 are left, at 10 in 30 days.
  assert.ok(Math.abs(Number(got.headers['retry-after']) - 3 * 86_400) < 60, got.headers['retry-after'])
  assert.equal(pod.received.length, 1)
  const counted = await sample(metricsUrl, 'kthena_router_rate_limit_exceeded_total', {
    model: 'chat',
    limit_type: 'input_tokens',
    path: '/v1/chat/completions',
  })
  assert.equal(counted, 2)
  assert.equal((lines.at(-1)?.['error'] as { type: string }).type, 'rate_limit')
})

test('a prompt that can never pass is told so, and not to come back', async (t) => {
  const { url } = await limitedEngine(t, json(200, completion), 2)
  const got = await ask(url).answer
  assert.equal(got.status, 429)
  assert.equal(errorCode(got.text), 'prompt_over_rate_limit')
  assert.equal(got.headers['retry-after'], undefined)
})

test('an answer longer than what is left is charged in full', async (t) => {
  const usage = { prompt_tokens: 3, completion_tokens: 150, total_tokens: 153 }
  const { url } = await limitedEngine(t, json(200, { ...completion, usage }), undefined, 100)
  assert.equal((await ask(url).answer).status, 200)
  const got = await ask(url).answer
  assert.equal(got.status, 429)
  assert.match(JSON.parse(got.text).error.message, /generated tokens/)
  // A debt of 50, and 1 more.
  assert.ok(Math.abs(Number(got.headers['retry-after']) - 0.51 * 30 * 86_400) < 60, got.headers['retry-after'])
})

const tokens = Array.from({ length: 3 }, (_, i) => ({ choices: [{ delta: { content: `t${i}` } }] }))
test('a stream is charged by the usage that the router asked for, which the client does not see', async (t) => {
  const usage = { choices: [], usage: { prompt_tokens: 3, completion_tokens: 100, total_tokens: 103 } }
  const { url } = await limitedEngine(t, events(...tokens, usage, '[DONE]'), undefined, 100)
  const first = await ask(url, { body: { ...prompt, stream: true } }).answer
  assert.ok(!first.text.includes('usage'))
  assert.equal((await ask(url).answer).status, 429)
})

test('a client that leaves a stream early is charged for what it had', async (t) => {
  const { pod, url } = await limitedEngine(
    t,
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${JSON.stringify(tokens[0])}\n\n`)
    },
    undefined,
    1,
  )
  const { firstChunk, leave } = ask(url, { body: { ...prompt, stream: true } })
  await firstChunk
  leave()
  await pod.abandoned
  assert.equal((await ask(url).answer).status, 429)
})

test('an adapter is limited with its route, and models of no limit are not', async (t) => {
  const { url } = await limitedEngine(t, json(200, completion), 10)
  assert.equal((await ask(url).answer).status, 200)
  assert.equal((await ask(url, { body: { ...prompt, model: 'sql' } }).answer).status, 429)
})

test('a prompt that is computed in one pod and answered in another counts once', async (t) => {
  const [prefill, decode] = [await engine(t, 'p', json(200, completion)), await engine(t, 'd', json(200, completion))]
  const { url } = await routed(t, limited(disaggregated('http', [prefill], [decode]), 12))
  assert.equal((await ask(url).answer).status, 200) // 3 tokens by the engine’s count; 6 would leave too little
  assert.equal((await ask(url).answer).status, 200)
})
