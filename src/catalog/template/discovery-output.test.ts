import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryDelayMs } from './judge.ts'
import { parseDiscoveryOutput } from './discovery-output.ts'

const entry = (metadata: object = {}, more: object = {}) => ({
  filename: 'vllm-mi300x-fp16-tp1-latency.yaml',
  profile: {
    model: 'm',
    metadata: {
      engine: 'vllm',
      gpu: 'MI300X',
      precision: 'fp16',
      gpu_count: 1,
      metric: 'latency',
      type: 'optimized',
      ...metadata,
    },
    engine_args: { 'tensor-parallel-size': 1 },
    env_vars: { A: '1' },
  },
  models: [{ name: 'meta-llama/Llama-3-8B', source: 'hf://meta-llama/Llama-3-8B', size_gb: 16.06 }],
  ...more,
})
const text = JSON.stringify([entry()])

const read: Record<string, string> = {
  alone: text,
  'scenario 22 with lines before and after it': `INFO start [pid 1]\n${text}\nINFO done`,
  'scenario 22 with a bracket in a line after it': `${text}\nINFO closed [x]`,
  'with a closing bracket after it': `${text}\n]`,
  'among many lists': `INFO start\n${JSON.stringify([
    entry({}, { notes: Array.from({ length: 300 }, () => ['a']) }),
  ])}\nINFO done [ok]`,
  'over several lines': JSON.stringify([entry()], null, 2),
}
for (const [name, output] of Object.entries(read)) {
  test(`a profile is read ${name}`, () => {
    const found = parseDiscoveryOutput(output, {})
    assert.deepEqual(found?.profile.metadata, {
      engine: 'vllm',
      gpu: 'MI300X',
      gpuCount: 1,
      metric: 'latency',
      precision: 'fp16',
      type: 'optimized',
    })
    assert.deepEqual(found.modelSources, [
      { modelId: 'meta-llama/Llama-3-8B', sourceUri: 'hf://meta-llama/Llama-3-8B', size: '17244293693' },
    ])
    assert.deepEqual(found.profile.env_vars, { A: '1' })
    assert.equal((found.profile.originalDiscoveryOutput as { filename: string }).filename, entry().filename)
  })
}

for (const nonsense of [
  'hello',
  '',
  '[]',
  '[1]',
  '{"profile": {}}',
  '[['.repeat(1000),
  '[{'.repeat(1000) + '}]'.repeat(1000),
]) {
  test(`#47 ${JSON.stringify(nonsense.slice(0, 20))} is no profile`, () => {
    assert.equal(parseDiscoveryOutput(nonsense, {}), undefined)
  })
}

test('#58 what is not known is left out and remarked', () => {
  const odd = entry({ precision: 'mxfp4' }, { models: [{ name: 'gpt2', source: 'hf://gpt2', size_gb: 0 }] })
  const found = parseDiscoveryOutput(JSON.stringify([odd]), {})
  assert.equal(found?.profile.metadata?.precision, undefined)
  assert.deepEqual(found?.modelSources, [{ sourceUri: 'hf://gpt2' }])
  assert.deepEqual(found?.remarks, ['precision mxfp4 is not known', 'model name gpt2 is no organisation/model'])
})

test('#58 what no status can hold is left out and remarked', () => {
  const models = [
    { name: 'a/b', source: 'hf://a/b', size_gb: 1e300 },
    { name: `a/${'b'.repeat(300)}`, source: 'hf://a/b' },
    { name: 'a/c', source: `s3://${'c'.repeat(3000)}` },
    { name: 'a/d', source: 'https://user:token@example.com/d' },
  ]
  const odd = JSON.stringify([entry({ gpu: 'G'.repeat(65), gpu_count: 2 ** 40 }, { models })])
  const found = parseDiscoveryOutput(odd.replace('1e+300', '1e400'), {})
  assert.equal(found?.profile.metadata?.gpu, undefined)
  assert.equal(found?.profile.metadata?.gpuCount, undefined)
  assert.deepEqual(found?.modelSources, [{ modelId: 'a/b', sourceUri: 'hf://a/b' }, { sourceUri: 'hf://a/b' }])
  assert.deepEqual(found?.remarks, [
    `gpu ${'G'.repeat(60)}… is not known`,
    'gpu_count 1099511627776 is not known',
    `model name a/${'b'.repeat(58)}… is no organisation/model`,
    'the source of model a/c is neither hf:// nor s3://',
    'the source of model a/d is neither hf:// nor s3://',
  ])
})

test('of several profiles the one that was asked for is taken', () => {
  const others = [entry(), entry({ metric: 'throughput' }), entry({ metric: 'throughput', gpu: 'MI325X' })]
  const found = parseDiscoveryOutput(JSON.stringify(others), { metric: 'throughput', gpuModel: 'mi325x' })
  assert.equal(found?.profile.metadata?.gpu, 'MI325X')
})

test('half a gigabyte is 512Mi', () => {
  const half = entry({}, { models: [{ name: 'a/b', source: 's3://a/b', size_gb: 0.5 }] })
  assert.equal(parseDiscoveryOutput(JSON.stringify([half]), {})?.modelSources[0]?.size, '512Mi')
})

const delays: [attempts: number, seconds: number][] = [
  [1, 60],
  [2, 120],
  [3, 240],
  [7, 3600],
  [60, 3600],
  [2_000, 3600],
]
for (const [attempts, seconds] of delays) {
  test(`#50 after ${attempts} failed attempts the next is ${seconds} s away`, () => {
    assert.equal(retryDelayMs(attempts) / 1000, seconds)
  })
}
