import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecommendedDeployment } from '#api/aim-fields.ts'
import { AIMModel, type AIMModelSpec } from '#api/aim-model.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import { canonicalModel } from './canonical.ts'
import { customTemplates, deploymentTemplates } from './templates.ts'

const llama = 'ghcr.io/amd/llama-3-8b:v1.0.0'

function model(name: string, spec: Partial<AIMModelSpec> = {}): AIMModel {
  const metadata = { name, namespace: 'ml-team' }
  return { apiVersion: apiVersionOf(AIMModel), kind: 'AIMModel', metadata, spec: { image: llama, ...spec } }
}

function generated(name: string, deployments: RecommendedDeployment[], spec: Partial<AIMModelSpec> = {}) {
  const object = model(name, spec)
  return deploymentTemplates(canonicalModel(object), object.spec, { model: { recommendedDeployments: deployments } })
}

function custom(name: string, spec: Partial<AIMModelSpec>) {
  const object = model(name, spec)
  return customTemplates(canonicalModel(object), object.spec)
}

const gpu = (gpuModel?: string, gpuCount?: number, metric?: string, precision?: string): RecommendedDeployment =>
  JSON.parse(JSON.stringify({ gpuModel, gpuCount, metric, precision })) as RecommendedDeployment

/** As the operator that came before names them: an installation is taken over without twins. */
const names: [model: string, image: string, deployment: RecommendedDeployment, want: string][] = [
  [
    'llama-3-8b',
    llama,
    gpu('MI300X', 4, 'throughput', 'fp16'),
    'ghcr-io-amd-llama-3-8b-v1-0-0-4x-mi300x-thr-fp16-da3a',
  ],
  [
    'llama-3-8b',
    'registry.internal/models/llama-3-8b:v1.0.0',
    gpu('MI300X', 8, 'latency', 'fp8'),
    'registry-internal-models-llama-3-8b-v1-0-8x-mi300x-lat-fp8-ccf9',
  ],
  ['llama-3-8b', llama, {}, 'ghcr-io-amd-llama-3-8b-v1-0-0-part-a51a'],
  ['llama-3-8b', llama, gpu('MI300X'), 'ghcr-io-amd-llama-3-8b-v1-0-0-mi300x-d588'],
  ['llama-3-8b', llama, gpu(undefined, 2), 'ghcr-io-amd-llama-3-8b-v1-0-0-x2-4b6c'],
  [
    'llama-3-8b',
    'private-registry.example.com/models/llama-3-8b:v1.0.0',
    gpu('MI300X', 8, 'throughput', 'bf16'),
    'private-registry-example-com-models-lla-8x-mi300x-thr-bf16-70af',
  ],
  [
    'qwen',
    'amdenterpriseai/aim-qwen-qwen3-32b:0.8.5',
    gpu('MI325X', 1, 'latency', 'fp8'),
    'amdenterpriseai-aim-qwen-qwen3-32b-0-8-5-1x-mi325x-lat-fp8-5529',
  ],
  [
    'llama-3-8b',
    'ghcr.io/amd/llama-3-8b:v2.0.0',
    gpu('MI300X', 4, 'throughput', 'fp16'),
    'ghcr-io-amd-llama-3-8b-v2-0-0-4x-mi300x-thr-fp16-52e7',
  ],
]
for (const [name, image, deployment, want] of names) {
  test(`a template is named ${want}`, () => {
    assert.deepEqual(
      generated(name, [deployment], { image }).templates.map((each) => each.name),
      [want],
    )
  })
}

test('#26 entries that differ by their profile alone get a template each', () => {
  const entry = gpu('MI300X', 4, 'throughput', 'fp16')
  const profiles = ['vllm-mi300x-fp16-tp4-throughput', 'vllm-mi300x-fp16-tp4-throughput-v2']
  const entries = profiles.map((profileId) => ({ ...entry, profileId }))
  const { templates } = generated('llama-3-8b', [...entries, ...entries.slice(0, 1)])
  assert.deepEqual(
    templates.map(({ name }) => name.slice(-8)),
    ['e53978c7', '35513998'],
  )
})

test('#25 an entry that cannot be used costs no other', () => {
  const { templates, ignored } = generated('m', [gpu('MI300X', 1, 'latency', 'fp7'), gpu('MI300X', 1), gpu('MI210', 1)])
  assert.equal(templates.length, 2)
  assert.deepEqual(ignored, [
    'recommendedDeployments[0]: precision fp7 is none of auto, fp4, fp8, fp16, fp32, bf16, int4, int8',
  ])
})

test('#27 a GPU model without a count asks for one', () => {
  const [template] = generated('m', [gpu('MI300X')]).templates
  assert.deepEqual(template?.spec.hardware, { gpu: { requests: 1, model: 'MI300X' } })
})

