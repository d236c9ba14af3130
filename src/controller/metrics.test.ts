import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StartedController } from './controller.ts'
import { createControllerMetrics } from './metrics.ts'
import type { PassOutcome } from './runner.ts'

const stats = { workers: 5, active: 2, depth: 3, added: 40, retried: 4, runningMs: [500, 1_500] }
const controller = { name: 'c', stats: () => stats } as unknown as StartedController // what metrics read of one

async function samples(metrics: ReturnType<typeof createControllerMetrics>): Promise<Record<string, number>> {
  const lines = (await metrics.render()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

const pass = (result: PassOutcome['result'], rechecks = false) =>
  ({ controller: 'c', key: 'ns/a', result, waitedMs: 20, durationMs: 300, rechecks }) as const

test('passes, queues, requests and the lease are told under the names that dashboards know', async () => {
  const metrics = createControllerMetrics({
    controllers: () => [controller],
    election: { name: 'fairlead-manager', leads: () => true },
    missing: () => ['things.example.com'],
  })
  for (const each of [pass('ok'), pass('ok', true), pass('invalid'), pass('unavailable'), pass('bug')])
    metrics.passed(each)
  metrics.called({ status: 200, method: 'GET', host: '10.0.0.1:443' })
  metrics.called({ status: undefined, method: 'PATCH', host: '10.0.0.1:443' })
  metrics.paced(2)
  const seen = await samples(metrics)
  const queue = '{name="c",controller="c"}'
  const want: Record<string, number> = {
    'controller_runtime_reconcile_total{controller="c",result="success"}': 1,
    'controller_runtime_reconcile_total{controller="c",result="requeue_after"}': 1,
    'controller_runtime_reconcile_total{controller="c",result="error"}': 3,
    'controller_runtime_reconcile_errors_total{controller="c"}': 3,
    'controller_runtime_terminal_reconcile_errors_total{controller="c"}': 1,
    'controller_runtime_reconcile_panics_total{controller="c"}': 1,
    'controller_runtime_reconcile_time_seconds_count{controller="c"}': 5,
    'controller_runtime_reconcile_time_seconds_bucket{le="0.25",controller="c"}': 0,
    'controller_runtime_reconcile_time_seconds_bucket{le="0.3",controller="c"}': 5,
    'controller_runtime_active_workers{controller="c"}': 2,
    'controller_runtime_max_concurrent_reconciles{controller="c"}': 5,
    [`workqueue_depth${queue}`]: 3,
    [`workqueue_adds_total${queue}`]: 40,
    [`workqueue_retries_total${queue}`]: 4,
    [`workqueue_queue_duration_seconds_count${queue}`]: 5,
    [`workqueue_work_duration_seconds_sum${queue}`]: 1.5,
    [`workqueue_unfinished_work_seconds${queue}`]: 2,
    [`workqueue_longest_running_processor_seconds${queue}`]: 1.5,
    'rest_client_requests_total{code="200",method="GET",host="10.0.0.1:443"}': 1,
    'rest_client_requests_total{code="<error>",method="PATCH",host="10.0.0.1:443"}': 1,
    rest_client_rate_limiter_duration_seconds_count: 1,
    'leader_election_master_status{name="fairlead-manager"}': 1,
    'fairlead_manager_missing_definitions{definition="things.example.com"}': 1,
  }
  assert.deepEqual(Object.fromEntries(Object.keys(want).map((name) => [name, seen[name]])), want)
  assert.ok((seen['process_resident_memory_bytes'] ?? 0) > 0)
})

test('what is read from the controllers is what they say now, however often somebody asks', async () => {
  let running: readonly StartedController[] = []
  let missing: readonly string[] = ['things.example.com']
  const metrics = createControllerMetrics({ controllers: () => running, missing: () => missing })
  const adds = 'workqueue_adds_total{name="c",controller="c"}'
  assert.equal((await samples(metrics))[adds], undefined)
  running = [controller]
  missing = []
  await samples(metrics)
  const seen = await samples(metrics)
  assert.equal(seen[adds], 40)
  assert.deepEqual(
    Object.keys(seen).filter((name) => /missing|leader/.test(name)),
    [],
  )
})

test('the text stays short, however many objects pass', async () => {
  const metrics = createControllerMetrics({ controllers: () => [controller], missing: () => [] })
  metrics.passed(pass('ok'))
  const before = (await metrics.render()).split('\n').length
  for (let i = 0; i < 1_000; i++) metrics.passed({ ...pass('ok'), key: `ns/object-${i}` })
  assert.equal((await metrics.render()).split('\n').length, before)
  assert.ok(before < 400, String(before))
})
