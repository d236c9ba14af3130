import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Fault } from '#base/fault.ts'
import { type Log, silentLog } from '#base/log.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { createRunner, type PassOutcome, type PassResult } from './runner.ts'

function setup(run: () => PassResult | Promise<PassResult>) {
  const clock = manualClock()
  const startMs = clock.now()
  const atSeconds: number[] = []
  const errors: string[] = []
  const outcomes: PassOutcome[] = []
  const log: Log = { ...silentLog, with: () => log, error: (message) => errors.push(message) }
  const runner = createRunner({
    clock,
    log,
    workers: 2,
    async run() {
      atSeconds.push((clock.now() - startMs) / 1_000)
      return run()
    },
    onPass: (outcome) => outcomes.push(outcome),
  })
  const pass = async (seconds: number) => {
    for (let step = 0; step < seconds * 10; step++) {
      await turn()
      clock.advance(100)
    }
  }
  runner.add('key')
  runner.start()
  return { runner, atSeconds, errors, outcomes, pass }
}

const fault = (kind: Fault['kind'], retryAfterMs?: number) =>
  new Fault(kind, 'Test', 'a test', retryAfterMs === undefined ? {} : { retryAfterMs })

const cases: Record<string, { error: Error; want: readonly number[]; withinSeconds: number }> = {
  'invalid waits for a change': { error: fault('invalid'), want: [0], withinSeconds: 1_000 },
  'missing is looked at again slowly': { error: fault('missing'), want: [0, 300, 600], withinSeconds: 700 },
  'denied is looked at again soon, then ever more slowly': {
    error: fault('denied'),
    want: [0, 1, 3, 7, 15, 31],
    withinSeconds: 60,
  },
  'conflict comes again soon': { error: fault('conflict'), want: [0, 0.1, 0.3, 0.7, 1.5], withinSeconds: 2 },
  'exhausted backs off from 30 s to 5 min': {
    error: fault('exhausted'),
    want: [0, 30, 90, 210, 450, 750],
    withinSeconds: 800,
  },
  'unavailable backs off from 1 s': { error: fault('unavailable'), want: [0, 1, 3, 7, 15], withinSeconds: 20 },
  'the server may ask for more': { error: fault('unavailable', 20_000), want: [0, 20, 40], withinSeconds: 50 },
  'a bug waits longest': { error: new TypeError('oops'), want: [0, 300, 600], withinSeconds: 700 },
}
for (const [name, { error, want, withinSeconds }] of Object.entries(cases)) {
  test(`${name}, thrown or told`, async () => {
    for (const run of [() => Promise.reject(error), () => ({ errors: [error] })]) {
      const { runner, atSeconds, pass } = setup(run)
      await pass(withinSeconds)
      assert.deepEqual(atSeconds, want)
      await runner[Symbol.asyncDispose]()
    }
  })
}

test('of several faults the soonest counts, the worst is reported', async () => {
  const { runner, atSeconds, outcomes, pass } = setup(() => ({ errors: [fault('exhausted'), fault('unavailable')] }))
  await pass(2)
  assert.deepEqual(atSeconds, [0, 1])
  assert.equal(outcomes[0]?.result, 'exhausted')
  await runner[Symbol.asyncDispose]()
})

test('never comes back before a server wants it, whatever else went wrong or is to be looked at', async () => {
  const { runner, atSeconds, pass } = setup(() => ({
    errors: [fault('conflict'), fault('exhausted', 7_000)],
    recheckAfterMs: 2_000,
  }))
  await pass(10)
  assert.deepEqual(atSeconds, [0, 7])
  await runner[Symbol.asyncDispose]()
})

test('only a bug is logged as an error', async () => {
  for (const [error, want] of [
    [fault('denied'), []],
    [new TypeError('oops'), ['bug']],
  ] as const) {
    const { runner, errors, pass } = setup(() => Promise.reject(error))
    await pass(1)
    assert.deepEqual(errors, want)
    await runner[Symbol.asyncDispose]()
  }
})

test('a pass says when to look again', async () => {
  const { runner, atSeconds, pass } = setup(() => ({ recheckAfterMs: 2_000 }))
  await pass(5)
  assert.deepEqual(atSeconds, [0, 2, 4])
  await runner[Symbol.asyncDispose]()
})

test('stopping waits for the pass under way and begins no other', async () => {
  const release = Promise.withResolvers<void>()
  const { runner, atSeconds } = setup(async () => {
    await release.promise
    return { recheckAfterMs: 1 }
  })
  assert.equal(runner.idle(), false)
  const stopped = runner[Symbol.asyncDispose]()
  let isStopped = false
  void stopped.then(() => (isStopped = true))
  await turn()
  assert.equal(isStopped, false)
  release.resolve()
  await stopped
  assert.deepEqual(atSeconds, [0])
})

test('draining lets the pass under way end in its own time, and begins no other', async () => {
  const release = Promise.withResolvers<void>()
  const { runner, atSeconds, outcomes, pass } = setup(async () => {
    await release.promise
    return {}
  })
  const drained = runner.drain()
  runner.add('other')
  await pass(1)
  assert.deepEqual([runner.stats().active, runner.stats().depth], [1, 1])
  release.resolve()
  await drained
  await pass(1)
  assert.deepEqual([atSeconds, outcomes.length], [[0], 1])
  await runner[Symbol.asyncDispose]()
})

test('tells how a pass went, and what is going on', async () => {
  const { runner, outcomes, pass } = setup(() => ({ recheckAfterMs: 500 }))
  await pass(1)
  await runner[Symbol.asyncDispose]()
  assert.deepEqual(outcomes[0], { key: 'key', result: 'ok', waitedMs: 0, durationMs: 0, rechecks: true })
  const { added, ...now } = runner.stats()
  assert.deepEqual(now, { workers: 2, active: 0, depth: 0, retried: 0, runningMs: [] })
  assert.ok(added >= 2)
})
