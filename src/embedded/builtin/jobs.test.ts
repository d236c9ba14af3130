import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, Pod } from '#api/core/kinds.ts'
import { type Step, untouched } from '#controller/domain.ts'
import { jobController } from './jobs.ts'

const startMs = Date.parse('2026-01-01T00:00:00Z')
const { domain } = jobController
type Spec = NonNullable<Job['spec']>
type Status = NonNullable<Job['status']>

function job(spec: Partial<Spec> = {}, status: Status = {}): Job {
  const template = {
    metadata: { labels: { a: 'b' } },
    spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' },
  }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'once', namespace: 'default', uid: 'u' },
    spec: { template, backoffLimit: 0, ...spec },
    status,
  }
}

const pod = (name: string, phase: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name },
  status: { phase },
})

const words = (step: Step): string =>
  `${step.do} ${'ref' in step ? `${step.ref.kind.kind} ${step.ref.name}` : step.kind.kind}`
const stepsOf = (object: Job, pods: Pod[], nowMs = startMs) => domain.plan(object, pods, nowMs).stages.flat().map(words)
const statusOf = (object: Job, pods: Pod[], nowMs = startMs) => domain.status(object, pods, untouched, nowMs)
const ends = (object: Job, pods: Pod[], nowMs = startMs) =>
  (statusOf(object, pods, nowMs)?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`)

const started = { startTime: '2026-01-01T00:00:00Z' }
const complete = {
  ...started,
  conditions: [{ type: 'Complete', status: 'True', lastTransitionTime: '2026-01-01T00:00:10Z' }],
} as Status

const rows: Record<string, { job: Job; pods: Pod[]; at?: number; steps: string[]; ends?: string[] }> = {
  'a new one makes its pod': { job: job(), pods: [], steps: ['create Pod'] },
  'several at once': { job: job({ parallelism: 2, completions: 3 }), pods: [], steps: ['create Pod', 'create Pod'] },
  'no more than are still wanted': {
    job: job({ parallelism: 2, completions: 2 }),
    pods: [pod('a', 'Succeeded'), pod('b', 'Running')],
    steps: [],
  },
  'one whose pod ended well is complete': {
    job: job({}, started),
    pods: [pod('a', 'Succeeded')],
    steps: [],
    ends: ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'],
  },
  'one whose pod failed tries again as often as it may': {
    job: job({ backoffLimit: 1 }, started),
    pods: [pod('a', 'Failed')],
    steps: ['create Pod'],
    ends: [],
  },
  'and no more often': {
    job: job({ backoffLimit: 1 }, started),
    pods: [pod('a', 'Failed'), pod('b', 'Failed')],
    steps: [],
    ends: ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'],
  },
  '#51 one whose time is up ends its pods': {
    job: job({ activeDeadlineSeconds: 900 }, started),
    pods: [pod('a', 'Pending')],
    at: startMs + 900_000,
    steps: ['delete Pod a'],
    ends: ['FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded'],
  },
  'one that has ended stays for a while': {
    job: job({ ttlSecondsAfterFinished: 600 }, complete),
    pods: [pod('a', 'Succeeded')],
    at: startMs + 609_000,
    steps: [],
  },
  'and then goes': {
    job: job({ ttlSecondsAfterFinished: 600 }, complete),
    pods: [pod('a', 'Succeeded')],
    at: startMs + 610_000,
    steps: ['delete Job once'],
  },
}
for (const [name, row] of Object.entries(rows)) {
  test(`a Job: ${name}`, () => {
    assert.deepEqual(stepsOf(row.job, row.pods, row.at), row.steps)
    if (row.ends !== undefined) assert.deepEqual(ends(row.job, row.pods, row.at), row.ends)
  })
}

test('the same pod is made under the same name', () => {
  const nameOf = () => JSON.stringify(domain.plan(job(), [], startMs).stages)
  assert.equal(nameOf(), nameOf())
})

test('a pod that was deleted gives way to another one beside those that are there', () => {
  const two = job({ parallelism: 2, completions: 2 })
  const made = domain.plan(two, [], startMs).stages.flat()
  const names = made.map((step) => ('object' in step ? (step.object.metadata.name ?? '') : ''))
  for (const left of names) {
    const [step] = domain.plan(two, [pod(left, 'Running')], startMs).stages.flat()
    assert.ok(step?.do === 'create')
    assert.notEqual(step.object.metadata.name, left)
  }
})
