import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Batch } from './batch.ts'
import { parseEngineFlags } from './engine-flags.ts'
import { type GenerationRequest, readGeneration } from './generation-request.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'

const flags = '--served-model-name m --simulate-ttft-ms 100 --simulate-prefill-ms-per-token 1 --simulate-jitter-ratio 0'

function setup(more = '') {
  const clock = manualClock(0)
  const { settings } = parseEngineFlags(`${flags} ${more}`.trim().split(' '), {})
  const batch = new Batch(settings, 'm', clock)
  /** When each piece of the answer came, in ms. */
  const run = (prompt: string, body: object = {}, signal: AbortSignal = new AbortController().signal) => {
    const times: number[] = []
    const request = readGeneration(false, { prompt, max_tokens: 3, ...body }) as GenerationRequest
    const done = (async () => {
      for await (const { pieces } of batch.run(request, 'm', signal)) {
        for (const _ of pieces) times.push(clock.now())
      }
    })()
    return { times, done }
  }
  return { clock, batch, run }
}

const prompt = 'x'.repeat(4 * 64) // 64 tokens, four blocks

test('the first token waits for the prompt, the others for their turn', async () => {
  const { clock, run } = setup()
  const { times } = run(prompt)
  await clock.pass(1_000)
  assert.deepEqual(times, [164, 174, 184])
})

test('what the prefix cache holds needs no prefill', async () => {
  const { clock, run } = setup()
  run(prompt)
  await clock.pass(1_000)
  const { times } = run(prompt)
  await clock.pass(1_000)
  assert.equal(times[0], 1_000 + 100 + 16) // all but the last block, of which one token must be computed
})

test('a decode engine given the blocks of another skips the prefill', async () => {
  const { clock, run } = setup(`--kv-transfer-config {"kv_role":"kv_consumer"}`)
  const { times } = run(prompt, { kv_transfer_params: { do_remote_prefill: true } })
  await clock.pass(1_000)
  assert.equal(times[0], 0)
})

test('requests beyond the batch wait in order, and the gauges show them', async () => {
  const { clock, batch, run } = setup('--max-num-seqs 1 --no-enable-prefix-caching')
  const runs = ['a', 'b', 'c'].map((text) => run(text))
  await clock.pass(50)
  const metrics = await batch.metrics.render()
  assert.match(metrics, /num_requests_running\{[^}]*\} 1/)
  assert.match(metrics, /num_requests_waiting\{[^}]*\} 2/)
  await clock.pass(1_000)
  // 101 ms to the first token, 20 ms to the third; the next one enters then.
  assert.deepEqual(
    runs.map(({ times }) => times[0]),
    [101, 222, 343],
  )
})

test('a request that leaves the queue or the batch makes room', async () => {
  const { clock, batch, run } = setup('--max-num-seqs 1')
  const leaving = [new AbortController(), new AbortController()]
  const left = leaving.map(({ signal }) => run('a', {}, signal))
  const { times } = run('b')
  await clock.pass(10)
  for (const controller of leaving.toReversed()) controller.abort(new Error('left'))
  await Promise.all(left.map(({ done }) => assert.rejects(done, /left/)))
  await clock.pass(1_000)
  assert.equal(times[0], 10 + 101)
  assert.match(await batch.metrics.render(), /request_success_total\{[^}]*finished_reason="abort"\} 2/)
})

test('a request that is left between two pieces counts as aborted', async () => {
  const { batch } = setup('--simulate-ttft-ms 0 --simulate-prefill-ms-per-token 0 --simulate-inter-token-ms 0')
  const leaving = new AbortController()
  const request = readGeneration(false, { prompt, max_tokens: 3 }) as GenerationRequest
  for await (const { pieces } of batch.run(request, 'm', leaving.signal)) {
    leaving.abort(new Error('left'))
    if (pieces.length === 0) break
  }
  assert.match(await batch.metrics.render(), /request_success_total\{[^}]*finished_reason="abort"\} 1/)
  assert.match(await batch.metrics.render(), /num_requests_running\{[^}]*\} 0/)
})

test('a process that is late hands on all that came due', async () => {
  const { clock } = setup()
  const late = { ...clock, after: (ms: number, then: () => void) => clock.after(ms === 10 ? 25 : ms, then) }
  const { settings } = parseEngineFlags(flags.split(' '), {})
  const request = readGeneration(false, { prompt: 'x', max_tokens: 6 }) as GenerationRequest
  const sizes: number[] = []
  const batch = new Batch(settings, 'm', late)
  void (async () => {
    for await (const { pieces } of batch.run(request, 'm', new AbortController().signal)) sizes.push(pieces.length)
  })()
  await clock.pass(1_000)
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    6,
  )
  assert.ok(sizes.includes(2), String(sizes))
})
