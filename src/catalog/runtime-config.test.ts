import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AIMRuntimeConfigSpec } from '#api/aim-runtime-config.ts'
import { mergeEnv } from './environment.ts'
import { mergeConfigs, propagatedLabels } from './runtime-config.ts'

type Spec = AIMRuntimeConfigSpec

const rows: Record<string, { shared: Spec; own: Spec; want: (merged: Spec) => unknown; is: unknown }> = {
  '#21 false of a namespace beats true of the cluster': {
    shared: { model: { autoDiscovery: true } },
    own: { model: { autoDiscovery: false } },
    want: ({ model }) => model?.autoDiscovery,
    is: false,
  },
  '#21 zero of a namespace beats a number of the cluster': {
    shared: { storage: { pvcHeadroomPercent: 20 } },
    own: { storage: { pvcHeadroomPercent: 0 } },
    want: ({ storage }) => storage?.pvcHeadroomPercent,
    is: 0,
  },
  '#22 what a namespace does not say stays the cluster’s': {
    shared: { storage: { pvcHeadroomPercent: 20 } },
    own: { storage: { defaultStorageClassName: 'fast' } },
    want: ({ storage }) => storage,
    is: { pvcHeadroomPercent: 20, defaultStorageClassName: 'fast' },
  },
  'members in their earlier place count where the present one is absent': {
    shared: { pvcHeadroomPercent: 20, defaultStorageClassName: 'slow' },
    own: { storage: { defaultStorageClassName: 'fast' } },
    want: ({ storage }) => storage,
    is: { pvcHeadroomPercent: 20, defaultStorageClassName: 'fast' },
  },
  'a gateway is replaced as a whole': {
    shared: { routing: { gatewayRef: { name: 'a', namespace: 'x' } } },
    own: { routing: { gatewayRef: { name: 'b' } } },
    want: ({ routing }) => routing?.gatewayRef,
    is: { name: 'b' },
  },
  'annotations are put together': {
    shared: { routing: { annotations: { a: '1', b: '1' } } },
    own: { routing: { annotations: { b: '2' } } },
    want: ({ routing }) => routing?.annotations,
    is: { a: '1', b: '2' },
  },
  'pull secrets are put together, the namespace’s first': {
    shared: { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] },
    own: { imagePullSecrets: [{ name: 'b' }, { name: 'c' }] },
    want: ({ imagePullSecrets }) => imagePullSecrets,
    is: [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
  },
  'a list is replaced': {
    shared: { labelPropagation: { enabled: true, match: ['a'] } },
    own: { labelPropagation: { match: ['b'] } },
    want: ({ labelPropagation }) => labelPropagation,
    is: { enabled: true, match: ['b'] },
  },
}
for (const [name, { shared, own, want, is }] of Object.entries(rows)) {
  test(name, () => {
    const before = structuredClone([shared, own])
    assert.deepEqual(want(mergeConfigs(shared, own)), is)
    assert.deepEqual([shared, own], before, '#23')
  })
}

test('arguments of the engine are merged as the objects they are', () => {
  const args = (value: object | string) => [
    { name: 'AIM_ENGINE_ARGS', value: typeof value === 'string' ? value : JSON.stringify(value) },
  ]
  assert.deepEqual(
    mergeEnv(args({ b: 1, a: { x: 1, y: 1 } }), args({ a: { y: 2 } })),
    args({ a: { x: 1, y: 2 }, b: 1 }),
  )
  assert.deepEqual(mergeEnv(args({ a: 1 }), args('no json')), args('no json'))
})

test('labels are handed down by pattern, and the catalog’s own always', () => {
  const labels = { 'aim.eai.amd.com/x': '1', 'team.example.com/name': 'a', other: 'b' }
  assert.deepEqual(propagatedLabels(labels, {}), { 'aim.eai.amd.com/x': '1' })
  const labelPropagation = { enabled: true, match: ['team.example.com/*', 'ot?er/*'] }
  assert.deepEqual(propagatedLabels(labels, { labelPropagation }), {
    'aim.eai.amd.com/x': '1',
    'team.example.com/name': 'a',
  })
  assert.deepEqual(propagatedLabels({ 'a/b': '1' }, { labelPropagation: { enabled: true, match: ['*'] } }), {})
})
