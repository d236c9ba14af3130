/** ModelBoosters that an API server takes, of all kinds, for properties. */
import * as fc from 'fast-check'
import type { AnyResource } from '#machinery/meta.ts'
import { backend, modelBooster } from './builders.ts'

const policy = {
  metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }],
  behavior: { scaleDown: { stabilizationWindow: '5m' } },
}

const oneBackend = fc.record({
  pods: fc.integer({ min: 1, max: 2 }),
  replicas: fc.integer({ min: 1, max: 2 }),
  adapters: fc.subarray(['fr', 'sql']),
  cacheURI: fc.constantFrom(undefined, 'pvc://c/d', 'hostpath:///x'),
  env: fc.subarray([
    { name: 'HF_ENDPOINT', value: 'https://x' },
    { name: 'RUNTIME_PORT', value: '8200' },
  ]),
  routeWeight: fc.integer({ min: 1, max: 100 }),
  config: fc.constantFrom(undefined, null, { max_model_len: 4096, 'enable-prefix-caching': true }),
  scaled: fc.boolean(),
  paired: fc.boolean(),
})

const settings = fc.record({
  backends: fc.array(oneBackend, { minLength: 1, maxLength: 2 }),
  form: fc.constantFrom('single', 'multi'),
  requestName: fc.constantFrom(undefined, 'Org/Model'),
  match: fc.constantFrom(undefined, { headers: { tenant: { exact: 'gold' } } }),
  pooled: fc.boolean(),
  limited: fc.boolean(),
  alias: fc.boolean(),
})

/** Of one name, so that two of them are a change. */
export function boosters(name: string): fc.Arbitrary<AnyResource> {
  return settings.map(({ backends, form, requestName, match, pooled, limited, alias }) => {
    const parts = backends.map(({ adapters, scaled, paired, replicas, pods, config, cacheURI, ...given }, i) => ({
      ...backend(`b${i}`, { ...given, ...(cacheURI !== undefined && { cacheURI }) }),
      type: paired ? 'vLLMDisaggregated' : 'vLLM',
      minReplicas: replicas,
      maxReplicas: scaled || pooled ? replicas + 1 : replicas,
      ...(scaled && !pooled && { autoscalingPolicy: policy }),
      ...(pooled && form === 'multi' && { scalingCost: i + 1 }),
      workers: (paired ? ['prefill', 'decode'] : ['server']).map((type) => ({
        type,
        image: 'vllm/vllm-openai:latest',
        pods: paired ? 1 : pods,
        ...(config !== undefined && { config }),
      })),
      loraAdapters: adapters.map((adapter) => ({
        name: adapter,
        artifactURL: `${cacheURI === 'pvc://c/d' ? 'hf' : 's3'}://o/${adapter}`,
      })),
    }))
    return modelBooster(name, {
      backends: form === 'multi' ? parts : undefined,
      ...(form === 'single' && { backend: parts[0] }),
      ...(requestName !== undefined && { name: requestName }),
      ...(match !== undefined && { modelMatch: match }),
      ...(pooled && { autoscalingPolicy: policy }),
      ...(limited && { rateLimit: { outputTokensPerUnit: 1000, unit: 'minute' } }),
      ...(alias && { additionalRoutes: [{ name: 'alias', modelName: 'another', targets: [{ backend: 'b0' }] }] }),
    })
  })
}
