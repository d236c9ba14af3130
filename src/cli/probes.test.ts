import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsPage, probes } from './probes.ts'

const metrics = metricsPage({ contentType: 'text/plain; version=0.0.4', render: async () => 'up 1\n' })

const rows: Record<string, { answer: () => Promise<Response>; wantStatus: number; wantText: RegExp }> = {
  'alive is who answers': { answer: () => ask('/healthz', ['waiting']), wantStatus: 200, wantText: /^ok\n$/ },
  'the newer name means the same': { answer: () => ask('/livez'), wantStatus: 200, wantText: /^ok\n$/ },
  'ready is against whom nothing stands': { answer: () => ask('/readyz?verbose'), wantStatus: 200, wantText: /^ok\n$/ },
  'else it says what does, a line each': {
    answer: () => ask('/readyz', ['the pods are not listed yet', 'a kind is missing']),
    wantStatus: 503,
    wantText: /^not ready\nthe pods are not listed yet\na kind is missing\n$/,
  },
  'nothing else is there': { answer: () => ask('/metrics'), wantStatus: 404, wantText: /nothing/ },
  'nobody writes': { answer: () => ask('/healthz', [], 'POST'), wantStatus: 405, wantText: /only GET/ },
  'metrics are as Prometheus wants them': {
    answer: () => metrics(new Request('http://x/metrics')),
    wantStatus: 200,
    wantText: /^up 1\n$/,
  },
  'and nothing else is beside them': {
    answer: () => metrics(new Request('http://x/healthz')),
    wantStatus: 404,
    wantText: /nothing/,
  },
}

function ask(path: string, against: readonly string[] = [], method = 'GET'): Promise<Response> {
  return probes(() => against)(new Request(`http://x${path}`, { method }))
}

for (const [name, { answer, wantStatus, wantText }] of Object.entries(rows)) {
  test(name, async () => {
    const response = await answer()
    assert.equal(response.status, wantStatus)
    assert.match(await response.text(), wantText)
  })
}

test('metrics carry the type that their text has', async () => {
  const response = await metrics(new Request('http://x/metrics'))
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4')
})
