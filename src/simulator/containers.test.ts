import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { Containers, type SimulatedContainer, type SimulatedEvent } from './containers.ts'
import { call } from './http-exchange.ts'
import { copiedMetrics } from './sidecar.ts'
import { startSimulation } from './simulation.ts'

const pod = { pod: 'p', network: { host: '127.0.0.1', mapped: true } }
const engine = { ...pod, image: 'vllm', command: [], args: ['--model', 'm', '--port', '8000'], env: {} }

/** Starts a container and waits for its first word that is not a log line. */
function started(containers: Pick<Containers, 'start'>, container: SimulatedContainer) {
  const log: string[] = []
  const said: SimulatedEvent[] = []
  const waiting: ((event: SimulatedEvent) => void)[] = []
  const handle = containers.start(container, (event) => {
    if (event.event === 'log') log.push(event.line)
    else (waiting.shift() ?? ((later) => said.push(later)))(event)
  })
  const next = () =>
    new Promise<SimulatedEvent>((resolve) => {
      const ready = said.shift()
      if (ready === undefined) waiting.push(resolve)
      else resolve(ready)
    })
  return { handle, log, next }
}

async function hostPort(container: ReturnType<typeof started>): Promise<number> {
  const event = await container.next()
  assert.equal(event.event, 'listening', JSON.stringify(event))
  return event.event === 'listening' ? event.hostPort : 0
}

test('engine and sidecar of a pod find each other, whatever ports the machine gave them', async () => {
  const containers = new Containers(systemClock)
  const served = started(containers, { ...engine, env: { VLLM_ALLOW_RUNTIME_LORA_UPDATING: '1' } })
  const enginePort = await hostPort(served)
  const args = '--port 8100 --engine-base-url http://localhost:8000 --pod p.ns --model m'.split(' ')
  const beside = started(containers, { ...engine, image: 'kthena/runtime', args })
  const port = await hostPort(beside)
  const json = { lora_name: 'sql', source: 'hf://a/sql', output_dir: '/cache/sql' }
  const post = { host: '127.0.0.1', port, method: 'POST' as const, timeoutMs: 5_000 }
  assert.equal((await call({ ...post, path: '/v1/load_lora_adapter', json })).status, 200)
  const keyless = { ...json, lora_name: 'x', source: 's3://zoo/x' }
  assert.match(
    (await call({ ...post, path: '/v1/load_lora_adapter', json: keyless })).body,
    /ACCESS_KEY and SECRET_KEY/,
  )
  const models = await call({ host: '127.0.0.1', port: enginePort, path: '/v1/models', timeoutMs: 5_000 })
  assert.match(models.body, /"id":"sql"/)
  const metrics = await call({ host: '127.0.0.1', port, path: '/metrics', timeoutMs: 5_000 })
  assert.match(metrics.body, /^vllm:num_requests_waiting\{/m)
  assert.match(metrics.body, /^kthena:num_requests_waiting\{/m)
  assert.equal(await served.handle.probe(8000, '/health'), 200)
  assert.equal(await served.handle.probe(8001, '/health'), undefined)
  served.handle.stop('TERM')
  assert.deepEqual(await served.next(), { event: 'exited', exitCode: 0 })
  assert.equal((await call({ host: '127.0.0.1', port, path: '/metrics', timeoutMs: 5_000 })).status, 503)
  beside.handle.stop('KILL')
  assert.deepEqual(await beside.next(), { event: 'exited', exitCode: 137 })
})

const ends: Record<string, { container: Partial<SimulatedContainer>; want: SimulatedEvent; log?: RegExp }> = {
  'a download ends well': {
    container: { image: 'kthena/downloader', args: ['--source', 'hf://a/b', '--output-dir', '/c'] },
    want: { event: 'exited', exitCode: 0 },
    log: /nothing is fetched/,
  },
  'B-44: a download from object storage needs its keys': {
    container: {
      image: 'kthena/downloader',
      args: ['--source', 's3://a/b', '--output-dir', '/c'],
      env: { ACCESS_KEY: 'x' },
    },
    want: { event: 'exited', exitCode: 1 },
    log: /ERROR: SECRET_KEY must be set/,
  },
  'a usage error ends with 2 and says why': {
    container: { args: ['--port', 'abc'] },
    want: { event: 'exited', exitCode: 2 },
    log: /invalid int value/,
  },
  'a crash on request has its exit code': {
    container: {
      env: {
        FAIRLEAD_SIMULATE_CRASH_AFTER_SECONDS: '0.01',
        FAIRLEAD_SIMULATE_START_SECONDS: '60',
        FAIRLEAD_SIMULATE_EXIT_CODE: '9',
      },
    },
    want: { event: 'exited', exitCode: 9 },
    log: /simulated crash/,
  },
}
for (const [name, { container, want, log }] of Object.entries(ends)) {
  test(name, async () => {
    const run = started(new Containers(systemClock), { ...engine, ...container })
    assert.deepEqual(await run.next(), want)
    if (log !== undefined) assert.match(run.log.join('\n'), log)
  })
}

test('an unknown program never starts', async () => {
  const run = started(new Containers(systemClock), { ...engine, command: ['nginx'] })
  assert.equal((await run.next()).event, 'refused')
})

test('the worker thread runs containers, answers probes, and takes them along when it ends', async () => {
  const simulation = startSimulation()
  const run = started(simulation, { ...engine, env: { FAIRLEAD_SIMULATE_FAIL_HEALTH: '1' } })
  await hostPort(run)
  assert.equal(await run.handle.probe(8000, '/health'), 503)
  await simulation[Symbol.asyncDispose]()
  assert.deepEqual(await run.next(), { event: 'exited', exitCode: 137 })
})

test('a thread that fails says why in the log of each container', async () => {
  await using simulation = startSimulation()
  const run = started(simulation, { ...engine, network: undefined as unknown as SimulatedContainer['network'] })
  assert.deepEqual(await run.next(), { event: 'exited', exitCode: 137 })
  assert.match(run.log.join('\n'), /ERROR: the simulator failed: .*undefined/)
})

test('a probe that crosses the end of its container is answered', async () => {
  await using simulation = startSimulation()
  const run = started(simulation, engine)
  await hostPort(run)
  run.handle.stop('KILL')
  assert.equal(await run.handle.probe(8000, '/health'), undefined)
})

test('only the metrics that have a second name are copied', () => {
  const text =
    '# TYPE vllm:e2e_request_latency_seconds histogram\nvllm:e2e_request_latency_seconds_sum{a="b"} 3\nvllm:x 1\n'
  assert.equal(
    copiedMetrics(text, 'kthena:'),
    '# TYPE kthena:e2e_request_latency_seconds histogram\nkthena:e2e_request_latency_seconds_sum{a="b"} 3\n',
  )
})
