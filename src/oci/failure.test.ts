import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal, unreachable } from './failure.ts'
import { retryAfterMs } from './retry-after.ts'

const url = new URL('https://ghcr.io/v2/')
const nowMs = Date.UTC(2030, 0, 1)

const answers: Record<string, { status: number; code?: string; want: string }> = {
  'not let in': { status: 401, want: 'denied ImagePullAuthFailure' },
  forbidden: { status: 403, code: 'DENIED', want: 'denied ImagePullAuthFailure' },
  'a status of one thing and a code of another': {
    status: 400,
    code: 'UNAUTHORIZED',
    want: 'denied ImagePullAuthFailure',
  },
  'no such manifest': { status: 404, code: 'MANIFEST_UNKNOWN', want: 'missing ImageNotFound' },
  'no such name': { status: 400, code: 'NAME_UNKNOWN', want: 'missing ImageNotFound' },
  'no such page': { status: 404, want: 'missing ImageNotFound' },
  'too often': { status: 429, want: 'exhausted RegistryRateLimited' },
  'too often by its code': { status: 503, code: 'TOOMANYREQUESTS', want: 'exhausted RegistryRateLimited' },
  broken: { status: 502, want: 'unavailable MetadataExtractionFailed' },
  'what nobody expects': { status: 418, code: 'TEAPOT', want: 'unavailable MetadataExtractionFailed' },
}
for (const [name, { status, code, want }] of Object.entries(answers)) {
  test(`a registry answers: ${name}`, () => {
    const body = Buffer.from(code === undefined ? '<html>' : JSON.stringify({ errors: [{ code }] }))
    const fault = refusal({ status, headers: {}, body, url }, nowMs)
    assert.equal(`${fault.kind} ${fault.code}`, want)
    assert.ok(fault.message.startsWith(`ghcr.io answered ${status}${code === undefined ? '' : ` ${code}`}`))
  })
}

test('#7 digits of other statuses in the words of a registry mean nothing', () => {
  const body = Buffer.from(
    JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'blob sha256:4040110404 not read' }] }),
  )
  const fault = refusal({ status: 502, headers: {}, body, url }, nowMs)
  assert.equal(`${fault.kind} ${fault.code}`, 'unavailable MetadataExtractionFailed')
})

test('what is no code gets into no message', () => {
  const body = Buffer.from(JSON.stringify({ errors: [{ code: 'password: hunter2' }] }))
  assert.equal(refusal({ status: 500, headers: {}, body, url }, nowMs).message, 'ghcr.io answered 500')
})

const silences: Record<string, { code: string; want: string; wantReason?: string }> = {
  'an unknown host': { code: 'ENOTFOUND', want: 'the host name is not known' },
  'nobody there': { code: 'ECONNREFUSED', want: 'nothing listens there' },
  'a stranger’s certificate': {
    code: 'SELF_SIGNED_CERT_IN_CHAIN',
    want: 'its certificate is signed by no authority that we trust',
    wantReason: 'RegistryTLSError',
  },
  'an old certificate': {
    code: 'CERT_HAS_EXPIRED',
    want: 'its certificate has expired',
    wantReason: 'RegistryTLSError',
  },
  'what we have no words for': { code: 'EODD', want: 'odd 404' },
}
for (const [name, { code, want, wantReason = 'MetadataExtractionFailed' }] of Object.entries(silences)) {
  test(`a registry does not answer: ${name}`, () => {
    const fault = unreachable(url, Object.assign(new Error('odd 404'), { code }))
    assert.deepEqual(
      [fault.kind, fault.code, fault.message],
      ['unavailable', wantReason, `cannot reach ghcr.io: ${want}`],
    )
  })
}

const waits: Record<string, { headers: Record<string, string>; want: number | undefined }> = {
  'in seconds': { headers: { 'retry-after': '30' }, want: 30_000 },
  'as a date': { headers: { 'retry-after': 'Tue, 01 Jan 2030 00:01:00 GMT' }, want: 60_000 },
  'a date that is past': { headers: { 'retry-after': 'Tue, 01 Jan 2019 00:01:00 GMT' }, want: 0 },
  'as Docker Hub does': { headers: { 'x-retry-after': `${nowMs / 1000 + 90}` }, want: 90_000 },
  'as GitHub does': { headers: { 'x-ratelimit-reset': `${nowMs / 1000 + 5}` }, want: 5000 },
  'until the window ends': { headers: { 'ratelimit-reset': '12' }, want: 12_000 },
  'the standard header first': { headers: { 'ratelimit-reset': '12', 'retry-after': '3' }, want: 3000 },
  'for longer than we believe': { headers: { 'retry-after': '99999999' }, want: 6 * 3_600_000 },
  'not at all': { headers: {}, want: undefined },
  'in words': { headers: { 'retry-after': 'soon' }, want: undefined },
}
for (const [name, { headers, want }] of Object.entries(waits)) {
  test(`how long a registry has us wait: ${name}`, () => assert.equal(retryAfterMs(headers, nowMs), want))
}
