import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { RouterLoads } from './router-load.ts'

const load = (inFlight: number, waiting: number) =>
  JSON.stringify({ servers: [{ server: 'ml/chat', inFlight, waiting }] })

function loads(answers: Readonly<Record<string, string | Fault>>) {
  const asked: string[] = []
  const clock = manualClock()
  const source = new RouterLoads({
    clock,
    routers: () => Object.keys(answers),
    fetch: async ({ url }) => {
      asked.push(url)
      const answer = answers[new URL(url).origin] ?? ''
      if (answer instanceof Fault) throw answer
      return new Response(answer)
    },
  })
  return { source, asked, clock }
}

test('the routers’ loads add up', async () => {
  const { source } = loads({ 'http://r1': load(2, 0), 'http://r2': load(3, 4) })
  const read = await source.read()
  assert.deepEqual(read, { complete: true, servers: new Map([['ml/chat', { inFlight: 5, waiting: 4 }]]) })
})

test('who asks at the same time shares one answer', async () => {
  const { source, asked, clock } = loads({ 'http://r1': load(2, 0) })
  await Promise.all([source.read(), source.read()])
  assert.deepEqual(asked, ['http://r1/debug/load'])
  await clock.pass(1000)
  await source.read()
  assert.equal(asked.length, 2)
})

test('no router is not the same as no load', async () => assert.equal(await loads({}).source.read(), undefined))

const silent: Record<string, string | Fault> = {
  'cannot be reached': new Fault('unavailable', 'ConnectionFailed', 'gone'),
  'answers something else': '{"servers": {}}',
  'answers no JSON': 'sorry',
}
for (const [name, answer] of Object.entries(silent)) {
  test(`a router that ${name} leaves the load incomplete`, async () => {
    const read = await loads({ 'http://r1': load(0, 0), 'http://r2': answer }).source.read()
    assert.equal(read?.complete, false)
    assert.equal(read.servers.size, 1)
  })
}
