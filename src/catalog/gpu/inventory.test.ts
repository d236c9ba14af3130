import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '#api/core/kinds.ts'
import { acceptsAllAnnotation } from '#kube/local-node.ts'
import { formatQuantity } from '#machinery/quantity.ts'
import { affinityOf, availabilityOf } from './availability.ts'
import { gpuResource, normalGpu } from './devices.ts'
import { inventoryKey, inventoryOf, parseVram } from './inventory.ts'

type Labels = Record<string, string>

function node(labels: Labels, more: Partial<Node['metadata']> = {}): Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels, ...more } }
}

const inventory = (...nodes: Labels[]) => inventoryOf(nodes.map((labels) => node(labels)))

const names: Record<string, string> = {
  'MI300X (rev 2)': 'MI300X',
  AMD_Instinct_MI300X_OAM: 'MI300X',
  'MI250X/MI250': 'MI250X',
  'RX7900-XTX': 'RX7900',
  'Radeon RX 7900 XTX': 'RX7900',
  'AMD-1234': 'AMD-1234',
  MI250: 'MI250X',
  'mi300x ': 'MI300X',
  'NVIDIA-H100-80GB-HBM3': 'H100',
  'NVIDIA-A100-SXM4-80GB': 'A100',
  'NVIDIA-GeForce-RTX-4090': 'RTX4090',
  'Tesla-T4': 'T4',
  'NVIDIA-L40S': 'L40S',
  '': '',
}
for (const [name, want] of Object.entries(names)) {
  test(`a GPU called "${name}" is ${want || 'none'}`, () => assert.equal(normalGpu(name), want))
}

