import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { silentLog } from '#base/log.ts'
import type { Endpoint, RoutingSnapshot, ServerEntry } from '#routing/snapshot.ts'
import { defaultConfig } from './config.ts'
import { createRouter } from './create-router.ts'
import { Holding } from './holding.ts'
import { ask, completion, engine, errorCode, json, nobody, plain, prompt, sample } from './router.testkit.ts'

const server = 'default/srv'
const hold = (change: Partial<ServerEntry['hold']> = {}) => ({ hold: { maxRequests: 2, timeoutMs: 60_000, ...change } })

/** A router whose snapshot and clock the test moves. */
async function holdingRouter(t: TestContext, first: RoutingSnapshot) {
  const clock = manualClock()
  let snapshot = first
  const router = await createRouter({
    config: { ...defaultConfig, port: 0, metricsPort: 0, processMetrics: false, accessLog: 'off', drainMs: 0 },
    snapshot: () => snapshot,
    synced: () => true,
    clock,
    random: () => 0,
    log: silentLog,
    write: () => {},
  })
  t.after(() => router.close())
  const metricsUrl = `http://127.0.0.1:${router.metricsPort}`
  const waiting = async (): Promise<number | undefined> => {
    const { text } = await ask(metricsUrl, { path: '/debug/load', method: 'GET' }).answer
    const { servers } = JSON.parse(text) as { servers: { server: string; waiting: number; inFlight: number }[] }
    return servers.find((each) => each.server === server)?.waiting
  }
  return {
    clock,
    router,
    metricsUrl,
    url: `http://127.0.0.1:${router.port}`,
    become: (next: RoutingSnapshot) => void (snapshot = next),
    waiting,
    /** Looks, through the same event loop, until so many wait. */
    async whenWaiting(count: number) {
      for (let looks = 0; (await waiting()) !== count; looks++) assert.ok(looks < 5_000, `never ${count} waiting`)
    },
  }
}

test('a request without a ready pod waits for one, and gets its answer', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { url, metricsUrl, whenWaiting, become, clock, waiting } = await holdingRouter(t, plain([], hold()))
  const asked = ask(url)
  await whenWaiting(1)
  assert.equal(await sample(metricsUrl, 'fairlead_router_held_requests', { model_server: server }), 1)
  become(plain([pod], hold()))
  clock.advance(50)
  const { status } = await asked.answer
  assert.equal(status, 200)
  assert.equal(pod.received[0]?.body['messages'] !== undefined, true)
  assert.equal(await waiting(), 0)
})

test('a request waits for the first target of its rule that gets a pod, whichever that is', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const { url, whenWaiting, become, clock } = await holdingRouter(t, twoTargets([]))
  const asked = ask(url)
  await whenWaiting(1)
  become(twoTargets([pod]))
  clock.advance(50)
  assert.equal((await asked.answer).status, 200)
})

/** A rule with a target without pods, which is chosen first of equals, and another one with these. */
function twoTargets(endpoints: readonly Endpoint[]): RoutingSnapshot {
  const first = plain([], hold())
  const route = first.byModel.get('chat')?.[0]
  const rule = route?.rules[0]
  assert.ok(route && rule)
  const other: ServerEntry = {
    ...hold(),
    key: 'default/other',
    model: undefined,
    timeoutMs: undefined,
    retry: undefined,
    backend: { kind: 'plain', endpoints },
  }
  const targets = [...rule.targets, { key: other.key, server: other, weight: 1 }]
  return {
    byModel: new Map([['chat', [{ ...route, rules: [{ ...rule, targets }] }]]]),
    byAdapter: new Map(),
    servers: new Map([...first.servers, [other.key, other]]),
  }
}

test('one more than may wait is refused at once, and told when to come back', async (t) => {
  const { url, whenWaiting, waiting } = await holdingRouter(t, plain([], hold()))
  const held = [ask(url), ask(url)]
  await whenWaiting(2)
  const { status, text, headers } = await ask(url).answer
  assert.deepEqual([status, errorCode(text)], [503, 'no_ready_pods'])
  assert.ok(Number(headers['retry-after']) > 0)
  // The refused one speaks for its model, too.
  assert.equal(await waiting(), 3)
  for (const each of held) each.leave()
})

test('who waited long enough is refused', async (t) => {
  const { url, whenWaiting, clock } = await holdingRouter(t, plain([], hold({ timeoutMs: 10_000 })))
  const asked = ask(url)
  await whenWaiting(1)
  clock.advance(9_000)
  await whenWaiting(1)
  for (let i = 0; i < 30; i++) await clock.pass(50)
  const { status, text } = await asked.answer
  assert.deepEqual([status, errorCode(text)], [503, 'no_ready_pods'])
})

test('who leaves waits no more', async (t) => {
  const { url, whenWaiting } = await holdingRouter(t, plain([], hold()))
  const asked = ask(url)
  asked.answer.catch(() => {})
  await whenWaiting(1)
  asked.leave()
  await whenWaiting(0)
})

test('a server that holds nothing refuses at once, and wakes all the same', async (t) => {
  const { url, waiting, clock } = await holdingRouter(t, plain([]))
  assert.equal((await ask(url).answer).status, 503)
  assert.equal((await ask(url).answer).status, 503)
  assert.equal(await waiting(), 1)
  clock.advance(30_000)
  assert.equal(await waiting(), 0)
})

test('a shutdown refuses who waits', async (t) => {
  const { url, whenWaiting, router, clock } = await holdingRouter(t, plain([], hold()))
  const asked = ask(url)
  await whenWaiting(1)
  const closed = router.close()
  clock.advance(50)
  const { status } = await asked.answer.catch(() => ({ status: 0 }))
  assert.ok(status === 503 || status === 0)
  await closed
})

test('bodies that wait are bounded together', async (t) => {
  const { url, whenWaiting } = await holdingRouter(t, plain([], hold({ maxRequests: 100 })))
  const big = { ...prompt, padding: 'x'.repeat(30 << 20) }
  const held = [ask(url, { body: big }), ask(url, { body: big })]
  for (const each of held) each.answer.catch(() => {})
  await whenWaiting(2)
  assert.equal((await ask(url, { body: big }).answer).status, 503)
  for (const each of held) each.leave()
})

test('what was refused long ago is forgotten', () => {
  const clock = manualClock()
  const holding = new Holding(clock)
  holding.refused(server)
  assert.equal(holding.waiting(server), 1)
  clock.advance(30_000)
  assert.equal(holding.waiting(server), 0)
})

test('a request whose last pod went as it came waits for the next one', async (t) => {
  const pod = await engine(t, 'a', json(200, completion))
  const gone = await nobody('b')
  const { url, whenWaiting, become, clock } = await holdingRouter(
    t,
    plain([gone], { ...hold(), retry: { attempts: 1, intervalMs: 1000 } }),
  )
  const asked = ask(url)
  // The first attempt fails, and before the second one the snapshot has no pod any more.
  await once(() => clock.pending > 0)
  become(plain([], hold()))
  clock.advance(1000)
  await whenWaiting(1)
  become(plain([pod], hold()))
  clock.advance(50)
  assert.equal((await asked.answer).status, 200)
})

async function once(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    assert.ok(turns < 5_000, 'never came')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
