import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import type { MemberReading } from './measure.ts'
import { queryPrometheus } from './prometheus-query.ts'

const success = (data: unknown): string => JSON.stringify({ status: 'success', data })
const vector = (...values: readonly string[]) =>
  success({ resultType: 'vector', result: values.map((value) => ({ metric: {}, value: [1, value] })) })

const rows: Record<string, { answer: string; type?: 'Value' | 'AverageValue'; want: MemberReading | RegExp }> = {
  'a vector of one': { answer: vector('12.5'), want: { kind: 'total', value: 12.5 } },
  'a scalar': { answer: success({ resultType: 'scalar', result: [1, '3'] }), want: { kind: 'total', value: 3 } },
  'an average': { answer: vector('0.9'), type: 'Value', want: { kind: 'ratio', value: 0.9 } },
  'no series': { answer: vector(), want: /yields 0 series; it must yield one number/ },
  'two series': { answer: vector('1', '2'), want: /yields 2 series/ },
  'a matrix': { answer: success({ resultType: 'matrix', result: [] }), want: /a matrix/ },
  'no number': { answer: vector('NaN'), want: /yields NaN/ },
  infinity: { answer: vector('+Inf'), want: /yields \+Inf/ },
  'an error': { answer: '{"status":"error","error":"parse error"}', want: /not that of a query/ },
  'a web page': { answer: '<html>Sign in</html>', want: /web page/ },
  'no JSON': { answer: 'sorry', want: /not that of a query/ },
}
const parts = (answer: string, asked: string[] = []) => ({
  clock: manualClock(),
  fetch: async (request: Request) => {
    asked.push(request.url)
    return new Response(answer)
  },
})
const never = new AbortController().signal

for (const [name, { answer, type = 'AverageValue', want }] of Object.entries(rows)) {
  test(name, async () => {
    const source = { kind: 'prometheus', serverUrl: 'http://prometheus:9090/', query: 'sum(x)', type } as const
    const reading = await queryPrometheus({ ...parts(answer), allowedServers: 'any' }, source, never)
    if (want instanceof RegExp) assert.match(reading.kind === 'none' ? reading.why : reading.kind, want)
    else assert.deepEqual(reading, want)
  })
}

test('A-08: only servers on the list are asked', async () => {
  const asked: string[] = []
  const own = { ...parts(vector('1'), asked), allowedServers: ['http://prometheus:9090'] }
  const query = (serverUrl: string) =>
    queryPrometheus(own, { kind: 'prometheus', serverUrl, query: 'a + b', type: 'Value' }, never)
  assert.equal((await query('http://prometheus:9090/prefix')).kind, 'ratio')
  const refused = await query('http://169.254.169.254/')
  assert.match(refused.kind === 'none' ? refused.why : '', /not among the Prometheus servers/)
  assert.deepEqual(asked, ['http://prometheus:9090/prefix/api/v1/query?query=a+%2B+b'])
})

test('a server with credentials in its address is not asked, and they are not told', async () => {
  const asked: string[] = []
  const own = { ...parts(vector('1'), asked), allowedServers: 'any' } as const
  const serverUrl = 'http://admin:hunter2@prometheus:9090'
  const refused = await queryPrometheus(own, { kind: 'prometheus', serverUrl, query: 'x', type: 'Value' }, never)
  assert.deepEqual(refused, { kind: 'none', why: 'serverURL holds credentials; leave them out' })
  assert.deepEqual(asked, [])
})
