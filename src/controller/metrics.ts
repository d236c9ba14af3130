/**
 * What the controllers of one process do, as Prometheus metrics. Where controller-runtime, client-go or Kubernetes'
 * components have a metric for it, it goes by their name, labels and buckets, so that dashboards made for those fit.
 * Every label takes few values, none of them made up by users: the text stays short however much is served.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { StartedController } from './controller.ts'
import type { PassOutcome, RunnerStats } from './runner.ts'

export interface MetricsSources {
  /** Those that run; none while another process leads. */
  readonly controllers: () => readonly StartedController[]
  /** Whether this process holds the lease of that name; undefined where it takes part in no election. */
  readonly election?: { readonly name: string; readonly leads: () => boolean }
  /** Names of the CustomResourceDefinitions that the server lacks. */
  readonly missing: () => readonly string[]
}

export interface AnsweredCall {
  /** Of the answer; undefined when there was none. */
  readonly status: number | undefined
  readonly method: string
  readonly host: string
}

export interface ControllerMetrics {
  /** For metrics of a controller's own. */
  readonly registry: Registry
  readonly contentType: string
  render(): Promise<string>
  passed(pass: PassOutcome & { readonly controller: string }): void
  called(call: AnsweredCall): void
  /** A request has waited for its turn. */
  paced(waitedMs: number): void
}

/** Of controller-runtime. */
const passBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
]
/** Of client-go's work queues: from 10 ns by tens. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8))
const paceBuckets = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60]

export function createControllerMetrics({ controllers, election, missing }: MetricsSources): ControllerMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    rest: { readonly labelNames?: readonly Label[]; readonly buckets: number[] },
  ) => new Histogram({ name, help, registers, ...rest })

  const passes = counter('controller_runtime_reconcile_total', 'Passes by how they ended.', ['controller', 'result'])
  const failures = counter('controller_runtime_reconcile_errors_total', 'Passes that failed.', ['controller'])
  const finalFailures = counter(
    'controller_runtime_terminal_reconcile_errors_total',
    'Passes that failed for a reason that only a change of the object can take away.',
    ['controller'],
  )
  const bugs = counter('controller_runtime_reconcile_panics_total', 'Passes that met with a defect.', ['controller'])
  const durations = histogram('controller_runtime_reconcile_time_seconds', 'How long a pass took.', {
    labelNames: ['controller'],
    buckets: passBuckets,
  })
  const queued = histogram('workqueue_queue_duration_seconds', 'How long a key was due before it was worked on.', {
    labelNames: queueLabels,
    buckets: queueBuckets,
  })
  const worked = histogram('workqueue_work_duration_seconds', 'How long the work on a key took.', {
    labelNames: queueLabels,
    buckets: queueBuckets,
  })
  const calls = counter('rest_client_requests_total', 'Requests to the API server by their answers.', [
    'code',
    'method',
    'host',
  ])
  const pace = histogram('rest_client_rate_limiter_duration_seconds', 'How long a request waited for its turn.', {
    buckets: paceBuckets,
  })

  /** Read from the controllers whenever somebody asks. */
  function read<Label extends string>(
    Metric: typeof Counter<Label> | typeof Gauge<Label>,
    name: string,
    { help, labelsOf, valueOf }: Reading<Label>,
  ): void {
    const metric: Counter<Label> | Gauge<Label> = new Metric({
      name,
      help,
      labelNames: Object.keys(labelsOf('')) as Label[],
      registers,
      collect() {
        metric.reset()
        for (const controller of controllers()) metric.inc(labelsOf(controller.name), valueOf(controller.stats()))
      },
    })
  }
  for (const [name, reading] of Object.entries(workerReadings)) read(Gauge, name, reading)
  for (const [name, reading] of Object.entries(queueReadings)) read(Gauge, name, reading)
  for (const [name, reading] of Object.entries(queueCounts)) read(Counter, name, reading)

  if (election !== undefined) {
    const leads: Gauge<'name'> = new Gauge({
      name: 'leader_election_master_status',
      help: '1 while this process holds the lease, else 0.',
      labelNames: ['name'],
      registers,
      collect: () => leads.set({ name: election.name }, Number(election.leads())),
    })
  }
  const missingKinds: Gauge<'definition'> = new Gauge({
    name: 'fairlead_manager_missing_definitions',
    help: '1 for each CustomResourceDefinition that the API server lacks.',
    labelNames: ['definition'],
    registers,
    collect() {
      missingKinds.reset()
      for (const definition of missing()) missingKinds.set({ definition }, 1)
    },
  })

  return {
    registry,
    contentType: registry.contentType,
    render: () => registry.metrics(),
    passed({ controller, result, waitedMs, durationMs, rechecks }) {
      passes.inc({ controller, result: result !== 'ok' ? 'error' : rechecks ? 'requeue_after' : 'success' })
      failures.inc({ controller }, result === 'ok' ? 0 : 1)
      finalFailures.inc({ controller }, result === 'invalid' ? 1 : 0)
      bugs.inc({ controller }, result === 'bug' ? 1 : 0)
      durations.observe({ controller }, durationMs / 1000)
      queued.observe(queueLabelsOf(controller), waitedMs / 1000)
      worked.observe(queueLabelsOf(controller), durationMs / 1000)
    },
    called: ({ status, method, host }) => calls.inc({ code: status === undefined ? '<error>' : status, method, host }),
    paced: (waitedMs) => pace.observe(waitedMs / 1000),
  }
}

interface Reading<Label extends string> {
  readonly help: string
  readonly labelsOf: (controller: string) => Record<Label, string>
  readonly valueOf: (stats: RunnerStats) => number
}

/** Both hold the same: `name` is client-go's, `controller` controller-runtime's. */
const queueLabels = ['name', 'controller'] as const
const queueLabelsOf = (controller: string) => ({ name: controller, controller })
const workerLabelsOf = (controller: string) => ({ controller })

const workerReadings: Readonly<Record<string, Reading<'controller'>>> = {
  controller_runtime_active_workers: {
    help: 'Passes under way.',
    labelsOf: workerLabelsOf,
    valueOf: ({ active }) => active,
  },
  controller_runtime_max_concurrent_reconciles: {
    help: 'Passes that may be under way at once.',
    labelsOf: workerLabelsOf,
    valueOf: ({ workers }) => workers,
  },
}

type QueueLabel = (typeof queueLabels)[number]

const queueReadings: Readonly<Record<string, Reading<QueueLabel>>> = {
  workqueue_depth: { help: 'Keys that are due.', labelsOf: queueLabelsOf, valueOf: ({ depth }) => depth },
  workqueue_unfinished_work_seconds: {
    help: 'Time spent on passes under way, all together.',
    labelsOf: queueLabelsOf,
    valueOf: ({ runningMs }) => runningMs.reduce((sum, ms) => sum + ms, 0) / 1000,
  },
  workqueue_longest_running_processor_seconds: {
    help: 'Time spent on the oldest of the passes under way.',
    labelsOf: queueLabelsOf,
    valueOf: ({ runningMs }) => Math.max(0, ...runningMs) / 1000,
  },
}

const queueCounts: Readonly<Record<string, Reading<QueueLabel>>> = {
  workqueue_adds_total: {
    help: 'Times that a key became due.',
    labelsOf: queueLabelsOf,
    valueOf: ({ added }) => added,
  },
  workqueue_retries_total: {
    help: 'Times that a key was added after a failure.',
    labelsOf: queueLabelsOf,
    valueOf: ({ retried }) => retried,
  },
}
