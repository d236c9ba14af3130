import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessLine, lineBuffer } from './access-log.ts'
import type { ExchangeRecord } from './exchange-record.ts'

const startMs = Date.UTC(2026, 0, 1)
const record: ExchangeRecord = {
  startMs,
  method: 'POST',
  path: '/v1/completions',
  pathLabel: '/v1/completions',
  protocol: 'HTTP/1.1',
  requestId: 'r',
  model: 'chat',
  modelLabel: 'chat',
  route: 'ns/route',
  server: 'ns/srv',
  pod: 'ns/p',
  upstreamModel: 'm',
  upstreamStatus: 200,
  attempts: 1,
  streamed: false,
  status: 200,
  errorType: 'successful_request',
  usage: { inputTokens: 3, outputTokens: 2 },
  upstreamStartMs: startMs + 1,
  firstByteMs: startMs + 11,
  chunks: 1,
}

test('the text form is one line of words', () => {
  assert.equal(
    accessLine('text', record, startMs + 20),
    '[2026-01-01T00:00:00.000Z] "POST /v1/completions HTTP/1.1" 200 model_name=chat model_route=ns/route' +
      ' model_server=ns/srv selected_pod=ns/p request_id=r backend_type=model_server backend_name=ns/srv' +
      ' upstream_model=m upstream_status_code=200 upstream_attempts=1 tokens=3/2 timings=20ms(1+10+9)',
  )
})

test('the JSON form leaves out what is unknown', () => {
  const {
    model: _,
    route: __,
    server: ___,
    pod,
    upstreamModel,
    upstreamStatus,
    usage,
    upstreamStartMs,
    firstByteMs,
    ...bare
  } = record
  const line = accessLine(
    'json',
    {
      ...bare,
      attempts: 0,
      status: 404,
      errorType: 'route_not_found',
      errorMessage: 'model_not_found',
      errorOrigin: 'router',
    },
    startMs + 5,
  )
  assert.deepEqual(JSON.parse(line), {
    timestamp: '2026-01-01T00:00:00.000Z',
    method: 'POST',
    path: '/v1/completions',
    protocol: 'HTTP/1.1',
    status_code: 404,
    error: { type: 'route_not_found', message: 'model_not_found' },
    model_name: '',
    request_id: 'r',
    error_origin: 'router',
    duration_total: 5,
    duration_request_processing: 5,
    duration_upstream_processing: 0,
    duration_response_processing: 0,
  })
})

test('a client cannot forge a line or a word', () => {
  const line = accessLine('text', { ...record, model: 'a\n[x] "GET" 200 model_name=b', path: '/v1/"x y' }, startMs)
  assert.ok(!line.includes('\n'))
  assert.match(line, /model_name="a\\n\[x\] \\"GET\\" 200 model_name=b"/)
})

test('a name as long as a body makes no line as long as a body', () => {
  const long = { ...record, model: 'm'.repeat(1 << 20) }
  for (const format of ['text', 'json'] as const) assert.ok(accessLine(format, long, startMs).length < 2000)
})

test('the lines of a turn are one write, and a flush waits for no turn', async () => {
  const written: string[] = []
  const lines = lineBuffer((text) => written.push(text))
  lines.add('a')
  lines.add('b')
  assert.deepEqual(written, [])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(written, ['a\nb'])
  lines.add('c')
  lines.flush()
  assert.deepEqual(written, ['a\nb', 'c'])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(written, ['a\nb', 'c'], 'nothing twice, and nothing empty')
})
