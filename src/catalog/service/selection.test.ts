import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMServiceTemplate, type AIMServiceTemplateStatus } from '#api/aim-service-template.ts'
import type { AimStatus } from '#api/aim-fields.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import { inventoryOf } from '../gpu/inventory.ts'
import { type Candidate, selectTemplate, type Wish } from './selection.ts'

interface Facts {
  readonly gpu?: string
  readonly count?: number
  readonly metric?: 'latency' | 'throughput'
  readonly precision?: 'fp8' | 'fp16'
  readonly type?: 'optimized' | 'preview' | 'unoptimized'
  readonly state?: AimStatus
  readonly scope?: Candidate['scope']
}

function candidate(name: string, facts: Facts = {}): Candidate {
  const {
    gpu = 'MI300X',
    count = 1,
    metric = 'latency',
    precision = 'fp16',
    type = 'optimized',
    state = 'Ready',
  } = facts
  const status: AIMServiceTemplateStatus = {
    status: state,
    profile: { metadata: { gpu, gpuCount: count, metric, precision, type } },
  }
  const spec = { modelName: 'm', hardware: { gpu: { requests: count, model: gpu } } }
  const template = {
    apiVersion: apiVersionOf(AIMServiceTemplate),
    kind: 'AIMServiceTemplate',
    metadata: { name },
    spec,
    status,
  }
  return { template, scope: facts.scope ?? 'Namespace' }
}

const nodes = ['74a1', '74a5', '740c'].map((id) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: id, labels: { 'amd.com/gpu.device-id': id } },
}))
const wish: Wish = { allowUnoptimized: false, overrides: {}, preferred: undefined, inventory: inventoryOf(nodes) }

interface Row {
  readonly from: readonly Candidate[]
  readonly wish?: Partial<Wish>
  readonly want: string | undefined
  readonly reasons?: readonly string[]
  readonly refusal?: string
}

const rows: Record<string, Row> = {
  'what works well before what may': {
    from: [candidate('a', { type: 'preview' }), candidate('b')],
    wish: { allowUnoptimized: true },
    want: 'b',
    reasons: ['b BestMatch', 'a LowerPreferenceRank'],
  },
  'what is not known to work well only when asked for': {
    from: [candidate('a', { type: 'unoptimized' })],
    want: undefined,
    reasons: ['a UnoptimizedTemplateFiltered'],
    refusal: 'TemplateNotFound',
  },
  'what is not known to work well, asked for': {
    from: [candidate('a', { type: 'unoptimized' })],
    wish: { allowUnoptimized: true },
    want: 'a',
  },
  'the better GPU': { from: [candidate('a'), candidate('b', { gpu: 'MI325X' })], want: 'b' },
  'latency before throughput': { from: [candidate('a', { metric: 'throughput' }), candidate('b')], want: 'b' },
  'the smaller number format': { from: [candidate('a'), candidate('b', { precision: 'fp8' })], want: 'b' },
  'the namespace’s before the cluster’s, though that is better': {
    from: [candidate('a'), candidate('b', { gpu: 'MI325X', scope: 'Cluster' })],
    want: 'a',
    reasons: ['a BestMatch', 'b LowerScope'],
  },
  'the cluster’s where the namespace’s is not ready': {
    from: [candidate('a', { state: 'NotAvailable' }), candidate('b', { scope: 'Cluster' })],
    want: 'b',
    reasons: ['b BestMatch', 'a TemplateNotAvailable'],
  },
  'none of two that are alike': {
    from: [candidate('a'), candidate('b')],
    want: undefined,
    reasons: ['a TemplateSelectionAmbiguous', 'b TemplateSelectionAmbiguous'],
    refusal: 'TemplateSelectionAmbiguous',
  },
  'the model’s own of two that are alike': {
    from: [candidate('a'), candidate('b')],
    wish: { preferred: 'b' },
    want: 'b',
    reasons: ['a LowerPreferenceRank', 'b DefaultOfModel'],
  },
  'the model’s own only if it suits': {
    from: [candidate('a'), candidate('b', { state: 'Failed' })],
    wish: { preferred: 'b' },
    want: 'a',
  },
  'what the service asks for': {
    from: [candidate('a'), candidate('b', { metric: 'throughput' })],
    wish: { overrides: { metric: 'throughput' } },
    want: 'b',
    reasons: ['b BestMatch', 'a ServiceOverridesNotMatched'],
  },
  'the GPU that the service asks for, by any of its names': {
    from: [candidate('a', { gpu: 'MI250X' }), candidate('b')],
    wish: { overrides: { gpuModel: 'MI250' } },
    want: 'a',
  },
  'only where the GPU is': {
    from: [candidate('a', { gpu: 'MI210' })],
    want: undefined,
    reasons: ['a RequiredGPUNotInCluster'],
    refusal: 'TemplateNotFound',
  },
  'nothing before it is ready': {
    from: [candidate('a', { state: 'Progressing' })],
    want: undefined,
    reasons: ['a TemplateProgressing'],
    refusal: 'TemplateNotReady',
  },
  'nothing of nothing': { from: [], want: undefined, refusal: 'TemplateNotFound' },
}
for (const [name, { from, wish: own, want, reasons, refusal }] of Object.entries(rows)) {
  test(`chosen is ${name}`, () => {
    for (const order of [from, from.toReversed()]) {
      const selection = selectTemplate(order, { ...wish, ...own })
      assert.equal(selection.chosen?.template.metadata.name, want)
      assert.equal(selection.refusal?.reason, refusal)
      if (reasons !== undefined)
        assert.deepEqual(
          selection.candidates.map((each) => `${each.name} ${each.reason}`),
          reasons,
        )
    }
  })
}
