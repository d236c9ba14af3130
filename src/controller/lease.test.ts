import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease } from '#api/core/kinds.ts'
import { claimed, judge, released, timingsError } from './lease.ts'

const metadata = { namespace: 'ns', name: 'fairlead-manager', resourceVersion: '7', labels: { team: 'a' } }
const held = (holderIdentity: string, spec: Lease['spec'] = {}): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata,
  spec: { holderIdentity, leaseDurationSeconds: 15, leaseTransitions: 3, ...spec },
})

const verdicts: Record<string, { lease: Lease | undefined; nowMs: number; want: string }> = {
  'a lease that nobody made is ours': { lease: undefined, nowMs: 0, want: 'claim' },
  'our own is renewed': { lease: held('us'), nowMs: 0, want: 'claim' },
  'one that was given back is ours at once': { lease: held(''), nowMs: 0, want: 'claim' },
  'one without a word about anything is ours': { lease: { ...held(''), spec: {} }, nowMs: 0, want: 'claim' },
  'that of another is his until the last moment': { lease: held('him'), nowMs: 14_999, want: 'wait until 15000' },
  'and then no longer': { lease: held('him'), nowMs: 15_000, want: 'claim' },
  'it lasts as long as he says, not we': {
    lease: held('him', { holderIdentity: 'him', leaseDurationSeconds: 60 }),
    nowMs: 15_000,
    want: 'wait until 60000',
  },
  'a time in it from long ago means nothing': {
    lease: held('him', { holderIdentity: 'him', leaseDurationSeconds: 15, renewTime: '1999-01-01T00:00:00.000000Z' }),
    nowMs: 1_000,
    want: 'wait until 15000',
  },
}
for (const [name, { lease, nowMs, want }] of Object.entries(verdicts)) {
  test(name, () => {
    const verdict = judge({ lease, sinceMs: 0, isGone: false }, 'us', nowMs)
    assert.equal(verdict.do === 'claim' ? 'claim' : `wait until ${verdict.untilMs}`, want)
  })
}

const claim = {
  place: { namespace: 'ns', name: 'fairlead-manager' },
  identity: 'us',
  leaseDurationMs: 14_500,
  nowMs: Date.UTC(2030, 0, 1),
}
const now = '2030-01-01T00:00:00.000000Z'
const before = '2029-01-01T00:00:00.000000Z'

const claims: Record<string, { lease: Lease | undefined; want: Lease['spec'] }> = {
  'the first claim': { lease: undefined, want: { acquireTime: now, renewTime: now, leaseTransitions: 0 } },
  'a renewal keeps since when': {
    lease: held('us', { acquireTime: before, holderIdentity: 'us', leaseTransitions: 3 }),
    want: { acquireTime: before, renewTime: now, leaseTransitions: 3 },
  },
  'taking it over is a transition': {
    lease: held('him', { acquireTime: before, holderIdentity: 'him', leaseTransitions: 3 }),
    want: { acquireTime: now, renewTime: now, leaseTransitions: 4 },
  },
  'what we do not know of stays': {
    lease: held('us', { holderIdentity: 'us', strategy: 'x' }),
    want: { acquireTime: now, renewTime: now, leaseTransitions: 3, strategy: 'x' },
  },
}
for (const [name, { lease, want }] of Object.entries(claims)) {
  test(name, () => {
    const made = claimed(lease, claim)
    // In whole seconds, and never less than meant.
    assert.deepEqual(made.spec, { holderIdentity: 'us', leaseDurationSeconds: 15, ...want })
    assert.deepEqual(made.metadata, lease === undefined ? claim.place : metadata)
  })
}

test('a lease that is given back has no holder, and the version that guards it', () => {
  const { metadata: kept, spec } = released(held('us'), claim.nowMs)
  assert.deepEqual([kept, spec?.holderIdentity, spec?.leaseTransitions], [metadata, '', 3])
})

const seconds = (leaseDurationMs: number, renewDeadlineMs: number, retryPeriodMs: number) => ({
  leaseDurationMs: leaseDurationMs * 1000,
  renewDeadlineMs: renewDeadlineMs * 1000,
  retryPeriodMs: retryPeriodMs * 1000,
})
const timings: Record<string, { timings: ReturnType<typeof seconds>; want: RegExp | undefined }> = {
  'the usual timings are fine': { timings: seconds(15, 10, 2), want: undefined },
  'a lease must outlast the deadline': { timings: seconds(10, 10, 2), want: /lease duration must be longer/ },
  'a deadline leaves room for a second try': { timings: seconds(15, 3, 2), want: /at least twice the retry period/ },
  'there is a pause between tries': { timings: seconds(15, 10, 0), want: /retry period must be longer than 0s/ },
}
for (const [name, { timings: given, want }] of Object.entries(timings)) {
  test(name, () => {
    if (want === undefined) assert.equal(timingsError(given), undefined)
    else assert.match(timingsError(given) ?? '', want)
  })
}