test('#25 a deployment that no template can hold costs no other', () => {
  const { templates, ignored } = generated('m', [
    gpu('G'.repeat(65), 1),
    { ...gpu('MI300X', 1), profileId: 'p'.repeat(254) },
    gpu('MI210', 1),
  ])
  assert.deepEqual(
    templates.map(({ spec }) => spec.hardware?.gpu?.model),
    ['MI210'],
  )
  assert.deepEqual(ignored, [
    'recommendedDeployments[0]: gpuModel is longer than 64 characters',
    'recommendedDeployments[1]: profileId is longer than 253 characters',
  ])
})

test('#71 fp32 is a precision', () => {
  assert.equal(generated('m', [gpu('MI300X', 1, 'latency', 'fp32')]).templates[0]?.spec.precision, 'fp32')
})

test('#28 a generated template has the runtime config and the environment of its model', () => {
  const spec = { runtimeConfigName: 'high-security', env: [{ name: 'HF_TOKEN', value: 'x' }] }
  const [template] = generated('m', [gpu('MI300X', 1)], spec).templates
  assert.equal(template?.spec.runtimeConfigName, 'high-security')
  assert.deepEqual(template?.spec.env, spec.env)
})

const sources = [{ sourceUri: 'hf://meta-llama/Llama-3-8B' }]

test('a custom model without templates gets one', () => {
  const [template] = custom('llama-3-8b', { modelSources: sources })
  assert.equal(template?.name, 'llama-3-8b-custom-c3c23545')
  assert.deepEqual(template?.spec, {
    modelName: 'llama-3-8b',
    type: 'unoptimized',
    modelSources: [{ modelId: 'meta-llama/Llama-3-8B', sourceUri: 'hf://meta-llama/Llama-3-8B' }],
  })
})

test('a custom template is named after its alias, its GPU and all that cannot be changed', () => {
  const [template] = custom('custom-model-test', {
    modelSources: sources,
    customTemplates: [{ name: 'multi-gpu', hardware: { gpu: { requests: 2, model: 'MI300X' } } }],
  })
  assert.equal(template?.name, 'custom-model-test-custom-multi-gpu-mi300x-3d281cf7')
})

const one = { gpu: { requests: 1, model: 'MI300X' } }

test('#32 changed hardware of a custom model makes another template', () => {
  const nameWith = (model: string) =>
    custom('m', { modelSources: sources, custom: { hardware: { gpu: { requests: 1, model } } } })[0]?.name
  assert.notEqual(nameWith('MI300X'), nameWith('MI325X'))
})

test('#33 the order of custom templates does not matter', () => {
  const entries = [{ name: 'a' }, { name: 'b' }]
  const namesOf = (list: typeof entries) =>
    custom('m', { modelSources: sources, custom: { hardware: one }, customTemplates: list })
      .map(({ name }) => name)
      .toSorted()
  assert.deepEqual(namesOf(entries), namesOf(entries.toReversed()))
})

test('#34 the type of a custom model is that of its templates', () => {
  const type = (entry: object) =>
    custom('m', { custom: { hardware: one, type: 'preview' }, customTemplates: [{ name: 'a', ...entry }] })[0]?.spec
      .type
  assert.equal(type({}), 'preview')
  assert.equal(type({ type: 'optimized' }), 'optimized')
})

test('#35 a resource of the model stays where a template changes the count', () => {
  const [template] = custom('m', {
    custom: { hardware: { gpu: { requests: 1, resourceName: 'example.com/gpu' } } },
    customTemplates: [{ name: 'a', hardware: { gpu: { requests: 4 } } }],
  })
  assert.deepEqual(template?.spec.hardware, { gpu: { requests: 4, resourceName: 'example.com/gpu' } })
})

test('#36 a least memory takes the place of a model, and the reverse', () => {
  const merged = (base: object, own: object) =>
    custom('m', { custom: { hardware: { gpu: base } }, customTemplates: [{ name: 'a', hardware: { gpu: own } }] })[0]
      ?.spec.hardware
  assert.deepEqual(merged({ requests: 1, model: 'MI300X' }, { minVram: '64Gi' }), {
    gpu: { requests: 1, minVram: '64Gi' },
  })
  assert.deepEqual(merged({ requests: 1, minVram: '64Gi' }, { model: 'MI300X' }), {
    gpu: { requests: 1, model: 'MI300X' },
  })
})

test('#37 a custom template has the environment of its model and its own over it', () => {
  const [template] = custom('m', {
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '1' },
    ],
    customTemplates: [{ name: 'a', env: [{ name: 'B', value: '2' }] }],
  })
  assert.deepEqual(template?.spec.env, [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ])
})
