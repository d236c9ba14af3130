import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/kinds.ts'
import { Fault } from '#base/fault.ts'
import { manualClock, type ManualClock } from '#base/manual-clock.testkit.ts'
import type { MemberReading } from './measure.ts'
import { type GainsByPod, readPodMetrics } from './pod-metrics.ts'
import type { MetricSource, MetricSpec } from './scaling-target.ts'

type PodSource = Extract<MetricSource, { kind: 'pod' }>

function spec(metric = 'waiting', change: Partial<PodSource> = {}): MetricSpec {
  const source: PodSource = { kind: 'pod', metric, path: '/metrics', port: 8000, selector: [], merge: 'Sum', ...change }
  return { name: metric, target: 1, source }
}

interface PodState {
  readonly ready?: boolean
  readonly phase?: string
  readonly deleting?: boolean
  readonly restarts?: number
  readonly labels?: Record<string, string>
}

function pod(
  name: string,
  ip: string,
  { ready = true, phase = 'Running', deleting = false, restarts = 0, labels = {} }: PodState = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      namespace: 'default',
      labels,
      ...(deleting && { deletionTimestamp: '2030-01-01T00:00:00Z' }),
    },
    status: {
      phase,
      podIP: ip,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'engine', restartCount: restarts, ready, image: '', imageID: '' }],
    },
  }
}

/** `hangs` for ever; any other text is what it exposes. */
type Answer = string | Response | Fault

interface Scene {
  readonly pods: readonly Pod[]
  readonly answers: Readonly<Record<string, Answer>>
  readonly specs?: readonly MetricSpec[]
}

const metrics = (value: number, name = 'waiting') => `# TYPE ${name} gauge\n${name} ${value}\n`

function scraper(scene: Scene, clock: ManualClock = manualClock()) {
  const asked: string[] = []
  const gains: GainsByPod = new Map()
  let { answers } = scene
  const read = async (): Promise<Record<string, MemberReading>> => {
    const reading = readPodMetrics(
      {
        clock,
        fetch: async (request) => {
          const { host, pathname } = new URL(request.url)
          asked.push(host + pathname)
          const answer = answers[host] ?? new Fault('unavailable', 'ConnectionFailed', 'nothing listens there')
          if (answer instanceof Fault) throw answer
          if (answer === 'hangs')
            await new Promise((_, reject) =>
              request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)),
            )
          return typeof answer === 'string'
            ? new Response(answer, { headers: { 'content-type': 'text/plain' } })
            : answer
        },
      },
      { pods: scene.pods, specs: scene.specs ?? [spec()], gains, signal: new AbortController().signal },
    )
    await clock.pass(5_000)
    return reading
  }
  return { read, asked, clock, answer: (next: Scene['answers']) => void (answers = next) }
}

const html = () => new Response('<html>', { headers: { 'content-type': 'text/html' } })

