import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { readFilters } from './filter.ts'
import { nextSync } from './schedule.ts'

const nowMs = Date.UTC(2030, 0, 1)
const spec = { registry: 'docker.io', filters: [{ image: 'amd/x' }], maxModels: 100, syncInterval: '1h' }
const [filter] = readFilters(spec)
assert.ok(filter)

interface Row {
  readonly syncInterval?: string
  readonly failedSyncs?: number
  /** Of each filter: what went wrong, and how long its registry has us wait. */
  readonly results: readonly { readonly problems: readonly string[]; readonly retryAfterMs: number }[]
  /** Whether all models could be made; by default they could. */
  readonly isWritten?: boolean
  readonly wantMinutes: number
  readonly wantFailed?: number
}

const well = { problems: [], retryAfterMs: 0 }
const broken = { problems: ['x'], retryAfterMs: 0 }

const rows: Record<string, Row> = {
  'after an interval': { results: [well], wantMinutes: 60 },
  'not more often than each minute': { syncInterval: '1s', results: [well], wantMinutes: 1 },
  'a minute after a failure': { results: [well, broken], wantMinutes: 1, wantFailed: 1 },
  'two minutes after a second one': { failedSyncs: 1, results: [broken], wantMinutes: 2, wantFailed: 2 },
  'at most fifteen': { failedSyncs: 60, results: [broken], wantMinutes: 15, wantFailed: 61 },
  'at most an interval': { syncInterval: '5m', failedSyncs: 60, results: [broken], wantMinutes: 5, wantFailed: 61 },
  'no sooner than a registry says': {
    results: [{ problems: ['asked too often'], retryAfterMs: 30 * 60_000 }],
    wantMinutes: 30,
    wantFailed: 1,
  },
  'after what could not be written, as after a failure': {
    failedSyncs: 1,
    results: [well],
    isWritten: false,
    wantMinutes: 2,
    wantFailed: 2,
  },
  'success makes up for failures': { failedSyncs: 9, results: [well], wantMinutes: 60 },
}
for (const [
  name,
  { syncInterval = '1h', failedSyncs = 0, results, isWritten = true, wantMinutes, wantFailed = 0 },
] of Object.entries(rows)) {
  test(`registries are asked again ${name}`, () => {
    const source: AIMClusterModelSource = {
      apiVersion: '',
      kind: '',
      metadata: { name: 'a' },
      spec: { ...spec, syncInterval },
      status: { failedSyncs },
    }
    const sync = { results: results.map((each) => ({ filter, images: [], ...each })), available: [], missing: [] }
    const next = nextSync(source, { sync, isWritten }, nowMs)
    assert.deepEqual(next, { nextMs: nowMs + wantMinutes * 60_000, failedSyncs: wantFailed })
  })
}

test('where nobody was asked, the time that was told stays', () => {
  const status = { nextSyncTime: new Date(nowMs + 5000).toISOString(), failedSyncs: 2 }
  const source: AIMClusterModelSource = { apiVersion: '', kind: '', metadata: { name: 'a' }, spec, status }
  const next = nextSync(source, { sync: undefined }, nowMs)
  assert.deepEqual(next, { nextMs: nowMs + 5000, failedSyncs: 2 })
})