const labelled: Record<string, { nodes: Labels[]; want: string[] }> = {
  'by its device id': { nodes: [{ 'amd.com/gpu.device-id': '74a1' }], want: ['MI300X'] },
  'by its device id as lspci writes it': { nodes: [{ 'beta.amd.com/gpu.device-id': '0x74A1' }], want: ['MI300X'] },
  '#41 by every id that is counted': {
    nodes: [{ 'beta.amd.com/gpu.device-id.74a1': '8', 'beta.amd.com/gpu.device-id.740c': '2' }],
    want: ['MI250X', 'MI300X'],
  },
  'not by an id of which there are none': { nodes: [{ 'amd.com/gpu.device-id.74a1': '0' }], want: [] },
  '#42 by an id that is in no table': { nodes: [{ 'amd.com/gpu.device-id': '9999' }], want: ['AMD-9999'] },
  '#43 never by a family of chips': { nodes: [{ 'amd.com/gpu.family': 'AI' }], want: [] },
  'by the name of a product': { nodes: [{ 'amd.com/gpu.product-name': 'AMD_Instinct_MI325X' }], want: ['MI325X'] },
  'by what NVIDIA’s discovery says': { nodes: [{ 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' }], want: ['H100'] },
  'on several nodes': {
    nodes: [{ 'amd.com/gpu.device-id': '74a5' }, { 'amd.com/gpu.device-id': '74a1' }, {}],
    want: ['MI300X', 'MI325X'],
  },
}
for (const [name, { nodes, want }] of Object.entries(labelled)) {
  test(`a GPU is known ${name}`, () => assert.deepEqual([...inventory(...nodes).gpus.keys()], want))
}

test('a node that is being deleted has none', () => {
  const going = node({ 'amd.com/gpu.device-id': '74a1' }, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  assert.equal(inventoryOf([going]).gpus.size, 0)
})

const sizes: Record<string, string | undefined> = {
  '192G': '192Gi',
  '1T': '1Ti',
  '196608': '192Gi',
  '206158430208': '206158430208',
  '64Gi': '64Gi',
  '512M': '512Mi',
  much: undefined,
}
for (const [text, want] of Object.entries(sizes)) {
  test(`video memory of ${text} is ${want}`, () => {
    const quantity = parseVram(text)
    assert.equal(quantity && formatQuantity(quantity), want)
  })
}

const mi300x = { 'amd.com/gpu.device-id': '74a1' }
const availability: Record<string, { gpu: object | undefined; nodes: Labels[]; want: string | undefined }> = {
  'nothing asked for': { gpu: undefined, nodes: [], want: undefined },
  'none asked for': { gpu: { requests: 0 }, nodes: [], want: undefined },
  'any where there is one': { gpu: { requests: 1 }, nodes: [mi300x], want: 'GPUAvailable' },
  'any where there is none': { gpu: { requests: 1 }, nodes: [{}], want: 'GPUNotAvailable' },
  'any where the maker alone is known': {
    gpu: { requests: 1 },
    nodes: [{ 'amd.com/gpu.family': 'AI' }],
    want: 'GPUAvailable',
  },
  'a model that is there': { gpu: { requests: 1, model: 'mi300x' }, nodes: [mi300x], want: 'GPUAvailable' },
  'a model that is not there': { gpu: { requests: 1, model: 'MI325X' }, nodes: [mi300x], want: 'GPUNotAvailable' },
  '#40 scenario 24 MI250 where there is MI250X': {
    gpu: { requests: 8, model: 'MI250' },
    nodes: [{ 'amd.com/gpu.device-id': '740c' }],
    want: 'GPUAvailable',
  },
  '#42 a device that is in no table': {
    gpu: { requests: 1, model: 'AMD-9999' },
    nodes: [{ 'amd.com/gpu.device-id': '9999' }],
    want: 'GPUAvailable',
  },
  'scenario 23 memory that is there': { gpu: { requests: 1, minVram: '64Gi' }, nodes: [mi300x], want: 'GPUAvailable' },
  'scenario 23 memory that is not': { gpu: { requests: 1, minVram: '1Ti' }, nodes: [mi300x], want: 'VRAMNotAvailable' },
}
for (const [name, { gpu, nodes, want }] of Object.entries(availability)) {
  test(`availability: ${name}`, () => assert.equal(availabilityOf(gpu, inventory(...nodes))?.reason, want))
}

test('#43 a family code is never listed as a model', () => {
  const found = availabilityOf(
    { requests: 1, model: 'MI300X' },
    inventory({ 'amd.com/gpu.family': 'AI' }, { 'amd.com/gpu.device-id': '740f' }),
  )
  assert.equal(found?.message, 'no node has a GPU MI300X; there are MI210')
})

test('a local node that takes every pod has every GPU', () => {
  const local = inventoryOf([node({}, { annotations: { [acceptsAllAnnotation]: 'true' } })])
  assert.match(availabilityOf({ requests: 8, model: 'MI355X' }, local)?.message ?? '', /simulates/)
})

const termsOf = (gpu: object, ...nodes: Labels[]) =>
  affinityOf(gpu, inventory(...nodes))?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms.map(
    ({ matchExpressions }) =>
      matchExpressions?.map(({ key, operator, values = [] }) => `${key} ${operator} ${values}`.trim()).join(),
  )

test('#44 nodes are selected by all ids of a model, in order', () => {
  assert.deepEqual(termsOf({ model: 'MI300X' }, mi300x), ['amd.com/gpu.device-id In 74a1,74a9,74b5,74bd'])
})

test('#45 nodes with other labels are selected by those', () => {
  assert.deepEqual(
    termsOf({ model: 'MI300X' }, { 'beta.amd.com/gpu.device-id': '74a1' }, { 'beta.amd.com/gpu.device-id.74a1': '8' }),
    [
      'amd.com/gpu.device-id In 74a1,74a9,74b5,74bd',
      'beta.amd.com/gpu.device-id In 74a1',
      'beta.amd.com/gpu.device-id.74a1 Exists',
    ],
  )
})

test('NVIDIA nodes are selected by their product', () => {
  const product = 'NVIDIA-H100-80GB-HBM3'
  assert.deepEqual(termsOf({ model: 'H100' }, { 'nvidia.com/gpu.product': product }), [
    `nvidia.com/gpu.product In ${product}`,
  ])
})

test('scenario 23 memory selects every model that has it', () => {
  const ids = '74a1,74a5,74a9,74b5,74b9,74bd'
  assert.deepEqual(
    termsOf({ minVram: '150Gi' }, mi300x, { 'amd.com/gpu.device-id': '74a5' }, { 'amd.com/gpu.device-id': '740f' }),
    [`amd.com/gpu.device-id In ${ids}`],
  )
})

test('#44 the order of nodes changes nothing', () => {
  const nodes = [mi300x, { 'beta.amd.com/gpu.device-id.740c': '8' }, { 'nvidia.com/gpu.product': 'NVIDIA-L4' }]
  assert.equal(inventoryKey(inventory(...nodes)), inventoryKey(inventory(...nodes.toReversed())))
})

const resources: Record<string, string> = {
  H100: 'nvidia.com/gpu',
  'NVIDIA-H100-80GB-HBM3': 'nvidia.com/gpu',
  l40s: 'nvidia.com/gpu',
  MI300X: 'amd.com/gpu',
  'AMD Instinct MI300X': 'amd.com/gpu',
  V710: 'amd.com/gpu',
  '': 'amd.com/gpu',
}
for (const [model, want] of Object.entries(resources)) {
  test(`a GPU "${model}" is asked for as ${want}`, () => assert.equal(gpuResource(model), want))
}
