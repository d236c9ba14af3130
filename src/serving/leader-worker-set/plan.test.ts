import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LeaderWorkerSet } from '#api/leader-worker-set.ts'
import { plan } from './plan.ts'

const metadata = { name: 'big', namespace: 'ml', uid: 'u-1' }

test('a set that another schema let through without a template makes nothing', () => {
  for (const spec of [undefined, {}, { leaderWorkerTemplate: {} }]) {
    const set = { apiVersion: 'leaderworkerset.x-k8s.io/v1', kind: 'LeaderWorkerSet', metadata, spec }
    assert.deepEqual(plan(set as LeaderWorkerSet, { serving: undefined }).stages, [], JSON.stringify(spec))
  }
})