const rows: Record<string, Scene & { want: Partial<Extract<MemberReading, { kind: 'pods' }>>; says?: RegExp }> = {
  'each ready pod gives its number': {
    pods: [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')],
    answers: { '10.0.0.1:8000': metrics(3), '10.0.0.2:8000': metrics(5) },
    want: { values: [3, 5], missing: 0, unready: 0 },
  },
  'A-12: a pod that does not answer is missing, and the others count': {
    pods: [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')],
    answers: { '10.0.0.1:8000': metrics(3) },
    want: { values: [3], missing: 1, unready: 0 },
    says: /^pod b: nothing listens there$/,
  },
  'a pod that hangs is missing after its deadline': {
    pods: [pod('a', '10.0.0.1'), pod('b', '10.0.0.2')],
    answers: { '10.0.0.1:8000': metrics(3), '10.0.0.2:8000': 'hangs' },
    want: { values: [3], missing: 1 },
    says: /no whole answer within 3 s/,
  },
  'a web page is no number': {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': html() },
    want: { values: [], missing: 1 },
    says: /a web page instead of numbers/,
  },
  'nor is one that calls itself plain text': {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': '\n<!doctype html><p>Sign in' },
    want: { values: [], missing: 1 },
    says: /a web page instead of numbers/,
  },
  'a status other than success is no number': {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': new Response('waiting 3', { status: 503 }) },
    want: { values: [], missing: 1 },
    says: /status 503/,
  },
  'a metric that is not exposed is missing, not 0': {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': metrics(3, 'other') },
    want: { values: [], missing: 1 },
    says: /it does not expose waiting/,
  },
  'a value that is no number is missing': {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': 'waiting NaN\n' },
    want: { values: [], missing: 1 },
  },
  'pods that are not ready are not asked': {
    pods: [pod('a', '10.0.0.1'), pod('b', '10.0.0.2', { ready: false })],
    answers: { '10.0.0.1:8000': metrics(3), '10.0.0.2:8000': metrics(900) },
    want: { values: [3], missing: 0, unready: 1 },
  },
  'A-05: pods that end are no pods': {
    pods: [
      pod('a', '10.0.0.1'),
      pod('b', '10.0.0.2', { deleting: true }),
      pod('c', '10.0.0.3', { phase: 'Failed', ready: false }),
    ],
    answers: { '10.0.0.1:8000': metrics(3), '10.0.0.2:8000': metrics(900) },
    want: { values: [3], missing: 0, unready: 0 },
  },
  'A-05: a restart in the past changes nothing': {
    pods: [pod('a', '10.0.0.1', { restarts: 7 })],
    answers: { '10.0.0.1:8000': metrics(3) },
    want: { values: [3], missing: 0, unready: 0 },
  },
  'only the pods of the selector': {
    pods: [pod('a', '10.0.0.1', { labels: { role: 'decode' } }), pod('b', '10.0.0.2', { labels: { role: 'prefill' } })],
    answers: { '10.0.0.1:8000': metrics(3), '10.0.0.2:8000': metrics(900) },
    specs: [spec('waiting', { selector: [{ key: 'role', operator: 'In', values: ['decode'] }] })],
    want: { values: [3], missing: 0, unready: 0 },
  },
  'the series of several engines add up': {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': 'waiting{engine="0"} 3\nwaiting{engine="1"} 4\n' },
    want: { values: [7], additive: true },
  },
  'or not': {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': 'waiting{engine="0"} 3\nwaiting{engine="1"} 4\n' },
    specs: [spec('waiting', { merge: 'Mean' })],
    want: { values: [3.5], additive: false },
  },
}
for (const [name, { want, says, ...scene }] of Object.entries(rows)) {
  test(name, async () => {
    const { waiting } = await scraper(scene).read()
    assert.deepEqual({ ...waiting }, { ...waiting, kind: 'pods', ...want })
    if (says !== undefined) assert.match((waiting as { why?: string }).why ?? '', says)
  })
}

test('a pod is asked once for all metrics of an address', async () => {
  const scene = {
    pods: [pod('a', '10.0.0.1')],
    answers: { '10.0.0.1:8000': metrics(1, 'a') + metrics(2, 'b'), '10.0.0.1:9000': metrics(3, 'c') },
    specs: [spec('a'), spec('b'), spec('c', { port: 9000 })],
  }
  const { read, asked } = scraper(scene)
  const readings = await read()
  assert.deepEqual(asked.sort(), ['10.0.0.1:8000/metrics', '10.0.0.1:9000/metrics'])
  assert.deepEqual(Object.keys(readings).sort(), ['a', 'b', 'c'])
})

test('an IPv6 pod is asked too', async () => {
  const { read, asked } = scraper({ pods: [pod('a', 'fd00::1')], answers: { '[fd00::1]:8000': metrics(1) } })
  await read()
  assert.deepEqual(asked, ['[fd00::1]:8000/metrics'])
})

test('A-11: a counter is a rate, and begins anew where the engine did', async () => {
  const counter = (total: number) => ({ '10.0.0.1:8000': `# TYPE tokens counter\ntokens ${total}\n` })
  const { read, answer, clock } = scraper({
    pods: [pod('a', '10.0.0.1')],
    answers: counter(1000),
    specs: [spec('tokens')],
  })
  const seen: (readonly number[])[] = []
  for (const total of [1000, 1100, 50]) {
    answer(counter(total))
    const { tokens } = await read()
    seen.push(tokens?.kind === 'pods' ? tokens.values : [])
    await clock.pass(5_000)
  }
  // Nothing yet; 100 in 10 s; those and 50 in 20 s.
  assert.deepEqual(seen, [[], [10], [7.5]])
})

test('A-13: a histogram is the latency of what came of late, whatever it was for', async () => {
  const at = (counts: readonly number[]) => ({
    '10.0.0.1:8000': [
      '# TYPE ttft histogram',
      ...['0.5', '1', '2', '+Inf'].map((le, i) => `ttft_bucket{le="${le}"} ${counts[i]}`),
    ].join('\n'),
  })
  const { read, answer } = scraper({ pods: [pod('a', '10.0.0.1')], answers: at([0, 0, 0, 0]), specs: [spec('ttft')] })
  const seen: unknown[] = []
  for (const counts of [
    [50, 90, 100, 100],
    [100, 180, 198, 200],
    [100, 180, 198, 200],
  ]) {
    answer(at(counts))
    const { ttft } = await read()
    seen.push(ttft?.kind === 'pods' && [ttft.values, ttft.additive])
  }
  assert.deepEqual(seen, [
    [[], false],
    [[1.625], false],
    [[1.625], false],
  ])
})

test('a histogram that counts what is no number has no value, and spoils none that follows', async () => {
  const at = (count: number | string) => ({
    '10.0.0.1:8000': `# TYPE ttft histogram\nttft_bucket{le="1"} ${count}\nttft_bucket{le="+Inf"} ${count}\n`,
  })
  const { read, answer } = scraper({ pods: [pod('a', '10.0.0.1')], answers: at(0), specs: [spec('ttft')] })
  const seen: unknown[] = []
  for (const count of [0, 'NaN', '+Inf', 100]) {
    answer(at(count))
    const { ttft } = await read()
    seen.push(ttft?.kind === 'pods' && [ttft.values, ttft.missing])
  }
  assert.deepEqual(seen, [
    [[], 1],
    [[], 1],
    [[], 1],
    [[0.95], 0],
  ])
})
