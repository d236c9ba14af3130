import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { type Flow, Limiter, type Priority } from './limiter.ts'

function setup(options: { qps: number; burst: number }) {
  const clock = manualClock()
  const startMs = clock.now()
  const waits: number[] = []
  const limiter = new Limiter({ clock, ...options, onTurn: (waitedMs) => waits.push(waitedMs) })
  const gone: string[] = []
  const ask = (flow: Flow, name: string, priority: Priority = 'normal', signal?: AbortSignal) =>
    void flow.turn(priority, signal).then(
      () => gone.push(`${name} ${clock.now() - startMs}`),
      (error: Error) => gone.push(`${name} ${error.message}`),
    )
  return { clock, limiter, gone, ask, waits }
}

test('a burst goes at once, the rest at the pace', async () => {
  const { clock, limiter, gone, ask, waits } = setup({ qps: 10, burst: 2 })
  const flow = limiter.flow()
  for (const name of ['a', 'b', 'c', 'd']) ask(flow, name)
  await clock.pass(1_000)
  assert.deepEqual(gone, ['a 0', 'b 0', 'c 100', 'd 200'])
  assert.deepEqual(waits, [0, 0, 100, 200])
})

test('what was not used is there for later, but never more than a burst', async () => {
  const { clock, limiter, gone, ask } = setup({ qps: 10, burst: 2 })
  const flow = limiter.flow()
  await clock.pass(60_000)
  for (const name of ['a', 'b', 'c']) ask(flow, name)
  await clock.pass(1_000)
  assert.deepEqual(gone, ['a 60000', 'b 60000', 'c 60100'])
})

test('flows take turns, however much one of them has to send', async () => {
  const { clock, limiter, gone, ask } = setup({ qps: 10, burst: 1 })
  const [greedy, modest] = [limiter.flow(), limiter.flow()]
  for (const name of ['g1', 'g2', 'g3', 'g4']) ask(greedy, name)
  for (const name of ['m1', 'm2']) ask(modest, name)
  await clock.pass(1_000)
  assert.deepEqual(
    gone.map((text) => text.split(' ')[0]),
    ['g1', 'g2', 'm1', 'g3', 'm2', 'g4'],
  )
})

test('what is done in the background waits until nothing else does', async () => {
  const { clock, limiter, gone, ask } = setup({ qps: 10, burst: 1 })
  const flow = limiter.flow()
  ask(flow, 'b1', 'background')
  ask(flow, 'b2', 'background')
  ask(flow, 'n1')
  await clock.pass(50)
  ask(flow, 'n2')
  await clock.pass(1_000)
  assert.deepEqual(gone, ['b1 0', 'n1 100', 'n2 200', 'b2 300'])
})

test('a pause that the server asks for holds everybody', async () => {
  const { clock, limiter, gone, ask } = setup({ qps: 0, burst: 0 })
  const [one, other] = [limiter.flow(), limiter.flow()]
  ask(one, 'a')
  one.pause(3_000)
  other.pause(1_000)
  ask(other, 'b')
  await clock.pass(5_000)
  assert.deepEqual(gone, ['a 0', 'b 3000'])
})

test('who is called off no longer stands in the queue', async () => {
  const { clock, limiter, gone, ask } = setup({ qps: 10, burst: 1 })
  const flow = limiter.flow()
  const stop = new AbortController()
  ask(flow, 'a')
  ask(flow, 'b', 'normal', stop.signal)
  ask(flow, 'c')
  stop.abort(new Error('enough'))
  ask(flow, 'd', 'normal', stop.signal)
  await clock.pass(1_000)
  assert.deepEqual(gone, ['a 0', 'b enough', 'd enough', 'c 100'])
  assert.equal(clock.pending, 0)
})
