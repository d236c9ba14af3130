import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalised } from './normalise.ts'

const uid = '11111111-2222-4333-8444-555555555555'
const now = `${new Date().toISOString().slice(0, 19)}Z`
const object = (resourceVersion: string, members: object = {}) => ({ metadata: { uid, resourceVersion, ...members } })

const rows: Record<string, { body: unknown; want: unknown }> = {
  'versions become ranks': {
    body: [object('17'), object('9'), { metadata: { resourceVersion: '12' } }],
    want: [
      { metadata: { resourceVersion: '<rv 2>', uid: '<uid 1>' } },
      { metadata: { resourceVersion: '<rv 1>', uid: '<uid 1>' } },
      { metadata: { resourceVersion: '<rv 1>' } },
    ],
  },
  'a time of now is not told, another is': {
    body: { a: now, b: `${now.slice(0, 19)}.000001Z`, c: '2001-01-01T00:00:00Z' },
    want: { a: '<now>', b: '<now µs>', c: '2001-01-01T00:00:00Z' },
  },
  'the namespace is one word, in names of members too': {
    body: { 'a-conf-ns': 'in conf-ns' },
    want: { 'a-<ns>': 'in <ns>' },
  },
  'only what was generated of a name is not told': {
    body: [{ name: 'a-bcdfg', generateName: 'a-' }, { name: 'a-bcdfg' }],
    want: [{ generateName: 'a-', name: 'a-<generated>' }, { name: 'a-bcdfg' }],
  },
  'ages are in cells alone': { body: { cells: ['5s', 5], other: '5s' }, want: { cells: ['<age>', 5], other: '5s' } },
  'addresses of services and ports of nodes, and no others': {
    body: { ip: '10.0.3.4', other: '10.1.3.4', ports: [{ nodePort: 30_001, port: 30_001 }] },
    want: { ip: '<cluster ip>', other: '10.1.3.4', ports: [{ nodePort: '<node port>', port: 30_001 }] },
  },
  'managers that are out of order are told to be so': {
    body: {
      managedFields: [
        { operation: 'Update', manager: 'b' },
        { operation: 'Apply', manager: 'a' },
      ],
    },
    want: {
      managedFields: ['<out of order>', { manager: 'a', operation: 'Apply' }, { manager: 'b', operation: 'Update' }],
    },
  },
  'causes have the order that they came in, but for conflicts': {
    body: [
      {
        causes: [
          { reason: 'X', field: 'b' },
          { reason: 'X', field: 'a' },
        ],
      },
      {
        causes: [
          { reason: 'FieldManagerConflict', field: 'b' },
          { reason: 'FieldManagerConflict', field: 'a' },
        ],
      },
    ],
    want: [
      {
        causes: [
          { field: 'b', reason: 'X' },
          { field: 'a', reason: 'X' },
        ],
      },
      {
        causes: [
          { field: 'a', reason: 'FieldManagerConflict' },
          { field: 'b', reason: 'FieldManagerConflict' },
        ],
      },
    ],
  },
}
for (const [name, { body, want }] of Object.entries(rows)) {
  test(name, () => {
    const got = normalised([['call', { status: 200, headers: {}, body }]], 'conf-ns')
    assert.deepEqual(got['call']?.body, want)
  })
}
